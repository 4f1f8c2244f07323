// Package decisions keeps the newest decisions for people to look at: it lists, filters
// and streams them, shows what became of the transfer that each began, and keeps who
// called one right or wrong.
//
// Its one entry point is New. The bot calls Add, Tried and Forget; the API Page, Watch,
// SetLabel and Labels.
//
// Invariants:
//
//   - Add costs a callback a copy into a queue. It never waits for masking, encoding, a
//     reader, a disk or Redis.
//   - A record is never changed once others can see it: a change is another record in its
//     place. So lists and streams are read without a lock.
//   - Events have one order. A reader that resumes with the id of the last one that it saw
//     gets each later one once, or is told that there is a gap.
//   - An id stays the same, on all replicas and after a restart.
//   - The lists are bounded: the oldest go first.
//   - Customers' words are masked as in the log.
//
// Locks: mu, then queueMu. Neither is held while anything is written, stored or asked.
package decisions
