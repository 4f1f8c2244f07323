package handlers

import (
	"container/list"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"escalator/rules/lang"
)

// bodies bounds what all bodies that are being read, by both listeners, take together,
// beyond the first piece of each. What does not fit any more is taken from those who began longest ago:
// they send slowly, or not at all, while a callback is there within milliseconds.
type bodies struct {
	max int    // blocks
	cut func() // counts

	mu    sync.Mutex
	taken int
	queue *list.List // of *reading, the one that began first in front
	free  sync.Pool  // of *block: a flood leaves nothing to collect
}

const blockSize = 16 << 10

type block [blockSize]byte

// reading is a body that is longer than its first piece.
type reading struct {
	conn   *connection
	blocks []*block // of who reads it
	taken  int
	place  *list.Element
	ended  bool // it was cut: what it took went to others
}

// newBodies returns one that takes so many bytes.
func newBodies(limit int, cut func()) *bodies {
	return &bodies{max: limit / blockSize, cut: cut, queue: list.New(), free: sync.Pool{New: func() any { return new(block) }}}
}

// read reads a body of at most so many bytes. Its memory grows with what has come, not with what was
// announced.
func (b *bodies) read(r *http.Request, most int) ([]byte, error) {
	limit := int(min(r.ContentLength, int64(most)+1))
	switch {
	case limit > most:
		return nil, tooLarge(most)
	case limit < 0: // it is not announced
		limit = most + 1
	}
	body := make([]byte, min(firstPiece, limit))
	n, err := io.ReadFull(r.Body, body)
	if body = body[:n]; err == nil && n < limit {
		body, err = b.readOn(r, body, limit)
	}
	switch {
	case len(body) > most:
		return nil, tooLarge(most)
	case err == nil, r.ContentLength < 0 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return body, nil
	case errors.Is(err, errNoRoom):
		return nil, errNoRoom
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, errSlow
	default:
		return nil, errIncomplete
	}
}

// tooLarge refuses a body that is larger than it may be.
func tooLarge(most int) error {
	if most == maxBody {
		return errTooLarge
	}
	r := *errTooLarge
	r.info = lang.Say("the body is over %d MiB", most>>20)
	return &r
}

// readOn reads what comes behind the first piece, up to the limit.
func (b *bodies) readOn(r *http.Request, first []byte, limit int) (body []byte, err error) {
	rest := &reading{conn: connectionOf(r)}
	total := len(first)
	for err == nil && total < limit {
		next := b.grow(rest)
		if next == nil {
			break
		}
		var n int
		n, err = io.ReadFull(r.Body, next[:min(blockSize, limit-total)])
		total += n
	}
	if b.leave(rest) {
		err = errNoRoom
	} else {
		body = append(make([]byte, 0, total), first...)
		for _, part := range rest.blocks {
			body = append(body, part[:min(blockSize, total-len(body))]...)
		}
	}
	for _, part := range rest.blocks {
		b.free.Put(part)
	}
	return body, err
}

// grow gives a body one more block, whoever has to give way for it; nil: it has itself.
func (b *bodies) grow(r *reading) *block {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.place == nil && !r.ended {
		r.place = b.queue.PushBack(r)
	}
	if !r.ended {
		b.taken++
		r.taken++
	}
	for b.taken > b.max {
		oldest, _ := b.queue.Front().Value.(*reading)
		b.end(oldest)
		oldest.conn.stopReading()
		b.cut()
	}
	if r.ended {
		return nil
	}
	next, _ := b.free.Get().(*block)
	r.blocks = append(r.blocks, next)
	return next
}

// leave ends a body that has come, or will not; it reports whether it was cut.
func (b *bodies) leave(r *reading) (cut bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if cut = r.ended; !cut {
		b.end(r)
	}
	return cut
}

func (b *bodies) end(r *reading) {
	b.queue.Remove(r.place)
	b.taken -= r.taken
	r.taken, r.ended = 0, true
}

// stopReading has a read that waits end at once; an answer can still be sent.
func (c *connection) stopReading() {
	if c.Conn != nil {
		_ = c.SetReadDeadline(time.Unix(1, 0))
	}
}
