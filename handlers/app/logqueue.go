package app

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"

	"escalator/rules/lang"
)

const (
	// logBuffer bounds the lines that wait for the log's reader (CONTRACT.md 8).
	logBuffer = 4 << 20
	// troubleRoom is the part of it that only warnings and errors may fill: a
	// stall that began with a flood of decisions must not hide what went wrong.
	troubleRoom = 1 << 20
	// pieceSize is about how much is written at a time. A reader that is slow
	// frees room piece by piece.
	pieceSize = 64 << 10
	// stalledAfter is how long one write may take before the reader counts as
	// stalled: a slow disk takes less.
	stalledAfter = 2 * time.Second
	// rememberDrops is how long the service is degraded after the last line was
	// dropped, so that whoever asks now and then sees it too.
	rememberDrops = time.Minute
)

// logQueue takes lines without ever waiting, and writes them in a goroutine of its
// own. A reader that stalls or leaves costs lines, which are counted, and nothing
// else.
type logQueue struct {
	out    io.Writer
	notice func(lines uint64) []byte // the line that tells of dropped ones
	torn   bool                      // the last write ended within a line; run's own
	ended  chan struct{}             // closed when run has ended

	mu       sync.Mutex
	grown    sync.Cond
	pieces   [][]byte  // whole lines each, the oldest first
	spare    []byte    // a piece that was written, for the next one
	size     int       // bytes of the pieces and of the one being written
	writing  time.Time // when the write under way began; zero: none is
	failure  error     // of the last write, nil when it went well
	dropped  uint64    // lines since the start
	untold   uint64    // of them, those that no notice has told of
	lastDrop time.Time
	closed   bool
}

func newLogQueue(out io.Writer, notice func(lines uint64) []byte) *logQueue {
	q := &logQueue{out: out, notice: notice, ended: make(chan struct{})}
	q.grown.L = &q.mu
	go q.run()
	return q
}

// put takes a line, or drops it where there is no room. The line may be changed
// afterwards.
func (q *logQueue) put(line []byte, trouble bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	room := logBuffer - troubleRoom
	if trouble {
		room = logBuffer
	}
	if q.closed || q.size+len(line) > room {
		q.drop(1)
		return
	}
	last := len(q.pieces) - 1
	if last < 0 || len(q.pieces[last])+len(line) > pieceSize {
		q.pieces = append(q.pieces, q.spare)
		q.spare = nil
		last++
	}
	q.pieces[last] = append(q.pieces[last], line...)
	q.size += len(line)
	q.grown.Signal()
}

// drop counts lines that nobody will read. The lock is held.
func (q *logQueue) drop(lines int) {
	if lines == 0 {
		return
	}
	q.dropped += uint64(lines)
	q.untold += uint64(lines)
	q.lastDrop = time.Now()
}

// run writes until the queue is closed and empty.
func (q *logQueue) run() {
	defer close(q.ended)
	for {
		piece, told := q.take()
		if piece == nil {
			return
		}
		n, err := q.write(piece)
		q.wrote(piece, told, n, err)
	}
}

// write writes a piece, on a line of its own also where a full disk cut the last
// one within a line.
func (q *logQueue) write(piece []byte) (n int, err error) {
	if q.torn {
		if _, err := q.out.Write([]byte("\n")); err != nil {
			return 0, err
		}
	}
	n, err = q.out.Write(piece)
	q.torn = n > 0 && piece[n-1] != '\n'
	return n, err
}

// take waits for what to write next: the notice of lines that were dropped, told
// of them, as soon as lines can be written again; else the oldest piece. It
// returns nil when the queue is closed and empty.
func (q *logQueue) take() (piece []byte, told uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		switch {
		case q.untold > 0 && q.failure == nil:
			piece, told = q.notice(q.untold), q.untold
		case len(q.pieces) > 0:
			piece, q.pieces = q.pieces[0], q.pieces[1:]
		case q.closed:
			return nil, 0
		default:
			q.grown.Wait()
			continue
		}
		q.writing = time.Now()
		return piece, told
	}
}

// wrote notes what became of a piece.
func (q *logQueue) wrote(piece []byte, told uint64, n int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.writing, q.failure = time.Time{}, err
	switch {
	case told > 0 && err == nil:
		q.untold -= told
	case told > 0: // it will be told again
	default:
		q.size -= len(piece)
		q.spare = piece[:0]
		q.drop(bytes.Count(piece[n:], []byte("\n")))
	}
}

// close ends the queue when all is written, or leaves it behind when ctx ends
// first. It returns how many bytes were not written.
func (q *logQueue) close(ctx context.Context) (left int) {
	q.mu.Lock()
	q.closed = true
	q.grown.Signal()
	q.mu.Unlock()
	select {
	case <-q.ended:
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.size
}

// lost returns how many lines were dropped since the start.
func (q *logQueue) lost() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

// degraded says what is wrong with the log's reader, nil if nothing is.
func (q *logQueue) degraded() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	stalled := now.Sub(q.writing)
	switch {
	case !q.writing.IsZero() && stalled > stalledAfter:
		return []string{lang.Say("the log's reader has stalled for %s: %d lines dropped since the start", stalled.Round(time.Second), q.dropped).String()}
	case q.failure != nil:
		return []string{lang.Say("the log cannot be written: %v: %d lines dropped since the start", q.failure, q.dropped).String()}
	case q.dropped > 0 && now.Sub(q.lastDrop) < rememberDrops:
		return []string{lang.Say("log lines were dropped a moment ago: %d since the start", q.dropped).String()}
	}
	return nil
}
