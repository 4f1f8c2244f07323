// Package recording keeps accepted callbacks as JSON lines that `escalator
// replay` reads: {"at":"RFC 3339","query":"…","body":{…}}, with "bot_failed_us"
// where the bot behind the service failed the callback after that time.
//
// Invariants:
//
//   - A callback never waits for the disk: what the writer cannot keep up with
//     is dropped and counted.
//   - No signature is written, and customers' words only as masked as the log's.
//   - A file holds an hour or maxFile bytes at most and is removed after its
//     time.
package recording

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/mask"
	"escalator/bot/quiet"
)

const (
	// queueLength bounds the callbacks that wait to be written.
	queueLength = 4096
	// maxFile is where a new file begins before the hour is over.
	maxFile = 64 << 20
	// flushEvery is how long a line may sit in the buffer.
	flushEvery = time.Second
	// filePattern names the files; they sort by time.
	filePrefix, fileSuffix = "callbacks-", ".jsonl"
)

// Options says where, how masked, and for how long.
type Options struct {
	Dir  string
	Mask mask.Mode
	Keep time.Duration
	Log  *logrus.Logger
	Now  func() time.Time // nil: time.Now
}

// Writer records callbacks.
type Writer struct {
	Options
	queue   chan entry
	closing chan struct{}
	dropped atomic.Int64
	work    sync.WaitGroup
	once    sync.Once
	quiet   quiet.Lines

	file   *os.File
	buffer *bufio.Writer
	size   int
	hour   time.Time
}

type entry struct {
	at     time.Time
	query  string
	body   []byte
	failed time.Duration
}

// Open makes the folder and starts the writer.
func Open(o Options) (*Writer, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder for recordings: %w", err)
	}
	w := &Writer{Options: o, queue: make(chan entry, queueLength), closing: make(chan struct{})}
	w.work.Go(w.run)
	return w, nil
}

// Record queues one callback; failed says after how long the bot behind us had
// failed it, 0 if it had not. The body must not be changed afterwards.
func (w *Writer) Record(at time.Time, query string, body []byte, failed time.Duration) {
	select {
	case w.queue <- entry{at, query, body, failed}:
	default:
		w.dropped.Add(1)
	}
}

// Close writes what is queued and ends; what comes later is not recorded.
func (w *Writer) Close() error {
	w.once.Do(func() { close(w.closing) })
	w.work.Wait()
	return w.endFile()
}

// run writes until the writer is closed and the queue is empty.
func (w *Writer) run() {
	flush := time.NewTicker(flushEvery)
	defer flush.Stop()
	for {
		select {
		case e := <-w.queue:
			w.complain(w.write(e))
		case <-w.closing:
			w.drain()
			return
		case <-flush.C:
			if w.buffer != nil {
				w.complain(w.buffer.Flush())
			}
			if n := w.dropped.Swap(0); n > 0 {
				w.quiet.Log("late", w.Log.WithField("callbacks", n), logrus.WarnLevel, "recording cannot keep up: callbacks were not recorded")
			}
		}
	}
}

// drain writes what is left in the queue.
func (w *Writer) drain() {
	for {
		select {
		case e := <-w.queue:
			w.complain(w.write(e))
		default:
			return
		}
	}
}

// complain logs a fault of the disk and begins a new file with the next line.
func (w *Writer) complain(err error) {
	if err == nil {
		return
	}
	w.quiet.Log("fault", w.Log.WithError(err), logrus.ErrorLevel, "recording failed")
	_ = w.endFile()
}

// write appends one line, in a new file where it is due.
func (w *Writer) write(e entry) error {
	line, err := json.Marshal(struct {
		At    time.Time       `json:"at"`
		Query string          `json:"query"`
		Body  json.RawMessage `json:"body"`
		// Readers that do not know the field see a callback like any other.
		BotFailedUS int64 `json:"bot_failed_us,omitempty"`
	}{e.at, withoutSecrets(e.query), maskBody(e.body, w.Mask), e.failed.Microseconds()})
	if err != nil {
		return fmt.Errorf("encoding a callback: %w", err)
	}
	if hour := e.at.Truncate(time.Hour); w.file == nil || !hour.Equal(w.hour) || w.size+len(line) > maxFile {
		if err := w.nextFile(e.at); err != nil {
			return err
		}
		w.hour = hour
	}
	w.size += len(line) + 1
	if _, err := w.buffer.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing a callback: %w", err)
	}
	return nil
}

// nextFile ends the file and begins another; old ones are removed.
func (w *Writer) nextFile(at time.Time) error {
	if err := w.endFile(); err != nil {
		return err
	}
	w.expire()
	name := filepath.Join(w.Dir, filePrefix+at.UTC().Format("20060102T150405.000000000")+fileSuffix)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator names the folder
	if err != nil {
		return fmt.Errorf("beginning a file: %w", err)
	}
	w.file, w.buffer, w.size = f, bufio.NewWriterSize(f, 64<<10), 0
	return nil
}

func (w *Writer) endFile() error {
	if w.file == nil {
		return nil
	}
	err := errors.Join(w.buffer.Flush(), w.file.Close())
	w.file, w.buffer = nil, nil
	return err
}

// expire removes the files whose time is over. The name says when they began.
func (w *Writer) expire() {
	files, _ := filepath.Glob(filepath.Join(w.Dir, filePrefix+"*"+fileSuffix))
	for _, file := range files {
		stamp := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), filePrefix), fileSuffix)
		began, err := time.Parse("20060102T150405", stamp)
		if err == nil && w.Now().Sub(began) > w.Keep+time.Hour {
			w.complain(os.Remove(file))
		}
	}
}

// withoutSecrets takes the signature out of a query.
func withoutSecrets(query string) string {
	kept := ""
	for piece := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(piece, "=")
		if plain, err := url.QueryUnescape(name); err != nil || strings.EqualFold(plain, "Sign") {
			continue
		}
		if kept != "" {
			kept += "&"
		}
		kept += piece
	}
	return kept
}
