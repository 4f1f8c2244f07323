package inbound

import (
	"hash/maphash"
	"slices"
	"time"

	"escalator/bot/desk"
	"escalator/rules"
)

// echo is a message that plain IM reported, and that Desk may report once more.
type echo struct {
	of       *alias
	kind     rules.TurnKind
	deciding bool
	acted    bool   // we act on it, so no robot must answer it
	key      uint64 // hashes: what is remembered of many should be small
	words    uint64
	at       time.Time
}

var seed = maphash.MakeSeed()

// hashOf is 0 for no text at all.
func hashOf(s string) uint64 {
	if s == "" {
		return 0
	}
	return maphash.String(seed, s)
}

// wordsOf tells apart what was said, and what was sent instead of words.
func wordsOf(t *rules.Turn) uint64 { return hashOf(t.Text) ^ uint64(t.Sends) }

// echoOf makes the message an echo of one that was counted, which is used up by
// that.
func (m *Message) echoOf(before *echo) {
	if before != nil {
		before.forget()
		m.Echo, m.Acted, m.Turn, m.echo = true, before.acted, nil, before
	}
}

// find looks for the message among those that plain IM reported. No page says that
// both callbacks carry the same MsgKey, so the same words in the same minute will
// do. The start of a session is an echo where plain IM began it a moment ago.
func (k *alias) find(m *Message, e *desk.Event, at time.Time) *echo {
	if m.Turn == nil || k.id == "" {
		return nil
	}
	if m.Turn.Kind == rules.StartTurn {
		if at.Sub(k.born) < sameWithin {
			return &echo{of: k}
		}
		return nil
	}
	words, key := wordsOf(m.Turn), hashOf(e.MsgKey)
	for _, h := range k.echoes {
		if h.kind == m.Turn.Kind && at.Sub(h.at) <= sameWithin && (h.words == words || h.key != 0 && h.key == key) {
			return h
		}
	}
	return nil
}

// remember keeps a message for as long as Desk may report it too.
func (a *aliases) remember(h *echo) {
	for len(a.recent) > 0 && (len(a.recent) >= maxEchoes || h.at.Sub(a.recent[0].at) > sameWithin) {
		a.recent[0].forget()
		a.recent[0] = nil
		a.recent = a.recent[1:]
	}
	a.recent = append(a.recent, h)
	k := h.of
	k.echoes = append(k.echoes, h)
	said, oldest := 0, h // of the same speaker: a message of the bot that grows must not push out the customer's
	for _, other := range slices.Backward(k.echoes) {
		if other.kind == h.kind {
			said, oldest = said+1, other
		}
	}
	if said > maxEchoesOfOne {
		oldest.forget()
	}
}

// forget takes a message from its chat.
func (h *echo) forget() {
	k := h.of
	if k.echoes = slices.DeleteFunc(k.echoes, func(other *echo) bool { return other == h }); len(k.echoes) == 0 {
		k.echoes = nil
	}
}
