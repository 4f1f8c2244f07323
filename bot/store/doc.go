// Package store says what the service remembers and how: conversations,
// marks of callbacks already seen, and the outbox of transfers that are due.
//
// Three small interfaces, and drivers below this folder that pass one
// conformance suite (storetest): memory (the live state of one process, on
// go-cache), bolt (the durable outbox of one process) and, for several
// replicas, redis.
//
// Invariants that every driver keeps:
//
//   - One conversation is changed by one caller at a time.
//   - A transfer is in the outbox before the change of its conversation can be
//     seen, or neither has happened.
//   - The outbox holds at most one transfer of a conversation.
//   - A mark is claimed by exactly one caller; the others get its answer.
//   - Everything expires, and everything has a cap.
package store
