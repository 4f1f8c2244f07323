package bot

import (
	"context"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"escalator/bot/desk"
	"escalator/rules"
)

const (
	// maxLinks bounds what is remembered of who has which conversation.
	maxLinks = 200_000
	// maxHeard bounds the messages that plain IM told lately and Desk may tell
	// yet, of all conversations and of one.
	maxHeard, maxHeardOfOne = 16_384, 8
	// sameWithin is how far apart the two callbacks of one message may come.
	sameWithin = time.Minute
)

// links knows which conversations of plain IM and which Desk sessions are one
// and the same, so that a message of which both kinds of callback tell counts
// once and a Desk session has one transfer. Where IM spoke first, the Desk
// session is counted into the conversation that is there; where Desk tells of a
// conversation, IM's callbacks count for nothing any more.
//
// The newest are kept, in two generations: when one is full it becomes the old
// one. What is forgotten costs no more than a call to Desk, which refuses to
// transfer a session twice.
type links struct {
	mu       sync.Mutex
	now, old map[string]*link
	im       bool     // some conversation began in plain IM; most installations never see one
	lately   []*heard // in the order in which they came
}

// link is one conversation, known by its id and by its Desk sessions.
type link struct {
	id    string // empty: Desk told of it first, each session is a conversation
	told  bool   // Desk tells us of it
	born  time.Time
	heard []*heard
}

// deskOnly stands for all conversations of which Desk told first.
var deskOnly = &link{told: true}

// heard is a message that plain IM told before Desk did.
type heard struct {
	of    *link
	kind  rules.TurnKind
	acted bool   // it led to something, so that no robot must answer it
	key   uint64 // hashes: what is remembered of many should be small
	text  uint64
	at    time.Time
}

var heardSeed = maphash.MakeSeed()

// hashOf is 0 for no text at all.
func hashOf(s string) uint64 {
	if s == "" {
		return 0
	}
	return maphash.String(heardSeed, s)
}

// pairID names the conversation of a customer with an account of the service.
func pairID(user, service string) string {
	if user == "" || service == "" {
		return ""
	}
	return imPrefix + user + "|" + service
}

// sessionKey is where a link is found by a Desk session.
func sessionKey(session string) string { return "desk:" + session }

// session says what a callback of Desk does to which conversation. A message
// that plain IM told before does nothing again: before is that message.
func (l *links) session(policy *rules.Policy, e *desk.Event, at time.Time) (s step, known bool, before *heard) {
	s, known = understand(policy, e)
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.fromDesk(e)
	if k == nil {
		return s, known, nil
	}
	e.Conversation = k.id
	switch {
	case s.turn == nil:
	case s.turn.Kind == rules.StartTurn && at.Sub(k.born) < sameWithin: // it began with a message that we have counted
		k.born = time.Time{} // the next session is another one
		return step{}, known, nil
	case s.turn.Kind == rules.StartTurn:
		k.heard = nil
	default:
		if before = k.hear(s.turn.Kind, e, at); before != nil {
			return step{}, known, before
		}
	}
	return s, known, nil
}

// fromDesk notes that Desk tells of a conversation, and returns it if it began
// in plain IM.
func (l *links) fromDesk(e *desk.Event) *link {
	pair := pairID(e.UserID, e.ServiceID)
	k := l.find(pair)
	if k == nil && pair != "" {
		l.put(pair, deskOnly)
	}
	if !l.im || e.SessionID == "" {
		return nil
	}
	key := sessionKey(e.SessionID)
	if k == nil || k == deskOnly {
		k = l.find(key) // a look-up before a transfer may have told us
	} else {
		l.put(key, k)
	}
	if k != nil {
		k.told = true
	}
	return k
}

// message says what a message of plain IM does to which conversation; nothing
// where Desk itself tells of it.
func (l *links) message(e *desk.Event, at time.Time) step {
	s, user, service := direct(e)
	if s.empty() || ours(e) {
		return step{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	id := pairID(user, service)
	k := l.find(id)
	if k == nil {
		k = l.begin(id, at)
	}
	if k.told {
		return step{}
	}
	e.UserID, e.ServiceID, e.Conversation = user, service, id
	if s.turn != nil {
		s.heard = &heard{of: k, kind: s.turn.Kind, key: hashOf(e.MsgKey), text: hashOf(e.Text), at: at}
		l.remember(s.heard)
	}
	return s
}

// remember keeps a message for as long as Desk may tell of it too.
func (l *links) remember(h *heard) {
	for len(l.lately) > 0 && (len(l.lately) >= maxHeard || h.at.Sub(l.lately[0].at) > sameWithin) {
		l.lately[0].forget()
		l.lately[0] = nil
		l.lately = l.lately[1:]
	}
	l.lately = append(l.lately, h)
	k := h.of
	if len(k.heard) >= maxHeardOfOne {
		k.heard[0].forget()
	}
	k.heard = append(k.heard, h)
}

// forget takes a message from its conversation.
func (h *heard) forget() {
	k := h.of
	if k.heard = slices.DeleteFunc(k.heard, func(other *heard) bool { return other == h }); len(k.heard) == 0 {
		k.heard = nil
	}
}

// begin notes a conversation of plain IM.
func (l *links) begin(id string, at time.Time) *link {
	k := &link{id: id, born: at}
	l.im = true
	l.put(id, k)
	return k
}

// restore notes a conversation, or a transfer, that was there before a restart.
func (l *links) restore(id, session string) {
	if !strings.HasPrefix(id, imPrefix) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.find(id)
	if k == nil {
		k = l.begin(id, time.Time{})
	}
	if session != "" && k != deskOnly {
		l.put(sessionKey(session), k)
	}
}

// recallLinks takes note of the transfers of plain IM that an earlier process
// left: a session of which Desk tells must not get a second one.
func (b *Bot) recallLinks() {
	left, err := b.Outbox.List(context.Background())
	if err != nil {
		return // the courier complains
	}
	for _, t := range left {
		b.links.restore(t.ID, t.Session)
	}
}

// of returns the conversation of an event that counts for nothing by itself.
func (l *links) of(e *desk.Event) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.im {
		return ""
	}
	for _, key := range [...]string{pairID(e.UserID, e.ServiceID), sessionKey(e.SessionID)} {
		if k := l.find(key); k != nil && k.id != "" {
			return k.id
		}
	}
	return ""
}

// act notes that a message of plain IM led to something.
func (l *links) act(h *heard) {
	if h == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	h.acted = true
}

// unhear forgets a message of plain IM that could not be counted after all, so
// that it counts when Desk tells of it.
func (l *links) unhear(h *heard) {
	if h == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	h.forget()
}

// acted reports whether a message that plain IM told led to something.
func (l *links) acted(h *heard) bool {
	if h == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return h.acted
}

// hear looks for a message among those that plain IM told. Each is told by Desk
// once, so what is found is forgotten. No page says that both callbacks carry
// the same MsgKey, so the same words in the same minute will do.
func (k *link) hear(kind rules.TurnKind, e *desk.Event, at time.Time) *heard {
	text, key := hashOf(e.Text), hashOf(e.MsgKey)
	for _, h := range k.heard {
		if h.kind == kind && at.Sub(h.at) <= sameWithin && (h.text == text || h.key != 0 && h.key == key) {
			h.forget()
			return h
		}
	}
	return nil
}

// find returns a link and keeps it among the newest.
func (l *links) find(key string) *link {
	if k := l.now[key]; k != nil {
		return k
	}
	k := l.old[key]
	if k != nil {
		l.put(key, k)
	}
	return k
}

func (l *links) put(key string, k *link) {
	if l.now == nil || len(l.now) >= maxLinks/2 {
		l.old, l.now = l.now, map[string]*link{}
	}
	l.now[key] = k
}
