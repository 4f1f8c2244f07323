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
//   - A transfer that this replica put into the shared store, and that is neither
//     there nor ended, is told of and put back (promises).
//   - One failed call says little. It makes the shared store suspect: until a probe
//     tells, callbacks are handled locally, so that none of them waits twice, and
//     the courier waits. Only several failed probes in a row mean that it is away.
//     A call that was merely skipped (store.ErrSkipped) means nothing at all.
package failover
