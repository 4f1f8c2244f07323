package rules

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// encodingVersion is the first byte of an encoded conversation. A change of the encoding needs a new one: stores hold
// conversations over an update of the program.
const encodingVersion = 5

// Older versions are still read: longHashes held hashes of 32 bits, it and sharedStates what a rule did in shadow with
// what it did otherwise, none up to withoutMessage a request for words, a wait in the queue, when the bot phase began
// or who the customer is, and none up to withoutPanel what agents see.
const (
	longHashes     = 1
	sharedStates   = 2
	withoutMessage = 3
	withoutPanel   = 4
)

// ErrEncoding says that bytes are no conversation of a version known here: begin a new one.
var ErrEncoding = errors.New("not an encoded conversation")

// MarshalBinary encodes the conversation.
func (c *Conversation) MarshalBinary() ([]byte, error) { return c.AppendBinary(nil) }

// AppendBinary encodes the conversation at the end of b.
func (c *Conversation) AppendBinary(b []byte) ([]byte, error) {
	w := writer{append(b, encodingVersion, byte(c.phase), byte(c.exchange), c.streak, c.lang[0], c.lang[1])}
	m := c.recall()
	for _, at := range [...]int64{c.seen, c.sent, m.confirmed, c.waiting, c.timer, c.missAt} {
		w.int(at)
	}
	w.uint(uint64(c.turns))
	w.uint(uint64(c.epoch))
	w.int(c.began)
	w.flag(c.first)
	w.stamps(m.recallRare().users)
	w.prints(c.prints)
	if c.memory == nil {
		return append(w.b, withoutMemory...), nil
	}
	w.memory(m)
	return w.b, nil
}

// UnmarshalBinary decodes a conversation. Whatever the bytes are, it does not panic, and what it gives can be used.
func (c *Conversation) UnmarshalBinary(data []byte) error {
	if len(data) < 6 || data[0] < longHashes || data[0] > encodingVersion {
		return ErrEncoding
	}
	n := Conversation{phase: Phase(data[1]), exchange: exchange(data[2]), streak: data[3], lang: [2]byte{data[4], data[5]}}
	if n.phase > PhaseHuman || n.exchange > exchangeAnswered || n.streak > maxStamps {
		return ErrEncoding
	}
	r := reader{b: data[6:], version: data[0]}
	var m memory
	for _, at := range []*int64{&n.seen, &n.sent, &m.confirmed, &n.waiting, &n.timer, &n.missAt} {
		*at = r.int()
	}
	n.turns, n.epoch = uint32(r.uint()), uint32(r.uint())
	if r.version > withoutMessage {
		n.began, n.first = r.int(), r.flag()
	}
	rare := rareMemory{users: r.stamps()}
	n.prints = r.prints()
	r.memory(&m, &rare)
	switch {
	case r.err != nil:
		return fmt.Errorf("%w: %w", ErrEncoding, r.err)
	case len(r.b) > 0:
		return fmt.Errorf("%w: %d bytes too many", ErrEncoding, len(r.b))
	}
	if !rare.empty() {
		m.rare = &rare
	}
	if !m.empty() {
		n.memory = &m
	}
	*c = n
	return nil
}

func (m *memory) empty() bool {
	return len(m.misses)+len(m.said)+len(m.moods)+len(m.rules)+len(m.accepted)+len(m.userID) == 0 &&
		m.confirmed == 0 && m.offer == pendingOffer{} && !m.leftQueue && m.rare == nil
}

func (m *rareMemory) empty() bool {
	return len(m.users)+len(m.userFields)+len(m.startFields)+len(m.panelFields) == 0 && m.message == openMessage{} && m.wait == wait{}
}

// withoutMemory is the encoding of the memory of a conversation that has none, as most have.
var withoutMemory = func() []byte {
	var w writer
	w.memory(&noMemory)
	return w.b
}()

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

// prints writes what stands before the hashes of each fingerprint, and then the hashes of all.
func (w *writer) prints(f fingerprints) {
	w.uint(uint64(f.count()))
	for _, p := range f.all {
		w.int(p.at())
		w.uint(uint64(p.pairs()))
		w.b = append(w.b, uint8(p.kept()), uint8(p.chars()))
	}
	for _, p := range f.all {
		w.b = append(w.b, p.hashes()...)
	}
}

func (w *writer) memory(m *memory) {
	rare := m.recallRare()
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
		w.flag(s.shadow)
		w.int(s.fired)
		w.int(s.noAgent)
		w.uint(uint64(s.offeredIn))
		w.flag(s.offerOver)
		w.uint(uint64(s.awayIn))
		w.uint(uint64(s.spent))
		w.flag(s.spentNow)
	}
	w.fields(rare.userFields)
	w.fields(rare.startFields)
	w.text(m.offer.rule)
	w.int(m.offer.at)
	w.b = append(w.b, m.offer.left)
	w.message(&rare.message)
	w.wait(&rare.wait)
	w.flag(m.leftQueue)
	w.text(m.userID)
	w.fields(rare.panelFields)
}

func (w *writer) message(m *openMessage) {
	w.text(m.rule)
	w.text(m.target)
	w.int(m.opened)
	w.int(m.until)
	w.int(m.contactWithin)
	w.uint(uint64(m.left))
	w.uint(uint64(m.chars))
}

func (w *writer) wait(a *wait) {
	w.int(a.since)
	w.text(a.rule)
	w.text(a.target)
	w.int(a.timeout)
	w.flag(a.unanswered)
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

var errShort = errors.New("the bytes end too early")

// maxItems bounds every list of an encoded conversation, whatever its bytes claim.
const maxItems = 4096

// reader takes values off a byte slice; after the first error everything is zero.
type reader struct {
	version byte
	b       []byte
	err     error
}

func (r *reader) fail() {
	r.b = nil
	if r.err == nil {
		r.err = errShort
	}
}

func (r *reader) int() int64 {
	i, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return i
}

func (r *reader) uint() uint64 {
	u, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return u
}

// bytes takes n bytes, nil if there are fewer.
func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail()
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) flag() bool { return r.byte() != 0 }

func (r *reader) key() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *reader) key32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// count takes the length of a list: every item has at least one byte, so a length beyond the bytes is a lie.
func (r *reader) count(most int) int {
	n := r.uint()
	if n > uint64(most) || n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) text() string { return string(r.bytes(r.count(1 << 16))) }

func (r *reader) stamps() []int64 {
	n := r.count(maxStamps)
	if n == 0 {
		return nil
	}
	ring := make([]int64, n)
	last := int64(0)
	for i := range ring {
		last += r.int()
		ring[i] = last
	}
	return ring
}

func (r *reader) prints() fingerprints {
	n := r.count(maxStamps)
	heads := make([][printHead]byte, n)
	hashes := 0
	for i := range heads {
		at, pairs, kept, chars := r.int(), uint16(r.uint()), r.byte(), r.byte()
		if kept > maxHashes || int(kept) > int(pairs) || kept == 0 {
			r.fail()
			return nil
		}
		head := binary.LittleEndian.AppendUint64(heads[i][:0], uint64(at))
		_ = append(binary.LittleEndian.AppendUint16(head, pairs), kept, chars)
		hashes += int(kept)
	}
	size := 2
	if r.version == longHashes {
		size = 4
	}
	b := r.bytes(size * hashes)
	if n == 0 || b == nil {
		return nil
	}
	f := make(fingerprints, 0, n*printHead+2*hashes)
	for i := range heads {
		f = append(f, heads[i][:]...)
		for range heads[i][10] { // little-endian, so the upper half comes last
			f, b = append(f, b[size-2:size]...), b[size:]
		}
	}
	return f
}

func (r *reader) memory(m *memory, rare *rareMemory) {
	m.misses, m.accepted = r.stamps(), r.stamps()
	for range r.count(maxItems) {
		m.said = append(m.said, saidStamp{r.key(), r.int()})
	}
	for range r.count(maxItems) {
		m.moods = append(m.moods, moodStamp{key: r.key(), at: r.int(), add: r.step(), floor: r.step()})
	}
	for range r.count(maxRuleStates) {
		if r.version <= sharedStates {
			r.sharedState(m)
			continue
		}
		m.rules = append(m.rules, ruleState{
			id: r.text(), shadow: r.flag(), fired: r.int(), noAgent: r.int(), offeredIn: uint32(r.uint()), offerOver: r.flag(),
			awayIn: uint32(r.uint()), spent: uint8(min(r.uint(), maxStamps)), spentNow: r.flag(),
		})
	}
	m.rules = m.rules[max(0, len(m.rules)-maxRuleStates):]
	rare.userFields, rare.startFields = r.fields(), r.fields()
	m.offer = pendingOffer{rule: r.text(), at: r.int(), left: r.byte()}
	if r.version > withoutMessage {
		rare.message = openMessage{
			rule: r.text(), target: r.text(), opened: r.int(), until: r.int(), contactWithin: r.int(),
			left: uint8(min(r.uint(), maxLeft)), chars: uint16(min(r.uint(), maxLeftChars)),
		}
		rare.wait = wait{since: r.int(), rule: r.text(), target: r.text(), timeout: r.int(), unanswered: r.flag()}
		m.leftQueue = r.flag()
		m.userID = r.text()
	}
	if r.version > withoutPanel {
		rare.panelFields = r.fields()
	}
}

// sharedState takes a state of an older version: what the rule did, and what it would have done in shadow.
func (r *reader) sharedState(m *memory) {
	id, fired, noAgent, shadow := r.text(), r.int(), r.int(), r.int()
	awayIn, offeredIn, over := uint32(r.uint()), uint32(r.uint()), r.flag()
	if shadow != 0 || awayIn != 0 {
		m.rules = append(m.rules, ruleState{id: id, shadow: true, fired: shadow, awayIn: awayIn})
	}
	if fired != 0 || noAgent != 0 || offeredIn != 0 {
		m.rules = append(m.rules, ruleState{id: id, fired: fired, noAgent: noAgent, offeredIn: offeredIn, offerOver: over})
	}
}

// step takes a number within the limits of a mood.
func (r *reader) step() int32 {
	return int32(max(-maxMoodStep, min(maxMoodStep, r.int())))
}

func (r *reader) fields() []fieldValue {
	var fields []fieldValue
	for range r.count(maxItems) {
		fields = append(fields, fieldValue{path: r.text(), value: r.text()})
	}
	return fields
}
