package memory

import (
	"hash/maphash"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	cache "github.com/patrickmn/go-cache"
)

const (
	// shardCount is such that the longest sweep of one shard is well under a
	// millisecond, and that with one or two million entries in all, which is what
	// the caps are, the maps of the shards are four fifths full. Go's maps double
	// each part of a thousand when it is seven eighths full: with 256 shards all
	// of them would have done so just before, and a million entries take 35 MB more.
	shardCount = 304
	// sweepBatch bounds how many queued keys one sweep of one shard looks at, and
	// sweepShards is how many are swept at a time: 80,000 keys a second, more than come,
	// and none is there for more than 8 s after its end.
	sweepBatch  = 2048
	sweepShards = 4
	// evictTries bounds how many of the oldest entries are asked whether they
	// may go, before the cap is overrun by one.
	evictTries = 64
)

// entry is what a table keeps: it knows when it may be forgotten.
type entry interface {
	// expires returns the time by the table's clock after which the entry is no
	// longer needed. It may move while the entry is in the table.
	expires() int64
	// evictable reports whether the entry may go early, to make room.
	evictable() bool
}

// table is a sharded go-cache with a cap on the number of its entries.
type table struct {
	tableOptions
	seed   maphash.Seed
	shards [shardCount]shard
	size   atomic.Int64
	next   atomic.Uint32 // the shard that is swept next
}

type tableOptions struct {
	max       int
	lookAgain time.Duration // the longest that an entry sits in the queue unseen
	clock     stopwatch
	evicted   func() // called for each entry that went early
	// kept is called with the table's own copy of the key for each entry that is stored
	// anew, with its shard locked and before anybody can see the entry; nil: nobody asks.
	kept func(key string, e entry)
	// gone is called for each entry that was forgotten, with its shard locked; not
	// for one that was swapped.
	gone func(key string, e entry)
}

// shard is one go-cache and the keys in it, oldest first.
type shard struct {
	mu    sync.Mutex // guards queue, and every write to cache
	cache *cache.Cache
	queue queue
}

func newTable(o tableOptions) *table {
	t := &table{tableOptions: o, seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].cache = cache.New(cache.NoExpiration, 0)
	}
	return t
}

func (t *table) shard(key string) *shard {
	return &t.shards[maphash.String(t.seed, key)%shardCount]
}

// get returns the entry named key, nil if there is none, and whether it is live: it
// may have expired and not been swept.
func (t *table) get(key string) (e entry, live bool) {
	v, ok := t.shard(key).cache.Get(key)
	if !ok {
		return nil, false
	}
	e = v.(entry)
	return e, e.expires() > t.clock.millis()
}

// add stores e under a copy of key, unless a live entry is there, which it returns.
func (t *table) add(key string, e entry) (existing entry) {
	s := t.shard(key)
	now := t.clock.millis()
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.cache.Get(key); ok {
		old := v.(entry)
		if old.expires() > now {
			return old
		}
		kept := strings.Clone(key) // it is still queued
		t.store(s, kept, e)
		t.gone(kept, old)
		return nil
	}
	if t.size.Add(1) > int64(t.max) {
		t.makeRoom(s, now)
	}
	t.store(s, t.enqueue(s, key, e, now), e)
	return nil
}

// swap stores e in the place of old, if that is still there, under a copy of key.
func (t *table) swap(key string, old, e entry) bool {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.cache.Get(key); !ok || v.(entry) != old {
		return false
	}
	t.store(s, strings.Clone(key), e)
	return true
}

// store stores a new entry under the table's own copy of its key.
func (t *table) store(s *shard, key string, e entry) {
	if t.kept != nil {
		t.kept(key, e)
	}
	s.cache.Set(key, e, cache.NoExpiration)
}

// put stores e in the place of an entry that stays until its owner calls this: one that
// does not expire and may not go early. Its key must be the table's own copy (see kept), or
// it is kept twice.
func (t *table) put(key string, e entry) {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cache.Set(key, e, cache.NoExpiration)
}

// enqueue puts key at the back, and returns the queue's copy of it. Store e under that: under
// an older one it would keep that, and all that share its string, alive. The key is looked at
// again when e expires, but within lookAgain, so that one long-lived entry keeps no others
// waiting.
func (t *table) enqueue(s *shard, key string, e entry, now int64) (kept string) {
	expires := e.expires()
	return s.queue.push(queued{key: key, expires: tickFrom(expires), due: tickFrom(min(expires, now+t.lookAgain.Milliseconds()))})
}

// makeRoom evicts the entry of the shard that was left alone for longest, if
// it may go. One that has lived on since it was queued goes to the back.
func (t *table) makeRoom(s *shard, now int64) {
	for range min(evictTries, s.queue.len()) {
		q := s.queue.pop()
		v, ok := s.cache.Get(q.key)
		if !ok {
			continue
		}
		e := v.(entry)
		expires := e.expires()
		if expires > now && (tickFrom(expires) > q.expires || !e.evictable()) {
			s.cache.Set(t.enqueue(s, q.key, e, now), e, cache.NoExpiration)
			continue
		}
		t.forget(s, q.key, e)
		if expires > now {
			t.evicted()
		}
		return
	}
}

// sweep forgets what has expired in some shards; the next call takes the next.
func (t *table) sweep() {
	for range sweepShards {
		t.sweepShard()
		runtime.Gosched() // callbacks come first
	}
}

func (t *table) sweepShard() {
	s := &t.shards[t.next.Add(1)%shardCount]
	now := t.clock.millis()
	s.mu.Lock()
	defer s.mu.Unlock()
	for range sweepBatch {
		if s.queue.len() == 0 || s.queue.front().due > tickAt(now) {
			return
		}
		q := s.queue.pop()
		v, ok := s.cache.Get(q.key)
		if !ok {
			continue
		}
		if e := v.(entry); e.expires() > now {
			s.cache.Set(t.enqueue(s, q.key, e, now), e, cache.NoExpiration)
		} else {
			t.forget(s, q.key, e)
		}
	}
}

func (t *table) forget(s *shard, key string, e entry) {
	s.cache.Delete(key)
	t.size.Add(-1)
	t.gone(key, e)
}

// each shows the entries, also those that have expired, and calls between after each
// shard, with nothing locked; an error of that ends it.
func (t *table) each(show func(key string, e entry), between func() error) error {
	for i := range t.shards {
		for key, item := range t.shards[i].cache.Items() {
			show(key, item.Object.(entry))
		}
		if err := between(); err != nil {
			return err
		}
	}
	return nil
}

// live returns the number of entries, those that expired but were not swept
// yet included.
func (t *table) live() int { return int(t.size.Load()) }
