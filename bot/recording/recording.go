// Package recording keeps accepted callbacks as JSON lines that `escalator
// replay` reads: {"at":"RFC 3339","query":"…","body":{…}}, with "bot_failed_us"
// where the bot behind the service failed the callback after that time; and what Desk
// said of its agents and its queue: {"at":"RFC 3339","desk":{…}}.
//
// Invariants:
//
//   - A callback never waits for the disk: what the writer cannot keep up with, or
//     the disk does not take, is dropped and counted.
//   - A folder that is removed is made anew, and that is told.
//   - No signature is written, and customers' words only as masked as the log's.
//   - A file holds an hour or maxFile bytes at most. It is removed after its time,
//     or before, the oldest first, where all of them would exceed Options.Max.
package recording

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot/mask"
	"escalator/bot/quiet"
	"escalator/rules"
)

const (
	// queueLength and queueBytes bound the callbacks that wait to be written.
	queueLength = 4096
	queueBytes  = 16 << 20
	// maxFile is where a new file begins before the hour is over.
	maxFile = 64 << 20
	// leastFiles is how many files share Options.Max: what is removed at a time is a
	// small part of it.
	leastFiles = 8
	// Lines sit in a buffer for flushEvery at most, and until it is full.
	flushEvery = time.Second
	bufferFull = 64 << 10
	// What stands around the time in the names of files; so they sort by it.
	filePrefix, fileSuffix = "callbacks-", ".jsonl"
)

// Options says where, how masked, and for how long.
type Options struct {
	Dir  string
	Mask mask.Mode
	Keep time.Duration
	Max  int64 // bytes of all files; 0: no bound
	Log  *logrus.Logger
	Now  func() time.Time // nil: time.Now
	// Errors counts the callbacks that could not be recorded; nil: nobody asks.
	Errors prometheus.Counter
}

// Writer records callbacks.
type Writer struct {
	Options
	queue   chan entry
	waiting atomic.Int64 // bytes in the queue
	closing chan struct{}
	dropped atomic.Int64
	work    sync.WaitGroup
	once    sync.Once
	quiet   quiet.Lines

	file   *os.File
	buffer []byte // whole lines that are not in the file yet
	size   int    // of the file, with the buffer
	hour   time.Time
}

type entry struct {
	at     time.Time
	query  string
	body   []byte
	failed time.Duration
	desk   *rules.Reading // what Desk said, instead of a callback
}

// Open makes the folder and starts the writer.
func Open(o Options) (*Writer, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder for recordings: %w", err)
	}
	if o.Errors == nil {
		o.Errors = prometheus.NewCounter(prometheus.CounterOpts{Name: "recording_errors_total"})
	}
	w := &Writer{Options: o, queue: make(chan entry, queueLength), closing: make(chan struct{})}
	w.work.Go(w.run)
	return w, nil
}

// Record queues one callback; failed says after how long the bot behind us had
// failed it, 0 if it had not. The body must not be changed afterwards.
func (w *Writer) Record(at time.Time, query string, body []byte, failed time.Duration) {
	w.put(entry{at: at, query: query, body: body, failed: failed})
}

// RecordDesk queues what Desk said of its agents and its queue.
func (w *Writer) RecordDesk(at time.Time, told *rules.Reading) { w.put(entry{at: at, desk: told}) }

func (w *Writer) put(e entry) {
	if w.waiting.Add(e.size()) <= queueBytes {
		select {
		case w.queue <- e:
			return
		default:
		}
	}
	w.waiting.Add(-e.size())
	w.dropped.Add(1)
	w.Errors.Inc()
}

func (e *entry) size() int64 { return int64(len(e.query) + len(e.body)) }

// Close writes what is queued and ends; what comes later is not recorded. Faults
// are in the log.
func (w *Writer) Close() {
	w.once.Do(func() { close(w.closing) })
	w.work.Wait()
}

// run writes until the writer is closed and the queue is empty.
func (w *Writer) run() {
	flush := time.NewTicker(flushEvery)
	defer flush.Stop()
	told := int64(0)
	for {
		select {
		case e := <-w.queue:
			w.write(e)
		case <-w.closing:
			w.drain()
			w.endFile()
			return
		case <-flush.C:
			w.flush()
			if n := w.dropped.Load(); n > told {
				w.quiet.Log("late", w.Log.WithField("callbacks_since_start", n), logrus.WarnLevel, "recording cannot keep up: callbacks were not recorded")
				told = n
			}
		}
	}
}

// drain writes what is left in the queue.
func (w *Writer) drain() {
	for {
		select {
		case e := <-w.queue:
			w.write(e)
		default:
			return
		}
	}
}

// line is the entry as the file has it.
func (e *entry) line(m mask.Mode) ([]byte, error) {
	if e.desk != nil {
		return json.Marshal(struct {
			At   time.Time      `json:"at"`
			Desk *rules.Reading `json:"desk"`
		}{e.at, e.desk})
	}
	return json.Marshal(struct {
		At    time.Time       `json:"at"`
		Query string          `json:"query"`
		Body  json.RawMessage `json:"body"`
		// Readers that do not know the field see a callback like any other.
		BotFailedUS int64 `json:"bot_failed_us,omitempty"`
	}{e.at, keptQuery(e.query, m), maskBody(e.body, m), e.failed.Microseconds()})
}

// write adds one line to the buffer, for a new file where it is due.
func (w *Writer) write(e entry) {
	w.waiting.Add(-e.size())
	line, err := e.line(w.Mask)
	if err != nil {
		w.lost(1, fmt.Errorf("encoding a callback: %w", err))
		return
	}
	if hour := e.at.Truncate(time.Hour); !hour.Equal(w.hour) || int64(w.size+len(line)) > w.fileLimit() {
		w.endFile()
		w.hour = hour
	}
	w.buffer = append(append(w.buffer, line...), '\n')
	w.size += len(line) + 1
	if len(w.buffer) >= bufferFull {
		w.flush()
	}
}

// flush writes the buffer, to a file of its own if there is none or the folder was
// removed below us. What the disk does not take is lost.
func (w *Writer) flush() {
	if len(w.buffer) == 0 {
		return
	}
	rest := w.buffer
	err := w.findFile()
	if err == nil {
		var n int
		n, err = w.file.Write(rest)
		rest = rest[n:]
	}
	w.buffer = w.buffer[:0]
	if err != nil {
		w.lost(bytes.Count(rest, []byte("\n")), err)
		w.endFile() // the next lines begin a new one
	}
}

// lost tells of callbacks that are not recorded.
func (w *Writer) lost(callbacks int, err error) {
	w.Errors.Add(float64(callbacks))
	w.quiet.Log("fault", w.Log.WithError(err), logrus.ErrorLevel, "recording failed")
}

// findFile begins a file where there is none, or none any more: a process may go
// on writing to a file that was removed, and nobody would ever read it.
func (w *Writer) findFile() error {
	if w.file != nil {
		ours, err := w.file.Stat()
		if err == nil {
			var there os.FileInfo
			if there, err = os.Stat(w.file.Name()); err == nil && os.SameFile(ours, there) {
				return nil
			}
		}
		w.quiet.Log("removed", w.Log.WithField("file", w.file.Name()), logrus.WarnLevel, "the file of the recordings was removed: another one is begun")
		_ = w.file.Close() // it is gone
		w.file = nil
	}
	if err := os.MkdirAll(w.Dir, 0o700); err != nil {
		return fmt.Errorf("making the folder for recordings: %w", err)
	}
	w.expire()
	name := filepath.Join(w.Dir, filePrefix+w.Now().UTC().Format("20060102T150405.000000000")+fileSuffix)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator names the folder
	if err != nil {
		return fmt.Errorf("beginning a file: %w", err)
	}
	w.file, w.size = f, len(w.buffer)
	return nil
}

// endFile writes what is left and closes the file.
func (w *Writer) endFile() {
	w.flush()
	if w.file == nil {
		return
	}
	if err := w.file.Close(); err != nil {
		w.lost(0, err)
	}
	w.file, w.size = nil, 0
}

// fileLimit is how large a file may become, in bytes.
func (w *Writer) fileLimit() int64 {
	if w.Max == 0 {
		return maxFile
	}
	return min(maxFile, w.Max/leastFiles)
}

// expire removes the files whose time is over, and the oldest where there is no
// room for another one. The name says when a file was begun.
func (w *Writer) expire() {
	files, _ := filepath.Glob(filepath.Join(w.Dir, filePrefix+"*"+fileSuffix))
	room := w.Max - w.fileLimit()
	for _, file := range slices.Backward(files) { // the newest first
		stamp := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), filePrefix), fileSuffix)
		began, err := time.Parse("20060102T150405", stamp)
		if err != nil {
			continue // none of ours
		}
		if there, err := os.Stat(file); err == nil {
			room -= there.Size()
		}
		if w.Now().Sub(began) > w.Keep+time.Hour || w.Max > 0 && room < 0 {
			if err := os.Remove(file); err != nil {
				w.lost(0, fmt.Errorf("removing an old file: %w", err))
			}
		}
	}
}
