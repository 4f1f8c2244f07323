package memory

import (
	"slices"
	"strings"
	"time"

	"escalator/bot/store"
)

// recordList holds the records of one kind, also in the order in which they were put:
// that of their versions.
type recordList struct {
	kind   store.Kind
	byName map[string]*record
	busy   map[string]uint64 // names that are being put, and the versions that they will have
	ends   record            // of the order: before the first one, and behind the last
	walks  []*walk
	sweep  *walk // comes by again and again
}

// record is one record. There are half a million of them, so it is small: name and value
// are one string, and the key of the map is a piece of that.
type record struct {
	text         string // length of the name, name, value
	version      uint64
	until        int64 // Unix milliseconds; 0: for ever
	older, newer *record
}

// nameHead is how many bytes the length of a name takes.
const nameHead = 2

func newRecordList(kind store.Kind) *recordList {
	l := &recordList{kind: kind, byName: map[string]*record{}, busy: map[string]uint64{}}
	l.ends.older, l.ends.newer = &l.ends, &l.ends
	l.sweep = l.begin()
	return l
}

func textOf(r store.Record) string {
	var b strings.Builder
	b.Grow(nameHead + len(r.Name) + len(r.Value))
	b.Write([]byte{byte(len(r.Name)), byte(len(r.Name) >> 8)}) // Check bounds it
	b.WriteString(r.Name)
	b.Write(r.Value)
	return b.String()
}

func (e *record) name() string {
	return e.text[nameHead:][:int(e.text[0])|int(e.text[1])<<8]
}

// record returns a copy that is the caller's.
func (e *record) record(kind store.Kind) store.Record {
	name := e.name()
	r := store.Record{Kind: kind, Name: name, Version: e.version, Value: []byte(e.text[nameHead+len(name):])}
	if e.until != 0 {
		r.Until = time.UnixMilli(e.until)
	}
	return r
}

// add keeps r under a name that is free. It is nearly always the newest. One without a
// value is not kept.
func (l *recordList) add(r store.Record) {
	if r.Value == nil {
		return
	}
	e := &record{text: textOf(r), version: r.Version}
	if !r.Until.IsZero() {
		e.until = r.Until.UnixMilli()
	}
	e.older = l.ends.older
	for e.older.version > e.version { // of several that were begun the last one may have ended first
		e.older = e.older.older
	}
	e.newer = e.older.newer
	e.older.newer, e.newer.older = e, e
	l.byName[e.name()] = e
}

// over reports whether the time of a record is over at a time in Unix milliseconds.
func (e *record) over(now int64) bool { return e.until != 0 && e.until <= now }

// remove forgets what is kept under a name, if anything is.
func (l *recordList) remove(name string) {
	e := l.byName[name]
	if e == nil {
		return
	}
	for _, w := range l.walks {
		if w.at == e {
			w.at = e.newer
		}
	}
	e.older.newer, e.newer.older = e.newer, e.older
	delete(l.byName, name)
}

// busyUpTo reports whether one is being put that was begun before a version.
func (l *recordList) busyUpTo(version uint64) bool {
	for _, v := range l.busy {
		if v <= version {
			return true
		}
	}
	return false
}

// walk is a place in the order that stays one while records come and go.
type walk struct {
	list *recordList
	at   *record // comes next
}

func (l *recordList) begin() *walk {
	w := &walk{list: l, at: l.ends.newer}
	l.walks = append(l.walks, w)
	return w
}

// next returns the next record, behind the last one the first; there must be one.
func (w *walk) next() *record {
	if w.at == &w.list.ends {
		w.at = w.list.ends.newer
	}
	e := w.at
	w.at = e.newer
	return e
}

// walk shows the records up to a version, oldest first, and calls between now and then:
// that may let others in, and an error of it ends the walk.
func (l *recordList) walk(last uint64, show func(*record), between func() error) error {
	w := l.begin()
	defer func() { l.walks = slices.DeleteFunc(l.walks, func(other *walk) bool { return other == w }) }()
	for n := 1; w.at != &l.ends && w.at.version <= last; n++ {
		show(w.next())
		if n%recordBatch == 0 {
			if err := between(); err != nil {
				return err
			}
		}
	}
	return between()
}
