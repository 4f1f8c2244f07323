package journal

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

const (
	// maxLog is how long the log may become before it is written anew. What that has
	// replaced stays for a while: the folder takes twice this, and twice what is kept.
	maxLog = 96 << 20
	// maxSegments is how many there may be before that: each start adds one.
	maxSegments = 16
	// supersededFor is how long what was replaced is kept: somebody may be copying the
	// folder. The next time ends it too.
	supersededFor = time.Minute
	// atOnce is how many transfers are written anew in one commit.
	atOnce = 256
)

// live is what is kept beside the transfers.
type live struct {
	conversations *memory.Conversations
	dedup         *memory.Dedup
	records       *memory.Records
}

func (l *live) count() int { return l.conversations.Live() + l.dedup.Len() + l.records.Len() }

// Live hands over what an earlier process left, and says which conversations that
// are. The three are those that this store is the journal of: from now on the log is
// written anew from them.
func (s *Store) Live(conversations *memory.Conversations, dedup *memory.Dedup, records *memory.Records) (ids []string) {
	left := s.left
	s.left = restored{}
	dedup.Restore(left.answers)
	records.Restore(left.records)
	conversations.Restore(left.conversations)
	s.counted = len(left.conversations) + len(left.answers) + len(left.records)
	s.live.Store(&live{conversations, dedup, records})
	return slices.Collect(maps.Keys(left.conversations))
}

// ask has the log written anew.
func (s *Store) ask() {
	select {
	case s.asked <- struct{}{}:
	default:
	}
}

// maintain keeps the folder small until the store is closed.
func (s *Store) maintain() {
	tick := time.NewTicker(supersededFor)
	defer tick.Stop()
	asked, superseded := s.asked, time.Now()
	for {
		select {
		case <-s.closing.Done():
			return
		case <-asked:
		case <-tick.C:
			asked = s.asked
			s.expire()
			if time.Since(superseded) >= supersededFor {
				s.removeSuperseded()
			}
			if l := s.live.Load(); l == nil || l.count() >= s.counted*3/4 && !s.erase.Load() {
				continue
			}
		}
		l := s.live.Load()
		if l == nil {
			continue
		}
		superseded = time.Now()
		if err := s.rewrite(l); err != nil && s.closing.Err() == nil {
			asked = nil // for now
			s.erase.Store(true)
			s.report(fmt.Sprintf("the journal in the data folder cannot be written anew, and grows: %v", err), s.dir)
		}
	}
}

// rewrite writes all that is kept into a new segment, among what callbacks change
// meanwhile, and then that all before that segment is superseded. Whatever it writes
// is what counts at that moment: a transfer is written by the committer, which knows;
// a conversation, or a record, while nobody else can change it.
func (s *Store) rewrite(l *live) error {
	s.removeSuperseded()
	s.counted = l.count()
	s.due.Store(false)
	s.erase.Store(false)
	s.roll.Store(true)
	var number int64
	var ids []string
	err := s.do(func(b []byte) []byte {
		number, ids = s.segment.number, slices.Collect(maps.Keys(s.transfers))
		return b
	}, nil)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(ids, atOnce) {
		err = errors.Join(err, s.do(func(b []byte) []byte {
			for _, id := range some {
				b = appendFixed(b, ofTransfer, id, s.transfers[id].value) // nil: it is gone
			}
			return b
		}, nil))
	}
	written := func() error { return s.do(func(b []byte) []byte { return b }, nil) }
	if err == nil {
		err = l.conversations.Each(func(id string, c *rules.Conversation) { s.Keep(memory.Change{ID: id, Conversation: c}) }, written)
	}
	if err == nil {
		err = l.dedup.Each(func(key memory.Key, answer []byte) { s.Keep(memory.Change{Key: key, Answer: answer}) }, written)
	}
	if err == nil {
		err = l.records.Each(func(r store.Record) { s.Keep(memory.Change{Records: []store.Record{r}}) }, written)
	}
	if err != nil {
		return err
	}
	return s.do(func(b []byte) []byte {
		s.logged = 0
		select {
		case <-s.asked: // because of what was just written
		default:
		}
		return appendFixed(b, ofBase, "", numbers(number))
	}, func() { s.base.Store(number) })
}

// removeSuperseded removes the segments that need not be read any more.
func (s *Store) removeSuperseded() {
	names, _ := s.folder.names() // the next time will do
	for _, n := range segmentsIn(names) {
		if n < s.base.Load() {
			_ = s.folder.remove(segmentName(n))
		}
	}
}
