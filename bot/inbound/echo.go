package inbound

import (
	"hash/maphash"
	"slices"
	"time"

	"escalator/rules"
)

// echo is a message that plain IM told, and that Desk may tell once more.
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

// remember keeps a message for as long as Desk may tell of it too.
func (a *aliases) remember(h *echo) {
	for len(a.recent) > 0 && (len(a.recent) >= maxEchoes || h.at.Sub(a.recent[0].at) > sameWithin) {
		a.recent[0].forget()
		a.recent[0] = nil
		a.recent = a.recent[1:]
	}
	a.recent = append(a.recent, h)
	k := h.of
	if len(k.echoes) >= maxEchoesOfOne {
		k.echoes[0].forget()
	}
	k.echoes = append(k.echoes, h)
}

// forget takes a message from its chat.
func (h *echo) forget() {
	k := h.of
	if k.echoes = slices.DeleteFunc(k.echoes, func(other *echo) bool { return other == h }); len(k.echoes) == 0 {
		k.echoes = nil
	}
}
