// Package store says what the service remembers and how: conversations, callbacks
// already seen, the outbox of transfers that are due, and small records beside them.
//
// Four small interfaces, and drivers below this folder that pass one conformance
// suite (storetest):
//
//   - memory: the live state of one process, on go-cache. Conversations, Dedup, Outbox, Records.
//   - journal: the journal of memory, and a durable Outbox, in an append-only log.
//   - redis: all four, shared by several replicas.
//   - failover: all four, a shared store over a local one.
//
// Invariants that every driver keeps:
//
//   - One conversation is changed by one caller at a time.
//   - All of an Effect is kept together with the changed conversation, or nothing is:
//     transfer, alarm, records, and the answer to the callback. A panic in a change is a
//     failure like any other.
//   - A transfer is in the outbox before the change of its conversation can be seen.
//   - The outbox holds at most one transfer of a conversation.
//   - A callback is claimed by exactly one caller; the others get its answer.
//   - A record is put only over the version that was read.
//   - Everything expires, and everything has a cap.
//
// Locks are taken in this order, from the outside in, and each is released in the
// reverse one:
//
//	failover: conversation (Stripes)
//	  redis: conversation (Stripes) → claims, leases
//	    failover: records of a change (Stripes.LockAll), its own state
//	      memory: conversation (Stripes) → shard of a table → answers, changes that the journal has not written
//	        records → changes that the journal has not written
//	        outbox in memory
//	          alarms of the process (Alarms.Set)
//
// A callback claims its dedup key before anything of it is decided, and gives it up or
// finishes it after its last lock. Each process lets go of it after the shared store has,
// so a copy that waits here finds the answer there:
//
//	dedup key in memory
//	  dedup key in redis, where the callback belongs as far as is known
//	    chat of the pair, in the same round trip (chat.lua): where it does belong
//	      dedup key in redis, where it does belong, once the first was given up
//	        dedup key in redis of the message that this one is a copy of: waited for only
//	          conversation, as above
//
// Nobody waits in a circle: plain IM's copy never waits for a message under another key,
// and Desk's only for one of plain IM.
//
// Records that are being put are busy (memory) until their commit has ended; that holds no
// lock. Whoever puts several waits for all of them before any of his is busy. Without Redis
// failover takes the records of a change under the conversation in memory: what brings
// records to Redis holds no conversation.
//
// Nobody calls upwards: a change must not use a store, Alarms.Set neither. Under the
// lock of a conversation there is at most one commit to disk, and that of another who puts
// the same records, or the round trips to Redis, and never a call of Desk or of a bot. The journal's committer takes none of the
// others; what writes its log anew takes the stripes one after the other, and holds none
// while it waits for the disk.
package store
