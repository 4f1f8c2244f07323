// Package journal is the durable store of one process: its outbox, and the
// conversations, callbacks and records of memory, in an append-only log.
//
// A data folder holds segments (journal-N.log), which are only ever appended to. They
// are made of frames that carry a checksum; a frame is one change, and is there whole or
// not at all. When the log has grown long, all that is kept is written anew into a new
// segment, and then a frame (ofBase) which says that nothing before that segment counts.
// Everything is read into memory at the start; nothing is mapped.
//
// One goroutine writes (the committer). What gathers while it waits for the disk goes
// with the next sync. There is no timer: the committer lets the callbacks that can run now
// go first, so that they come along, and a single transfer waits for nothing.
//
// Invariants:
//
//   - A transfer is on disk, synced, before anybody hears of it.
//   - So is a record that may not be late (store.Record.Late).
//   - What belongs together is in one frame: a transfer with its conversation and the
//     answer to the callback; a conversation with the callback that it counts, and the
//     records that changed with it.
//   - Other changes are written within flushAfter, and synced within syncAfter.
//   - A segment is never changed behind its end, and never written again after a write
//     or sync of it has failed: a new one goes on from what is certain of it.
//   - The index in memory (memory.Outbox) never knows more than the disk.
//   - One process uses a folder; a second one is refused.
//   - A damaged file is kept aside and reported; what can be read of it is used.
//   - A transfer that is found at the start may have been carried out by the process
//     that died: it is marked OutcomeUnknown, so that Desk is asked first.
//   - A copy of the folder, also one made while the store is in use, is a backup: a
//     segment that does not count any more stays for supersededFor.
package journal
