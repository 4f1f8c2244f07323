package messages

import (
	"maps"
	"sync"
)

// index knows who waits, so that each message of an agent need not ask the store.
// It is as new as the last look through the words. The zero value is ready.
type index struct {
	mu      sync.Mutex
	names   map[string]*Message // those who wait, by the names of their records
	pairs   map[string][]string // those of a customer and an account of the service: one customer may leave words in several sessions
	settled map[string]bool     // records whose customers have reached a person
}

func pairOf(user, service string) string { return user + "\x00" + service }

// replace takes all that wait, and nobody else.
func (x *index) replace(open []*Message) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.names, x.pairs = map[string]*Message{}, map[string][]string{}
	for _, m := range open {
		x.note(m)
	}
}

// add takes one more.
func (x *index) add(m *Message) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.names == nil {
		x.names, x.pairs = map[string]*Message{}, map[string][]string{}
	}
	x.note(m)
}

func (x *index) note(m *Message) {
	if m.State != Waiting {
		return
	}
	name, pair := Name(m.Conversation), pairOf(m.User, m.Service)
	if x.names[name] == nil {
		x.pairs[pair] = append(x.pairs[pair], name)
	}
	x.names[name] = m
}

// all returns those who wait.
func (x *index) all() map[string]*Message {
	x.mu.Lock()
	defer x.mu.Unlock()
	return maps.Clone(x.names)
}

func (x *index) waiting() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.names)
}

// reached notes that a customer is with a person, and reports whether that one waits.
func (x *index) reached(conversation, user, service string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.names) == 0 {
		return false
	}
	some := false
	for _, n := range append([]string{Name(conversation)}, x.pairs[pairOf(user, service)]...) {
		if x.names[n] != nil {
			if x.settled == nil {
				x.settled = map[string]bool{}
			}
			x.settled[n], some = true, true
		}
	}
	return some
}

// takeReached returns those that reached noted, once.
func (x *index) takeReached() (names []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for n := range x.settled {
		names = append(names, n)
		delete(x.names, n)
	}
	x.settled = nil
	return names
}
