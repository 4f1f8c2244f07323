package history

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/store"
	"escalator/rules/lang"
)

const (
	// maxTurns and maxBytes are what is told of one conversation.
	maxTurns = 200
	maxBytes = 64 << 10
	// lookFor is how long a reader waits for a disk.
	lookFor = 5 * time.Second
)

// share keeps rows in the shared store, and reports whether that is done.
func (h *History) share(rows []store.HistoryRow) bool {
	if h.Shared == nil {
		return false
	}
	err := h.Shared.AppendHistory(context.Background(), rows, store.HistoryBounds{For: h.For, Max: h.Max, Bytes: maxBytes})
	if err != nil && !errors.Is(err, store.ErrAway) { // the log tells of an outage by itself
		h.quiet.Log("shared", h.Log.WithError(err), logrus.WarnLevel, "history could not be written to Redis: it is kept on this replica's disk")
	}
	return err == nil
}

// Conversation returns what is kept of conversations, by the names that the log has for
// them, in the order of time as one. The error may be ErrUnknown, ErrLoading or ErrBusy.
func (h *History) Conversation(ctx context.Context, sessions ...string) (*Conversation, error) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	return look(ctx, h.reading, func() (*Conversation, error) {
		if err := h.between(ctx, func() {}); err != nil {
			return nil, err
		}
		told := newest{session: sessions[0], since: h.Now().Add(-h.For)}
		for _, session := range sessions {
			if err := h.read(ctx, session, &told); err != nil {
				return nil, err
			}
		}
		return told.conversation()
	})
}

// read reads one session from both places.
func (h *History) read(ctx context.Context, session string, told *newest) error {
	if h.Shared != nil {
		rows, err := h.Shared.History(ctx, session)
		if err != nil && !errors.Is(err, store.ErrAway) {
			return err
		}
		told.begin()
		for _, row := range slices.Backward(rows) {
			if !told.take(session, row) {
				break
			}
		}
	}
	told.begin()
	older, err := h.local.read(ctx, session, func(entry []byte) bool { return told.take(session, entry) })
	told.older = told.older || older
	return err
}

// newest gathers the newest entries, and says whether there are older ones.
type newest struct {
	session      string
	since        time.Time // what is older is told no more
	entries      []Entry
	turns, bytes int
	older        bool
}

// begin begins with another place, which may hold newer ones.
func (n *newest) begin() { n.turns, n.bytes = 0, 0 }

// take takes an entry unless it is beyond what is told.
func (n *newest) take(session string, encoded []byte) bool {
	e, err := decodeEntry(encoded)
	if err != nil || e.Session != session {
		return true
	}
	n.bytes += len(encoded)
	if e.Kind == Turn {
		n.turns++
	}
	if n.turns > maxTurns || n.bytes > maxBytes || e.At.Before(n.since) {
		n.older = true
		return false
	}
	n.entries = append(n.entries, e)
	return true
}

// conversation puts the entries in the order of time.
func (n *newest) conversation() (*Conversation, error) {
	if len(n.entries) == 0 {
		return nil, ErrUnknown
	}
	slices.Reverse(n.entries)
	slices.SortStableFunc(n.entries, earlier)
	turns, first := 0, len(n.entries)
	for first > 0 && turns < maxTurns {
		if first--; n.entries[first].Kind == Turn {
			turns++
		}
	}
	c := &Conversation{Session: n.session, Older: n.older || first > 0}
	for _, e := range n.entries[first:] {
		c.add(e)
	}
	return c, nil
}

// earlier is the order of time. What a turn led to may be noted before the turn itself.
func earlier(a, b Entry) int {
	return cmp.Or(cmp.Compare(a.At.UnixMicro(), b.At.UnixMicro()), cmp.Compare(consequence(a), consequence(b)))
}

func consequence(e Entry) int {
	if e.Kind == Turn {
		return 0
	}
	return 1
}

// OfUser returns the session of the last that is kept of a user, "" where nothing is.
// The phase that it is in now only the live conversation knows.
func (h *History) OfUser(ctx context.Context, user string) (session string, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	last, err := look(ctx, h.reading, func() (last Entry, err error) {
		if err := h.between(ctx, func() {}); err != nil {
			return last, err
		}
		var rows [][]byte
		if h.Shared != nil {
			row, err := h.Shared.HistoryOf(ctx, user)
			if err != nil && !errors.Is(err, store.ErrAway) {
				return last, err
			}
			rows = append(rows, row)
		}
		row, err := h.local.last(ctx, user)
		if err != nil {
			return last, err
		}
		for _, row := range append(rows, row) {
			if e, err := decodeEntry(row); err == nil && e.User == user && e.At.After(last.At) && !e.At.Before(h.Now().Add(-h.For)) {
				last = e
			}
		}
		return last, nil
	})
	return last.Session, err
}

// Forget removes all that is kept of a user, or of a session of that name. What was
// written of it is overwritten. It returns how many conversations that were. It may take
// seconds.
func (h *History) Forget(ctx context.Context, name string) (conversations int, err error) {
	var closed []*segment
	if err := h.between(ctx, func() { closed = h.local.endSegment() }); err != nil {
		return 0, err
	}
	conversations, err = h.local.forget(ctx, closed, name)
	if err == nil && h.Shared != nil {
		var shared int
		shared, err = h.Shared.ForgetHistory(ctx, name)
		conversations += shared
	}
	return conversations, err
}

// Kept says in words how long and how much is kept, since when there is something, and of
// how many conversations.
func (h *History) Kept(ctx context.Context) lang.Text {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	words := lang.Say("history is kept for %s, up to %d MiB of all conversations", inWords(h.For), h.Max>>20)
	if since, err := h.local.since(ctx); err == nil && since != 0 && h.Shared == nil {
		begins := time.UnixMilli(max(since, h.Now().Add(-h.For).UnixMilli())).UTC().Format(time.RFC3339)
		words = lang.Say("%s; it begins at %s (conversations in it: %d)", words, begins, h.local.conversations())
	}
	return words
}

// inWords writes a time without the zeros behind it: 72h.
func inWords(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// look does f on a goroutine of its own, a few at a time, and does not wait for it beyond
// ctx: a disk may hang.
func look[T any](ctx context.Context, places chan struct{}, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	select {
	case places <- struct{}{}:
	case <-ctx.Done():
		return none, ErrBusy
	}
	done := make(chan result, 1)
	go func() {
		defer func() { <-places }()
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return none, ErrBusy
	}
}
