package rules

import (
	"encoding/binary"
	"errors"
)

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

func (r *reader) key() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
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

func (r *reader) talk(t *talk) {
	t.users = r.stamps()
	hashes := 0
	for range r.count(maxStamps) {
		p := fingerprint{at: r.int(), pairs: uint16(r.uint()), kept: r.byte(), chars: r.byte()}
		if p.kept > maxHashes || int(p.kept) > int(p.pairs) || p.kept == 0 {
			r.fail()
		}
		t.prints = append(t.prints, p)
		hashes += int(p.kept)
	}
	size := 2
	if r.version == longHashes {
		size = 4
	}
	b := r.bytes(size * hashes)
	for ; len(b) >= size; b = b[size:] { // little-endian, so the upper half comes last
		t.hashes = append(t.hashes, binary.LittleEndian.Uint16(b[size-2:]))
	}
}

func (r *reader) memory(m *memory) {
	m.misses, m.accepted = r.stamps(), r.stamps()
	for range r.count(maxItems) {
		m.said = append(m.said, saidStamp{r.key(), r.int()})
	}
	for range r.count(maxItems) {
		m.moods = append(m.moods, moodStamp{key: r.key(), at: r.int(), add: r.step(), floor: r.step()})
	}
	for range r.count(maxRuleStates) {
		m.rules = append(m.rules, ruleState{
			id: r.text(), fired: r.int(), noAgent: r.int(), shadow: r.int(),
			shadowIn: uint32(r.uint()), offeredIn: uint32(r.uint()), offerOver: r.byte() != 0,
		})
	}
	m.userFields, m.startFields = r.fields(), r.fields()
	m.offer = pendingOffer{rule: r.text(), at: r.int(), left: r.byte()}
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
