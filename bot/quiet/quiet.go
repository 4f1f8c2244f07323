// Package quiet keeps a fault that comes with every callback from filling the
// log: a flood of one kind of line becomes one line with a count.
package quiet

import (
	"sync"
	"time"

	"github.com/sirupsen/logrus"
)

const (
	// every is how long lines of a kind are held back after one was written.
	every = 10 * time.Second
	// maxKinds bounds the kinds that are told apart at a time; those beyond it
	// count as one, so that a stranger who chooses the kind can neither grow the
	// map nor fill the log.
	maxKinds = 64
)

// Lines holds back lines that would come too often. The first of a kind is
// written at once. What follows within 10 s is counted, and the last of it is
// written when they are over, with the number of the others as "omitted"; so it
// goes on until 10 s have brought nothing. The zero value is ready, for several
// goroutines.
type Lines struct {
	mu     sync.Mutex
	floods map[string]*flood
}

// flood is a kind of which a line was written within the last 10 s.
type flood struct {
	held  int // lines since then
	last  *logrus.Entry
	level logrus.Level
	msg   string
}

// Log writes the line, or holds it back.
func (l *Lines) Log(kind string, line *logrus.Entry, level logrus.Level, msg string) {
	if l.hold(kind, &flood{last: line, level: level, msg: msg}) {
		return
	}
	line.Log(level, msg)
}

// hold reports whether a line has to wait, and keeps it then.
func (l *Lines) hold(kind string, line *flood) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.floods == nil {
		l.floods = map[string]*flood{}
	}
	if l.floods[kind] == nil && len(l.floods) >= maxKinds {
		kind = ""
	}
	f := l.floods[kind]
	if f == nil {
		l.floods[kind] = &flood{}
		time.AfterFunc(every, func() { l.tell(kind) })
		return false
	}
	line.held = f.held + 1
	*f = *line
	return true
}

// tell writes the last line of a kind that was held back, and forgets the kind if
// there is none.
func (l *Lines) tell(kind string) {
	l.mu.Lock()
	f := *l.floods[kind]
	if f.held == 0 {
		delete(l.floods, kind)
		l.mu.Unlock()
		return
	}
	l.floods[kind] = &flood{}
	time.AfterFunc(every, func() { l.tell(kind) })
	l.mu.Unlock()
	f.last.WithField("omitted", f.held-1).Log(f.level, f.msg)
}
