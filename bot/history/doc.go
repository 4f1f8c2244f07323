// Package history keeps what happened in each conversation, for a while and within
// bounds: who said what, what the rules made of it and why, the transfers, what we
// said, and who the customer was with. It answers "why did this one not escalate?".
//
// Its one entry point is Open. Writers call Note and Put, or Add; readers
// Conversation and OfUser; Forget removes a customer.
//
// Invariants:
//
//   - A callback pays for one bounded copy into a queue. It never waits for masking,
//     encoding or a disk: what the background cannot keep up with is dropped and counted.
//   - Words are masked as the log's before they reach a disk or Redis; with
//     ESCALATOR_LOG_TEXT=none no words do.
//   - Everything is bounded: time, bytes on disk, what is read of one conversation. The
//     oldest goes first.
//   - What is forgotten is overwritten where it lies, not merely left out.
//   - Nothing here is needed to deliver a transfer: a full disk stops history alone.
//
// On disk (local) history is a row of files that are only appended to. A frame is an
// entry; it names the place of the entry before it of the same conversation, so memory
// holds one place of each conversation, and reading one needs no search. Files are not
// synced, but when something is forgotten and at the end: after a loss of power the last
// half minute may be missing.
package history
