package app

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/sirupsen/logrus"
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
	lines := &lineFormat{Formatter: &logrus.JSONFormatter{TimestampFormat: time.RFC3339Nano, DisableHTMLEscape: true}}
	if format != "json" {
		// Quoting stays on: what a stranger sends must not look like a line of ours.
		lines.Formatter = &logrus.TextFormatter{
			FullTimestamp: true, TimestampFormat: "15:04:05.000", QuoteEmptyFields: true, ForceColors: format == "color", DisableColors: format != "color",
		}
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
