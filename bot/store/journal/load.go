package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

// loaded is what the segments of a folder come to.
type loaded struct {
	state    map[string]record // by what and key
	base     int64             // the segment before which nothing counts
	last     position          // where the next segment goes on
	logged   int64             // bytes since all was written anew
	erase    bool              // it holds what somebody had removed
	problems []problem
}

// record is a value, and the segment that it stands in.
type record struct {
	value   []byte
	segment int64
}

// problem is what is wrong with a file.
type problem struct{ name, text string }

func (l *loaded) note(name, format string, args ...any) {
	l.problems = append(l.problems, problem{name, fmt.Sprintf(format, args...)})
}

// load reads a folder, and changes nothing in it.
func load(in folder) (*loaded, error) {
	names, err := in.names()
	if err != nil {
		return nil, err
	}
	l := &loaded{state: map[string]record{}}
	segments := segmentsIn(names)
	for i, n := range segments {
		limit := int64(unknown)
		if i < len(segments)-1 {
			limit = endBefore(in, segments[i+1], n)
		}
		l.last = position{n, l.readSegment(in, n, limit)}
	}
	for _, n := range segments {
		if before := n - 1; before >= l.base && !slices.Contains(segments, before) && endBefore(in, n, before) > 0 {
			l.note(segmentName(before), "it is missing")
		}
	}
	if l.last.end > 0 { // what a process that was killed had written and not synced counts from now on
		if err := in.sync(segmentName(l.last.segment)); err != nil {
			l.note(segmentName(l.last.segment), "it cannot be synced: %v", err)
		}
	}
	return l, nil
}

// readSegment reads one up to where the next one goes on: all of it was on disk then.
func (l *loaded) readSegment(in folder, number, limit int64) (end int64) {
	name := segmentName(number)
	if limit != unknown {
		if end = l.read(in, number, limit, limit); end < limit {
			l.note(name, "%d bytes at its end are missing", limit-end)
		}
		return end
	}
	certain := int64(0)
	_, _ = scan(in, name, math.MaxInt64, unknown, func(payload []byte) { // read tells of errors
		if key, value, _, err := nextEntry(payload); err == nil && key[0] == ofSynced {
			certain = number0(value)
		}
	})
	return l.read(in, number, math.MaxInt64, certain)
}

// headerSize is more than the first frame of a segment has.
const headerSize = 64

// endBefore returns where a segment says that the one before it ends.
func endBefore(in folder, number, before int64) (end int64) {
	end = unknown
	_, _ = scan(in, segmentName(number), headerSize, 0, func(payload []byte) {
		key, value, _, err := nextEntry(payload)
		if err == nil && key[0] == ofSegment && len(value) == 16 && number0(value) == before {
			end = number0(value[8:])
		}
	})
	return end
}

// read takes up what a segment holds, and returns where that ends.
func (l *loaded) read(in folder, number, limit, certain int64) (end int64) {
	changes, name := 0, segmentName(number)
	r, err := scan(in, name, limit, certain, func(payload []byte) {
		changes++
		l.logged += int64(len(payload))
		for len(payload) > 0 {
			key, value, rest, err := nextEntry(payload)
			if err != nil || key[0] == ofSegment && string(key[1:]) != format {
				l.note(name, "%v", errEntry)
				return
			}
			l.take(key, value, number)
			payload = rest
		}
	})
	if err != nil {
		l.note(name, "it cannot be read beyond byte %d: %v", r.end, err)
	}
	if r.lost > 0 {
		l.note(name, "%d bytes of it cannot be read; the rest, %d changes, is in use", r.lost, changes)
	}
	if err == nil && limit > 0 && changes == 0 && r.lost == 0 && !r.torn {
		l.note(name, "it is empty: it was cut")
	}
	if r.torn {
		l.note(name, "what follows byte %d was not written whole: a loss of power leaves that, and nothing of it was promised; or the file was cut; the rest, %d changes, is in use", r.end, changes)
	}
	return r.end
}

func (l *loaded) take(key, value []byte, segment int64) {
	switch k := string(key); {
	case key[0] == ofBase:
		l.base, l.logged, l.erase = number0(value), 0, false
		for k, r := range l.state {
			if r.segment < l.base {
				delete(l.state, k)
			}
		}
	case !slices.Contains([]byte{ofConversation, ofCallback, ofTransfer, ofRecord}, key[0]):
	case value == nil:
		delete(l.state, k)
		l.erase = l.erase || key[0] == ofRecord && personal(k[1:])
	case key[0] == ofCallback && len(value) == answerHead && len(l.state[k].value) > answerHead: // it was answered, and that stays so
		l.state[k] = record{l.state[k].value, segment}
	default:
		l.state[k] = record{bytes.Clone(value), segment}
	}
}

// restored is what is handed over to memory.
type restored struct {
	conversations map[string]*rules.Conversation
	answers       map[memory.Key][]byte
	records       []store.Record
}

// takeUp puts the transfers into the index, and keeps the rest for Live.
func (s *Store) takeUp(l *loaded) {
	s.left = restored{conversations: map[string]*rules.Conversation{}, answers: map[memory.Key][]byte{}}
	latest := int64(0) // by the clock of the process that kept it: nobody knows how it was set since
	for key, r := range l.state {
		if key[0] == ofCallback {
			latest = max(latest, number0(r.value))
		}
	}
	pending := map[string]bool{}
	for key, r := range l.state {
		id, err := key[1:], error(nil)
		switch key[0] {
		case ofTransfer:
			pending[id], err = s.takeUpTransfer(id, r.value)
		case ofConversation:
			c := new(rules.Conversation)
			if err = c.UnmarshalBinary(r.value); err == nil {
				s.left.conversations[id] = c
			}
		case ofCallback:
			if s.keepAnswers == 0 || number0(r.value) >= latest-s.keepAnswers.Milliseconds() {
				err = s.takeUpAnswer(id, r.value)
			}
		case ofRecord:
			var record store.Record
			if record, err = readRecord(id, r.value); err == nil {
				s.left.records = append(s.left.records, record)
			}
		}
		if err != nil {
			s.report(fmt.Sprintf("the record of %q cannot be read: %v", id, err), s.dir)
		}
		delete(l.state, key) // a million of them need not be there twice
	}
	for id, c := range s.left.conversations {
		if c.Phase() == rules.PhaseTransferring && !pending[id] {
			// The process ended between Desk's answer and the next commit: the
			// outbox says that the transfer is over. Most likely Desk has the
			// customer; that is old news, so that the next request asks Desk.
			c.Observe(rules.EventWithHuman, c.Seen().Add(-time.Hour), time.Time{})
		}
	}
}

// takeUpTransfer reports whether it is pending. One that cannot be read stays in the
// log: another version may know better.
func (s *Store) takeUpTransfer(id string, value []byte) (pending bool, err error) {
	t := &store.Transfer{}
	if err = json.Unmarshal(value, t); err == nil {
		err = t.Check()
	}
	if err == nil && t.ID != id {
		err = errors.New("it stands under another id")
	}
	if err != nil {
		s.transfers[id] = kept{value: value}
		return false, err
	}
	s.transfers[id] = kept{t.Episode, value}
	t.Clamp(s.now()) // the clock may have been set back meanwhile
	t.OutcomeUnknown = t.OutcomeUnknown || t.State != store.GivenUp
	s.index.Insert(t)
	return t.State == store.Pending, nil
}

// The value of a callback begins with when it was counted, in Unix milliseconds, and
// whether an answer follows.
const (
	answerHead  = 9
	answerKnown = 'a'
	answerNone  = 'n'
)

func appendAnswer(b []byte, at int64, answer []byte) []byte {
	b = append(b, numbers(at)...)
	if answer == nil {
		return append(b, answerNone)
	}
	return append(append(b, answerKnown), answer...)
}

func (s *Store) takeUpAnswer(id string, value []byte) error {
	if len(value) < answerHead || len(id) != len(memory.Key{}) {
		return errEntry
	}
	var answer []byte
	if value[answerHead-1] == answerKnown {
		answer = value[answerHead:]
	}
	s.left.answers[memory.Key([]byte(id))] = answer
	return nil
}

// number0 is the first number of a value, 0 where there is none.
func number0(value []byte) int64 {
	if len(value) < 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(value))
}
