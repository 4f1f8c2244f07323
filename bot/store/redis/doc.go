// Package redis is the store that several replicas share, on an engine that
// their operators run already: conversations, callbacks, records, outbox, alarms, mutes and
// the rate of delivery. What a replica does while Redis is away is not its matter
// (failover).
//
// Invariants:
//
//   - A conversation is saved only over the state that it was loaded from (a
//     stamp is compared by script); whoever was overtaken decides anew.
//   - A transfer is in the outbox before the conversation that says so is saved.
//     Until then it is leased to the replica that puts it.
//   - A transfer that is tried is leased, and the lease is renewed while its
//     replica lives. When that dies, any other takes over, and is told that the
//     attempt may have been carried out (OutcomeUnknown).
//   - Leases run by the clock of Redis, so replicas may differ about the time.
//   - Every key has an expiry, a prefix, and a hash tag: the conversation's, so
//     that a script's keys are in one slot of a Redis Cluster. Nothing scans. Records have
//     one slot of their own; a change that has some is saved by one script over both.
//   - A record is put only over the version that was read. Versions are microseconds
//     by the clock of Redis, and never come again. Ends (Until) are by the clocks of the
//     replicas.
//   - Where a customer's chat counts, plain IM's conversation or Desk's session, is said
//     by one key of the chat, in the slot of plain IM's conversation (chat.lua). A claim
//     in another slot is made first, and given up where that key says so. Whoever finds
//     there a message of which its own is a copy finds that one's claim as well.
//   - A value that is not ours, or damaged, is reported. It is not mended: the call
//     is skipped, the conversation starts afresh, the transfer is dropped.
//   - A transfer that ends is noted as ended in the same script: one that is not
//     there and is not noted was lost.
//   - A call that was begun is not cut short by its caller: a claim or a lease
//     of which nobody knows would have to run out.
//
// What Redis cannot do now (away, slow, read-only, full) is store.ErrAway. A call for
// which no connection was free in time is store.ErrSkipped: Redis may be well.
package redis
