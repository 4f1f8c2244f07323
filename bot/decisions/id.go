package decisions

import (
	"crypto/rand"
	"hash/fnv"
	"sync/atomic"
	"time"

	"escalator/bot/history"
)

// An id is a time in microseconds and a tag, both in base 32: the text order of ids is
// that of time. It needs no escaping in a path.
const (
	digits   = "0123456789abcdefghijklmnopqrstuv"
	timeLen  = 11 // digits of the time: enough until the year 3000
	tagLen   = 5
	idLen    = timeLen + 1 + tagLen
	tagSpace = 1 << (5 * tagLen)
)

// ids makes the ids of one process.
type ids struct {
	tag  string // tells processes apart
	last atomic.Int64
}

func newTag() string {
	var b [tagLen]byte
	_, _ = rand.Read(b[:]) // it never fails
	for i := range b {
		b[i] = digits[b[i]%32]
	}
	return string(b[:])
}

// next returns an id that is greater than all before it.
func (i *ids) next(now time.Time) string {
	stamp := now.UnixMicro()
	for {
		last := i.last.Load()
		stamp = max(stamp, last+1)
		if i.last.CompareAndSwap(last, stamp) {
			return idOf(stamp, i.tag)
		}
	}
}

func idOf(stamp int64, tag string) string {
	var b [idLen]byte
	base32(b[:timeLen], uint64(max(0, stamp)))
	b[timeLen] = '-'
	copy(b[timeLen+1:], tag)
	return string(b[:])
}

func base32(b []byte, n uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = digits[n%32]
		n /= 32
	}
}

// timeOf returns the time in an id, and false for what is none.
func timeOf(id string) (at time.Time, ok bool) {
	if len(id) != idLen || id[timeLen] != '-' {
		return at, false
	}
	stamp := int64(0)
	for i := range idLen {
		n := valueOf(id[i])
		switch {
		case i == timeLen:
		case n < 0:
			return at, false
		case i < timeLen:
			stamp = stamp*32 + n
		}
	}
	return time.UnixMicro(stamp), true
}

func valueOf(c byte) int64 {
	switch {
	case c >= '0' && c <= '9':
		return int64(c - '0')
	case c >= 'a' && c <= 'v':
		return int64(c-'a') + 10
	}
	return -1
}

// quietID is the id of a turn in the history of which no decision was kept: always the
// same one, so that it can be labelled too.
func quietID(e *history.Entry) string {
	h := fnv.New64a()
	for _, s := range []string{e.Session, e.RequestID, e.Role, e.Event, e.Text} {
		_, _ = h.Write([]byte(s)) // it never fails
		_, _ = h.Write([]byte{0})
	}
	var tag [tagLen]byte
	base32(tag[:], h.Sum64()%tagSpace)
	return idOf(e.At.UnixMicro(), string(tag[:]))
}
