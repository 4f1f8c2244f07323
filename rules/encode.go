package rules

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// encodingVersion is the first byte of an encoded conversation. A change of the encoding needs a new one: stores hold
// conversations over an update of the program.
const encodingVersion = 2

// longHashes is the version that held hashes of 32 bits; it is still read.
const longHashes = 1

// ErrEncoding says that bytes are no conversation of a version known here: begin a new one.
var ErrEncoding = errors.New("not an encoded conversation")

// MarshalBinary encodes the conversation.
func (c *Conversation) MarshalBinary() ([]byte, error) { return c.AppendBinary(nil) }

// AppendBinary encodes the conversation at the end of b.
func (c *Conversation) AppendBinary(b []byte) ([]byte, error) {
	w := writer{append(b, encodingVersion, byte(c.phase), byte(c.exchange), c.streak, c.lang[0], c.lang[1])}
	for _, at := range []int64{c.seen, c.sent, c.confirmed, c.waiting, c.timer, c.missAt} {
		w.int(at)
	}
	w.uint(uint64(c.turns))
	w.uint(uint64(c.epoch))
	t, m := c.talk, c.recall()
	if t == nil {
		t = &talk{}
	}
	w.talk(t)
	w.memory(m)
	return w.b, nil
}

// UnmarshalBinary decodes a conversation. Whatever the bytes are, it does not panic, and what it gives can be used.
func (c *Conversation) UnmarshalBinary(data []byte) error {
	if len(data) < 6 || data[0] != encodingVersion && data[0] != longHashes {
		return ErrEncoding
	}
	n := Conversation{phase: Phase(data[1]), exchange: exchange(data[2]), streak: data[3], lang: [2]byte{data[4], data[5]}}
	if n.phase > PhaseHuman || n.exchange > exchangeAnswered || n.streak > maxStamps {
		return ErrEncoding
	}
	r := reader{b: data[6:], version: data[0]}
	for _, at := range []*int64{&n.seen, &n.sent, &n.confirmed, &n.waiting, &n.timer, &n.missAt} {
		*at = r.int()
	}
	n.turns, n.epoch = uint32(r.uint()), uint32(r.uint())
	var t talk
	var m memory
	r.talk(&t)
	r.memory(&m)
	switch {
	case r.err != nil:
		return fmt.Errorf("%w: %w", ErrEncoding, r.err)
	case len(r.b) > 0:
		return fmt.Errorf("%w: %d bytes too many", ErrEncoding, len(r.b))
	}
	if len(t.users)+len(t.prints) > 0 {
		n.talk = &t
	}
	if !m.empty() {
		n.memory = &m
	}
	*c = n
	return nil
}

func (m *memory) empty() bool {
	return len(m.misses)+len(m.said)+len(m.moods)+len(m.rules)+len(m.accepted)+len(m.userFields)+len(m.startFields) == 0 && m.offer == pendingOffer{}
}

// writer appends values; numbers are varints, texts and lists carry their length.
type writer struct{ b []byte }

func (w *writer) int(i int64)   { w.b = binary.AppendVarint(w.b, i) }
func (w *writer) uint(u uint64) { w.b = binary.AppendUvarint(w.b, u) }

func (w *writer) text(s string) {
	w.uint(uint64(len(s)))
	w.b = append(w.b, s...)
}

// stamps are written as differences, which are short.
func (w *writer) stamps(ring []int64) {
	w.uint(uint64(len(ring)))
	last := int64(0)
	for _, at := range ring {
		w.int(at - last)
		last = at
	}
}

func (w *writer) talk(t *talk) {
	w.stamps(t.users)
	w.uint(uint64(len(t.prints)))
	for _, p := range t.prints {
		w.int(p.at)
		w.uint(uint64(p.pairs))
		w.b = append(w.b, p.kept, p.chars)
	}
	for _, h := range t.hashes {
		w.b = binary.LittleEndian.AppendUint16(w.b, h)
	}
}

func (w *writer) memory(m *memory) {
	w.stamps(m.misses)
	w.stamps(m.accepted)
	w.uint(uint64(len(m.said)))
	for _, s := range m.said {
		w.b = binary.LittleEndian.AppendUint64(w.b, s.key)
		w.int(s.at)
	}
	w.uint(uint64(len(m.moods)))
	for _, s := range m.moods {
		w.b = binary.LittleEndian.AppendUint64(w.b, s.key)
		w.int(s.at)
		w.int(int64(s.add))
		w.int(int64(s.floor))
	}
	w.uint(uint64(len(m.rules)))
	for _, s := range m.rules {
		w.text(s.id)
		w.int(s.fired)
		w.int(s.noAgent)
		w.int(s.shadow)
		w.uint(uint64(s.shadowIn))
		w.uint(uint64(s.offeredIn))
		w.flag(s.offerOver)
	}
	w.fields(m.userFields)
	w.fields(m.startFields)
	w.text(m.offer.rule)
	w.int(m.offer.at)
	w.b = append(w.b, m.offer.left)
}

func (w *writer) flag(f bool) {
	if f {
		w.b = append(w.b, 1)
	} else {
		w.b = append(w.b, 0)
	}
}

func (w *writer) fields(fields []fieldValue) {
	w.uint(uint64(len(fields)))
	for _, f := range fields {
		w.text(f.path)
		w.text(f.value)
	}
}
