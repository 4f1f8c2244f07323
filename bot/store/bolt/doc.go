// Package bolt is the durable store of one process: the outbox, and the
// conversations that must survive a restart, in one bbolt file.
//
// bbolt commits with one fsync and one writer at a time. So writes are grouped:
// what gathers while a commit is under way goes into the next one. There is no
// timer; a single write waits for nothing.
//
// Invariants:
//
//   - A write has returned only after it is on disk.
//   - What belongs together is in one commit: a transfer with its conversation and
//     the answer to the callback; a conversation with the callback that it counts.
//   - The index in memory (memory.Outbox) never knows more than the disk.
//   - One process uses a file; a second one is refused.
//   - A damaged file or record is kept aside and reported, never dropped.
//   - A transfer that is found at the start may have been carried out by the
//     process that died: it is marked OutcomeUnknown, so that Desk is asked first.
package bolt
