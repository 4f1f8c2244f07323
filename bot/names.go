package bot

import (
	"hash/maphash"
	"maps"
	"sync"

	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/bot/inbound"
	"escalator/bot/mask"
	"escalator/bot/notify"
)

// maxUnknownNames bounds the names of unknown events that are told apart.
const maxUnknownNames = 32

// otherName stands for all names beyond the bound.
const otherName = "other"

// nameSet tells apart the first few names that it is shown.
type nameSet struct {
	mu    sync.Mutex
	max   int
	names map[string]int // how often each was shown
}

func newNameSet(limit int) *nameSet { return &nameSet{max: limit, names: map[string]int{}} }

// add returns the label to use for name and whether it is used for the first
// time.
func (s *nameSet) add(name string) (label string, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names[name] == 0 && len(s.names) >= s.max {
		name = otherName
	}
	s.names[name]++
	return name, s.names[name] == 1
}

// counts returns how often each name was shown.
func (s *nameSet) counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.names)
}

// UnknownEvents returns how often each event, or command, came whose name we do not
// know: of the first 32 names, then under "other".
func (b *Bot) UnknownEvents() map[string]int { return b.unknown.counts() }

// noteUnknownEvent counts an event or a command whose name we do not know, and logs
// each name once: the first real run shows what to map in the rule file, or in the
// console.
func (b *Bot) noteUnknownEvent(e *desk.Event) {
	name, advice := e.Name, "unknown event: acknowledged and ignored; map it under events: in the rule file"
	if e.Command != desk.CommandSessionEvent {
		name, advice = e.Command, "unknown callback command: acknowledged and ignored; Desk's messages come as "+desk.CommandSessionEvent
	}
	label, first := b.unknown.add(mask.Clip(name))
	b.Metrics.UnknownEvents.WithLabelValues(label).Inc()
	if first {
		f := logrus.Fields{"event": label}
		for name, value := range map[string]string{"session": e.SessionID, "user": e.UserID, "request_id": e.RequestID, "mark": b.LogText.Mark(e.Mark)} {
			if value != "" {
				f[name] = mask.Clip(value)
			}
		}
		b.Log.WithFields(f).Warn(advice)
		b.tell(notify.Event{Kind: notify.UnknownEvent, Session: mask.Clip(e.SessionID), RequestID: mask.Clip(e.RequestID), Detail: label})
	}
}

// noteMissing warns of a message that belongs to no conversation. Else the day on which
// Tencent renames these fields would only be a silence: each callback is acknowledged, and
// no customer reaches a person.
func (x *exchange) noteMissing(m *inbound.Message) {
	x.Metrics.Unplaced.Inc()
	x.quiet.Log("missing "+x.Event.Command, x.Log.WithFields(logrus.Fields{
		"missing": m.Missing, "event": mask.Clip(m.Name), "request_id": mask.Clip(m.RequestID),
	}), logrus.WarnLevel, "a message names no conversation: acknowledged and ignored")
}

// maxRequests is how many RequestIDs are remembered.
const maxRequests = 10_000

// requests knows what the last RequestIDs stood for. A RequestID names one
// callback; where it names two, one of our sides is mistaken. Hashes are kept:
// what two agree on by chance is a warning more or less.
type requests struct {
	mu   sync.Mutex
	seed maphash.Seed
	keys map[uint64]uint64 // RequestID → key
	ring []uint64          // RequestIDs, the oldest at next
	next int
}

func newRequests() *requests {
	return &requests{seed: maphash.MakeSeed(), keys: make(map[uint64]uint64, maxRequests), ring: make([]uint64, 0, maxRequests)}
}

// add notes that a RequestID stands for a key, and reports whether it stood for
// another one before.
func (r *requests) add(request, key string) (other bool) {
	id, now := maphash.String(r.seed, request), maphash.String(r.seed, key)
	r.mu.Lock()
	defer r.mu.Unlock()
	if before, known := r.keys[id]; known {
		return before != now
	}
	if len(r.ring) < maxRequests {
		r.ring = append(r.ring, id)
	} else {
		delete(r.keys, r.ring[r.next])
		r.ring[r.next] = id
		r.next = (r.next + 1) % maxRequests
	}
	r.keys[id] = now
	return false
}

// noteRequest warns of a RequestID that names two callbacks. Both are handled.
func (x *exchange) noteRequest() {
	e := x.Event
	if e.RequestID == "" || !x.requests.add(e.RequestID, x.key) {
		return
	}
	x.quiet.Log("request id", x.Log.WithFields(logrus.Fields{
		"request_id": mask.Clip(e.RequestID), "session": mask.Clip(e.SessionID), "event": mask.Clip(e.Name),
	}), logrus.WarnLevel, "two callbacks came under one RequestID: both count")
}
