package app

import (
	"fmt"
	"io"
	"time"

	"github.com/sirupsen/logrus"
)

// NewLogger returns the log of a running service: one JSON line per event, or
// text for people.
func NewLogger(w io.Writer, level, format string) (*logrus.Logger, error) {
	lvl, err := logrus.ParseLevel(level)
	if err != nil {
		return nil, fmt.Errorf("log level: %w", err)
	}
	l := logrus.New()
	l.SetOutput(w)
	l.SetLevel(lvl)
	l.SetFormatter(&logrus.JSONFormatter{TimestampFormat: time.RFC3339Nano, DisableHTMLEscape: true})
	if format == "text" {
		// Quoting stays on: what a stranger sends must not look like a line of ours.
		l.SetFormatter(&logrus.TextFormatter{FullTimestamp: true, TimestampFormat: "15:04:05.000", QuoteEmptyFields: true})
	}
	return l, nil
}
