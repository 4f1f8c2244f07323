package app

import (
	"context"
	"fmt"
	"io"
	stdlog "log" //nolint:depguard // not to write to it, but to take over what libraries write
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/sirupsen/logrus"

	"escalator/rules/text"
)

// Log is the log of a running service. Who logs never waits for who reads it.
type Log struct {
	*logrus.Logger
	queue *logQueue
}

// NewLog returns a log that writes to w: "json", one line per event, or for
// people "text" or "color". Close ends it.
func NewLog(w io.Writer, level, format string) (*Log, error) {
	lvl, err := logrus.ParseLevel(level)
	if err != nil {
		return nil, fmt.Errorf("log level: %w", err)
	}
	l := &Log{Logger: logrus.New()}
	l.SetLevel(lvl)
	lines := &lineFormat{Formatter: &jsonLines{logrus.JSONFormatter{TimestampFormat: time.RFC3339Nano, DisableHTMLEscape: true}}}
	if format != "json" {
		// Quoting stays on: what a stranger sends must not look like a line of ours.
		lines.Formatter = &forPeople{logrus.TextFormatter{
			FullTimestamp: true, TimestampFormat: "2006-01-02 15:04:05.000 -0700", QuoteEmptyFields: true, ForceColors: format == "color", DisableColors: format != "color",
		}}
	}
	l.queue = newLogQueue(w, func(n uint64) []byte {
		line := l.WithField("lines", n)
		line.Time, line.Level, line.Message = time.Now(), logrus.WarnLevel, "log lines were dropped while the log's reader stalled"
		return lines.bytes(line)
	})
	lines.queue = l.queue
	l.SetFormatter(lines)
	l.SetOutput(io.Discard) // the lines have gone to the queue
	return l, nil
}

// Close writes what waits, and ends the log. A reader that has stalled is left
// when ctx ends.
func (l *Log) Close(ctx context.Context) { l.queue.close(ctx) }

// Degraded says what is wrong with the log's reader, nil if nothing is: that it
// reads no more, or that lines were dropped within the last minute.
func (l *Log) Degraded() []string { return l.queue.degraded() }

// Dropped returns how many lines were dropped since the start.
func (l *Log) Dropped() uint64 { return l.queue.lost() }

// Adopt takes over what libraries write to a log of their own, as debug lines:
// left alone they write to standard error, and wait there for who reads it.
func (l *Log) Adopt() {
	stdlog.SetFlags(0)
	stdlog.SetOutput(libraries{l})
	goredis.SetLogger(libraries{l})
}

// libraries is a log as libraries ask for it.
type libraries struct{ log *Log }

// Write implements io.Writer, for net/http.
func (l libraries) Write(p []byte) (int, error) {
	l.log.WithField("text", strings.TrimSpace(string(p))).Debug("from a library")
	return len(p), nil
}

// Printf implements the logging of go-redis.
func (l libraries) Printf(_ context.Context, format string, v ...any) {
	if l.log.IsLevelEnabled(logrus.DebugLevel) {
		_, _ = fmt.Fprintf(l, format, v...)
	}
}

// forPeople is text. In colour logrus quotes values only: a message that quotes a
// file, say, must not command the terminal either.
type forPeople struct{ logrus.TextFormatter }

// Format implements logrus.Formatter.
func (f *forPeople) Format(e *logrus.Entry) ([]byte, error) {
	if f.ForceColors {
		shown := *e
		shown.Message = text.Printable(e.Message)
		e = &shown
	}
	return f.TextFormatter.Format(e)
}

// lineFormat gives each line to the queue, which has to know how urgent it is; an
// io.Writer would not be told. It leaves nothing to write to logrus, whose lock
// and whose complaints on standard error would wait for the reader.
type lineFormat struct {
	logrus.Formatter
	queue *logQueue
}

// Format implements logrus.Formatter.
func (f *lineFormat) Format(e *logrus.Entry) ([]byte, error) {
	f.queue.put(f.bytes(e), e.Level <= logrus.WarnLevel)
	return nil, nil
}

// bytes returns the line. One that cannot be written as it is says so in its place.
func (f *lineFormat) bytes(e *logrus.Entry) []byte {
	line, err := f.Formatter.Format(e)
	if err != nil {
		e.Data = logrus.Fields{"format_error": err.Error()}
		line, _ = f.Formatter.Format(e) // texts only
	}
	return line
}
