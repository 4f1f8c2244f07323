package history

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot/mask"
	"escalator/bot/quiet"
	"escalator/bot/store"
	"escalator/rules"
	"escalator/rules/lang"
)

const (
	// maxQueued and maxQueuedBytes bound the notes that wait to be written.
	maxQueued      = 16_384
	maxQueuedBytes = 64 << 20
	// Notes are written after batchEvery, or when so many wait: often enough that they are
	// few, and still in the processor's cache.
	batchEvery = 20 * time.Millisecond
	batchFull  = 512
	// The writer lets others work after a piece of so many notes: callbacks come first. Of
	// many it takes more at a time, or it would never be done while callbacks do not end.
	leastPiece = 32
	mostPieces = 8
	// expireEvery is how often is looked for what is too old.
	expireEvery = time.Minute
	// lateFor is how long readiness tells of notes that were dropped.
	lateFor = time.Minute
	// readers bounds the looks at the disk at a time: one that hangs must not gather others.
	readers = 4
)

// What a reader is told.
var (
	// ErrUnknown says that nothing is kept of the conversation.
	ErrUnknown = lang.Errorf("nothing is kept")
	// ErrLoading says that the files of an earlier process are still being read: ask again.
	ErrLoading = lang.Errorf("history is still being read after the start: ask again in a moment")
	// ErrBusy says that the disk does not answer in time: ask again.
	ErrBusy = lang.Errorf("history cannot be read now: its disk is slow, or too many are reading")
)

// Options says where, how masked, how long and how much.
type Options struct {
	Dir  string
	Mask mask.Mode
	For  time.Duration // how long it is kept
	Max  int64         // bytes, on disk and in Redis
	// Shared is where several replicas keep it; nil: this process alone. While that
	// cannot be used it is kept in Dir, and stays there.
	Shared store.Histories
	Log    *logrus.Logger
	Now    func() time.Time // nil: time.Now
	// Dropped counts the entries that could not be kept; nil: nobody asks.
	Dropped prometheus.Counter
}

// History keeps and tells. Make one with Open; it may be used by several goroutines.
type History struct {
	Options
	local *local
	pool  sync.Pool
	quiet quiet.Lines

	mu      sync.Mutex
	pending []*Note
	size    int
	wake    chan struct{} // receives a value when notes begin to wait, and when many do

	do      chan func() // what the writer is to do between two batches
	reading chan struct{}
	closing chan struct{}
	once    sync.Once
	work    sync.WaitGroup

	lateAt  atomic.Int64          // when a note was dropped last, in milliseconds
	fault   atomic.Pointer[error] // why the disk takes nothing; nil: it does
	spare   []*Note               // of the writer: the batch before
	rows    []store.HistoryRow
	stories *rules.Stories
	buf     []byte
}

// Open opens the folder and starts the writer.
func Open(o Options) (*History, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Dropped == nil {
		o.Dropped = prometheus.NewCounter(prometheus.CounterOpts{Name: "history_dropped_total"})
	}
	h := &History{
		Options: o, wake: make(chan struct{}, 1), do: make(chan func()), reading: make(chan struct{}, readers), closing: make(chan struct{}),
	}
	h.stories = rules.NewStories(h.Mask.Text)
	h.pool.New = func() any { return &Note{} }
	var err error
	if h.local, err = openLocal(&h.Options); err != nil {
		return nil, err
	}
	old := h.local.endSegment()
	h.work.Go(func() { h.local.load(old) })
	h.work.Go(h.run)
	return h, nil
}

// Remove removes all that was kept in a folder: nothing is to be kept any more.
func Remove(dir string) error {
	files, _ := filepath.Glob(filepath.Join(dir, segmentPrefix+"*"+segmentSuffix))
	var all []error
	for _, file := range files {
		all = append(all, os.Remove(file))
	}
	return errors.Join(all...)
}

func (o *Options) report(problem string) { o.Log.Warn("history: " + problem) }

// Note returns a note to fill. It must be given to Put or to Drop.
func (h *History) Note() *Note { return h.pool.Get().(*Note) }

// Drop gives a note back that is not to be kept.
func (h *History) Drop(n *Note) {
	n.reset()
	h.pool.Put(n)
}

// Add keeps an entry. Its Text is masked here, its other words must be already.
func (h *History) Add(e Entry) {
	n := h.Note()
	n.Entry = e
	h.Put(n)
}

// Put queues a note, which is not the caller's any more. It never waits: over the bounds
// of the queue the note is dropped.
func (h *History) Put(n *Note) {
	n.take()
	h.mu.Lock()
	if len(h.pending) >= maxQueued || h.size+noteSize+len(n.text) > maxQueuedBytes {
		h.mu.Unlock()
		h.drop(1)
		h.Drop(n)
		return
	}
	h.pending = append(h.pending, n)
	h.size += noteSize + len(n.text)
	waiting := len(h.pending)
	h.mu.Unlock()
	if waiting == 1 || waiting == batchFull {
		select {
		case h.wake <- struct{}{}:
		default:
		}
	}
}

// drop counts entries that are not kept.
func (h *History) drop(entries int) {
	h.lateAt.Store(h.Now().UnixMilli())
	h.Dropped.Add(float64(entries))
}

// run writes until the history is closed and the queue is empty.
func (h *History) run() {
	expire := time.NewTicker(expireEvery)
	defer expire.Stop()
	h.tell(h.local.expire())
	for {
		select {
		case <-h.wake:
			next := h.gather()
			h.write()
			next()
		case f := <-h.do:
			h.write()
			f()
		case <-expire.C:
			h.tell(h.local.expire())
		case <-h.closing:
			h.write()
			h.tell(h.local.sync())
			h.local.close()
			return
		}
	}
}

// gather waits a moment for more notes, so that a thousand of them are one write. It
// does not keep a reader waiting: next is what is to be done after the write.
func (h *History) gather() (next func()) {
	next = func() {}
	h.mu.Lock()
	full := len(h.pending) >= batchFull
	h.mu.Unlock()
	if full {
		return next
	}
	timer := time.NewTimer(batchEvery)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-h.wake: // many wait
	case next = <-h.do:
	case <-h.closing:
	}
	return next
}

// write masks, encodes and keeps what waits.
func (h *History) write() {
	h.mu.Lock()
	notes := h.pending
	h.pending, h.size = h.spare[:0], 0
	h.mu.Unlock()
	h.rows, h.buf = h.rows[:0], h.buf[:0]
	piece := max(leastPiece, len(notes)/mostPieces)
	for i, n := range notes {
		if i%piece == piece-1 {
			runtime.Gosched()
		}
		n.finish(h.Mask, h.stories)
		from := len(h.buf)
		h.buf = n.appendTo(h.buf)
		h.rows = append(h.rows, store.HistoryRow{Session: n.Session, User: n.User, At: n.At, Data: h.buf[from:len(h.buf):len(h.buf)]})
		h.Drop(n)
	}
	clear(notes)
	h.spare = notes
	h.keep(h.rows)
	clear(h.rows)
	if cap(h.buf) > maxKeptBuffer {
		h.buf = nil
	}
}

// maxKeptBuffer is the largest buffer that is used again.
const maxKeptBuffer = 4 << 20

// keep keeps rows where the replicas share them, else here.
func (h *History) keep(rows []store.HistoryRow) {
	if len(rows) == 0 || h.share(rows) {
		return
	}
	lost, err := h.local.append(rows)
	if lost > 0 {
		h.drop(lost)
	}
	h.tell(err)
}

// tell tells once that the disk takes nothing, and once that it does again.
func (h *History) tell(err error) {
	was := h.fault.Load()
	switch {
	case err != nil:
		h.fault.Store(&err)
		if was == nil {
			h.Log.WithError(err).Error("history cannot be written: entries are lost until it can be; is the disk full?")
		}
	case was != nil:
		h.fault.Store(nil)
		h.Log.Warn("history is written again")
	}
}

// Degraded says what is wrong, nil if nothing is.
func (h *History) Degraded() (reasons []string) {
	if err := h.fault.Load(); err != nil {
		return []string{lang.Say("history cannot be written: %v", *err).String()}
	}
	if late := h.lateAt.Load(); late != 0 && h.Now().UnixMilli()-late < lateFor.Milliseconds() {
		reasons = append(reasons, lang.Text("history cannot keep up: entries were dropped within the last minute").String())
	}
	return reasons
}

// Close writes what waits, and ends. It may be called more than once.
func (h *History) Close() {
	h.once.Do(func() { close(h.closing); close(h.local.stop) })
	h.work.Wait()
}

// between has the writer do something between two batches, after all that was put
// before was written.
func (h *History) between(ctx context.Context, f func()) error {
	done := make(chan struct{})
	select {
	case h.do <- func() { f(); close(done) }:
	case <-h.closing:
		return ErrBusy
	case <-ctx.Done():
		return ErrBusy
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ErrBusy
	}
}
