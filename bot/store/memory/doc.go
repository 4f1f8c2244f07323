// Package memory keeps the live state of one process on go-cache.
//
// One go-cache instance with a million expired keys holds its lock for more
// than a tenth of a second, and it has neither a size cap nor a janitor that
// can be stopped. So a table here is many instances (shards) chosen by a keyed
// hash, swept one at a time by ourselves, each with a queue of its keys in the
// order of their age. The queue makes a sweep look only at what is due, and an
// eviction find the oldest entry without a search.
//
// Invariants:
//
//   - A sweep or an eviction holds one shard for at most sweepBatch entries.
//   - A conversation that is not in the bot phase is never evicted.
//   - A callback that is being worked on is never evicted before it is finished.
//   - What expires does so by a clock that nobody can set.
package memory
