package history

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"escalator/bot/store"
)

// scanFor is how long Each reads at most.
const scanFor = 5 * time.Second

// Each gives all entries that happened since a time, of all conversations, in no certain
// order but that a scan which is cut has seen the newest, and without the counters and
// what became of each rule: those are most of an entry. whole is false where the time was over before the end. take is called on another
// goroutine, and after an error perhaps still: what it fills must then not be used.
func (h *History) Each(ctx context.Context, since time.Time, take func(e *Entry)) (whole bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, scanFor+time.Second)
	defer cancel()
	return look(ctx, h.reading, func() (whole bool, err error) {
		if err := h.between(ctx, func() {}); err != nil {
			return false, err
		}
		end := time.Now().Add(scanFor)
		var decoder decoder
		each := func(data []byte) bool {
			if e, err := decoder.brief(data); err == nil && !e.At.Before(since) {
				take(&e)
			}
			return time.Now().Before(end) && ctx.Err() == nil
		}
		whole = true
		if h.Shared != nil {
			whole, err = h.Shared.EachHistory(ctx, since, each)
			if err != nil && !errors.Is(err, store.ErrAway) {
				return false, err
			}
			whole = whole && err == nil
		}
		all, err := h.local.each(ctx, since, each)
		return whole && all, err
	})
}

// each gives the entries of the segments that may hold some since a time.
func (l *local) each(ctx context.Context, since time.Time, take func(entry []byte) bool) (whole bool, err error) {
	if err := l.wait(ctx); err != nil {
		return false, err
	}
	l.mu.RLock()
	segments := slices.Clone(l.segments)
	var last []int64
	for _, s := range segments {
		last = append(last, s.last)
	}
	l.mu.RUnlock()
	whole = true
	for i, s := range slices.Backward(segments) {
		if !whole || last[i] < since.UnixMilli() {
			continue
		}
		_, err := scan(l.path(s.number), func(_ int64, m meta, frame []byte) bool {
			if m.session != 0 && m.at >= since.UnixMilli() {
				whole = take(frame[headLen+metaLen:])
			}
			return whole
		})
		if err != nil && !errors.Is(err, os.ErrNotExist) { // it was too old
			return false, err
		}
	}
	return whole, nil
}
