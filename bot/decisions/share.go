package decisions

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/clock"
	"escalator/bot/store"
)

const (
	// shareEvery is how often the replicas tell each other what happened.
	shareEvery = 200 * time.Millisecond
	// maxUnshared is how much waits for the others while they cannot be told.
	maxUnshared = 4096
	// shareAtOnce is how much is told or read in one call.
	shareAtOnce = 500
)

// feed is what this replica has to tell the others, and how far it has read.
type feed struct {
	mu    sync.Mutex
	out   [len(feeds)][][]byte
	after [len(feeds)]string
}

// feeds are the streams: decisions, and what became of them, so that the one cannot push
// the other out.
var feeds = [...]string{"decisions", "changes"}

const (
	feedDecisions = iota
	feedChanges
)

// shared is a change as replicas tell it.
type shared struct {
	From      string      `json:"from"` // the process: nobody takes up its own
	Made      *Record     `json:"made,omitempty"`
	Of        string      `json:"of,omitempty"`
	Tried     *Transfer   `json:"tried,omitempty"`
	Label     *Label      `json:"label,omitempty"`
	Forgotten *forgetting `json:"gone,omitempty"`
}

// tellOthers queues a change for the other replicas. What is too much goes, the oldest
// first: it never waits.
func (l *List) tellOthers(c *change) {
	if l.Feed == nil {
		return
	}
	said := c.label
	if said != nil { // the rest is kept where it can be forgotten
		said = &Label{Label: said.Label, By: said.By, At: said.At}
	}
	b, err := json.Marshal(shared{l.ids.tag, c.made, c.of, c.tried, said, c.forgotten})
	if err != nil {
		return // there is nothing in it that could not be written
	}
	n := feedChanges
	if c.made != nil {
		n = feedDecisions
	}
	l.feed.mu.Lock()
	defer l.feed.mu.Unlock()
	if len(l.feed.out[n]) >= maxUnshared {
		l.feed.out[n] = l.feed.out[n][1:]
		l.Dropped()
	}
	l.feed.out[n] = append(l.feed.out[n], b)
}

// share tells and reads until ctx ends.
func (l *List) share(ctx context.Context) {
	clock.Every(ctx, shareEvery, func(ctx context.Context) {
		for n := range feeds {
			l.tell(ctx, n)
		}
		for n := range feeds {
			l.read(ctx, n, func(s *shared) {
				l.put(change{made: s.Made, tried: s.Tried, label: s.Label, of: s.Of, forgotten: s.Forgotten, remote: true})
			})
		}
	})
	l.settle() // what happened last is still queued
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), shareEvery)
	defer cancel()
	for n := range feeds {
		l.tell(last, n)
	}
}

// tell tells the others what waits. What may have been told already is told again: who
// knows it passes it over.
func (l *List) tell(ctx context.Context, n int) {
	for ctx.Err() == nil {
		l.feed.mu.Lock()
		out := l.feed.out[n]
		out = out[:min(len(out), shareAtOnce)]
		l.feed.mu.Unlock()
		if len(out) == 0 || l.failed(l.Feed.AppendFeed(ctx, feeds[n], Keep, out)) {
			return
		}
		l.feed.mu.Lock()
		l.feed.out[n] = l.feed.out[n][l.told(n, out):]
		l.feed.mu.Unlock()
	}
}

// told returns how many of what was told still stand at the head of the queue: the oldest
// may have gone meanwhile.
func (l *List) told(n int, out [][]byte) int {
	for gone := range out {
		if len(l.feed.out[n]) > 0 && &l.feed.out[n][0][0] == &out[gone][0] {
			return len(out) - gone
		}
	}
	return 0
}

// read takes what others told since.
func (l *List) read(ctx context.Context, n int, take func(*shared)) {
	for ctx.Err() == nil {
		entries, next, err := l.Feed.ReadFeed(ctx, feeds[n], l.feed.after[n], shareAtOnce)
		if l.failed(err) {
			return
		}
		l.feed.after[n] = next
		for _, entry := range entries {
			var s shared
			if json.Unmarshal(entry, &s) == nil && s.From != l.ids.tag {
				take(&s)
			}
		}
		if len(entries) < shareAtOnce {
			return
		}
	}
}

// failed reports whether a call has failed, and tells why unless that is known.
func (l *List) failed(err error) bool {
	if err != nil && !errors.Is(err, store.ErrAway) && !errors.Is(err, context.Canceled) {
		l.quiet.Log("feed", l.Log.WithError(err), logrus.WarnLevel, "the decisions of other replicas cannot be shared: each shows its own")
	}
	return err != nil
}

// beginShared restores what the replicas share.
func (l *List) beginShared(ctx context.Context) {
	found := &gathering{map[string]*Record{}, map[string]*Transfer{}}
	l.read(ctx, feedDecisions, func(s *shared) {
		if s.Made != nil {
			found.records[s.Made.ID] = s.Made
		}
	})
	l.read(ctx, feedChanges, func(s *shared) {
		switch {
		case s.Tried != nil:
			found.attempts[s.Of] = s.Tried
		case s.Forgotten != nil:
			for id, r := range found.records { // what came later is kept
				if !r.At.After(s.Forgotten.At) && s.Forgotten.means(r) {
					delete(found.records, id)
				}
			}
		}
	})
	l.restore(found)
}

// forgetShared removes what the replicas share of a user.
func (l *List) forgetShared(ctx context.Context, user string) error {
	if l.Feed == nil {
		return nil
	}
	l.feed.mu.Lock()
	var left [][]byte
	for _, entry := range l.feed.out[feedDecisions] {
		if !isOf(entry, user) {
			left = append(left, entry)
		}
	}
	l.feed.out[feedDecisions] = left
	l.feed.mu.Unlock()
	return l.Feed.ForgetFeed(ctx, feeds[feedDecisions], func(entry []byte) bool { return isOf(entry, user) })
}

func isOf(entry []byte, user string) bool {
	var s shared
	return json.Unmarshal(entry, &s) == nil && s.Made != nil && s.Made.User == user
}
