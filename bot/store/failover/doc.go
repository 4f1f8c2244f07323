// Package failover works on a store that several replicas share while that can be
// used, and on one of this process's own while not.
//
// Invariants:
//
//   - What the shared store says counts. The local one has a copy of each
//     conversation that this replica met, so that it can go on from there at any
//     moment.
//   - Whatever was answered is kept in one of the two. A change that the shared
//     store may have kept, or may not, is made again locally.
//   - Where a callback of a chat belongs, the shared store says (Place). Where that is
//     away, nobody does, and the caller goes by what it knows itself.
//   - A transfer that is decided locally is delivered from there, and marked
//     OutcomeUnknown: Desk is asked first, because another replica may have decided
//     the same. So is one that is decided right after the shared store came back.
//   - A conversation that was changed locally is dirty until the shared store has
//     it. Of two states the one that is away from the bot counts.
//   - A record lives in one of the two. What was kept locally is brought before this
//     replica reads or puts it in the shared store, or uses that again: words and notices
//     at once, users in turns. Leases and readings are dropped.
//   - Words and notices are neither lost nor acted on twice, if who acts on one lists it, puts
//     that he does over its version, and removes it after. Without the shared store one that
//     was read there may be removed, not changed (store.ErrConflict); one that may live on
//     both sides, because an answer was lost, is not listed. A note that the shared store
//     gets with each new one says whether it was there. What may end wrongly: a shared store
//     that comes back with older data than it had.
//   - Of a user, or words, that came to be in both apart, Options.Merge makes one; where it
//     does not, the shared words count, and the user that was put last. While the shared store
//     is away its users are not known.
//   - A transfer that this replica put into the shared store, and that is neither
//     there nor ended, is told of and put back (promises).
//   - One failed call says little. It makes the shared store suspect: until a probe
//     tells, callbacks are handled locally, so that none of them waits twice, and
//     the courier waits. Only several failed probes in a row mean that it is away.
//     A call that was merely skipped (store.ErrSkipped) means nothing at all.
package failover
