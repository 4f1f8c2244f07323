package text

import (
	_ "embed"
	"strings"
)

//go:embed data/clauses.txt
var clauseData string

// An opening is a word, or a few, of clauses.txt.
type opening struct {
	hashes []uint64
	tight  bool // no space between them, as within a word of Han
	flags  tokenFlags
}

// The marks before a line of clauses.txt.
var openingMarks = map[byte]tokenFlags{
	'~': softStart, '+': carrier, '<': joiner, '>': ender, '=': inner, '^': goesOn,
}

// openings holds the words of clauses.txt in an open-addressing table by the
// hash of their first token.
type openings struct {
	slots  [1 << openingBits]openingSlot
	filter [1 << openingFilterBits / 64]uint64 // turns most tokens away, and is small
}

// An openingSlot holds the openings that begin with one token: its hash stands
// beside them, so that most tokens of a message are done with one look.
type openingSlot struct {
	first uint64
	of    []opening
}

const (
	openingBits       = 10 // 1,024 slots, of which a third are taken
	openingFilterBits = 12
)

var clauseOpenings = loadOpenings(clauseData)

func loadOpenings(data string) *openings {
	var o openings
	var m Message
	for line := range strings.Lines(data) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		flags, marked := openingMarks[line[0]]
		if marked {
			line = line[1:]
		} else {
			flags = clauseToken
		}
		m.read(line)
		op := opening{flags: flags, tight: len(m.tokens) > 1 && m.tokens[1].brk == breakNone}
		for i := range m.tokens {
			op.hashes = append(op.hashes, m.tokens[i].hash)
		}
		slot := o.slot(op.hashes[0])
		slot.first, slot.of = op.hashes[0], append(slot.of, op)
		bit := slot.first >> (64 - openingFilterBits)
		o.filter[bit/64] |= 1 << (bit % 64)
	}
	return &o
}

// slot returns the slot of the words that begin with a token, or a free one.
func (o *openings) slot(first uint64) *openingSlot {
	for i := first >> (64 - openingBits); ; i = (i + 1) % uint64(len(o.slots)) {
		if o.slots[i].first == first || o.slots[i].of == nil {
			return &o.slots[i]
		}
	}
}

// may reports whether some words can begin with a token.
func (o *openings) may(first uint64) bool {
	bit := first >> (64 - openingFilterBits)
	return o.filter[bit/64]>>(bit%64)&1 != 0
}

// mark gives the flags of the words at token i to it or to all its tokens.
func (o *openings) mark(ts []Token, i int) {
	slot := o.slot(ts[i].hash)
	for k := range slot.of {
		op := &slot.of[k]
		if len(op.hashes) > 1 && (i+1 == len(ts) || ts[i+1].hash != op.hashes[1] || !op.holds(ts[i:])) {
			continue
		}
		first, rest := op.flags, op.flags
		if op.flags&(softStart|clauseToken) != 0 {
			rest = inner
		}
		ts[i].flags |= first
		for k := 1; k < len(op.hashes); k++ {
			ts[i+k].flags |= rest
		}
	}
}

func (op *opening) holds(ts []Token) bool {
	if len(ts) < len(op.hashes) {
		return false
	}
	for k, h := range op.hashes {
		if ts[k].hash != h || k > 0 && (ts[k].brk > breakSoft || op.tight && ts[k].brk != breakNone) {
			return false
		}
	}
	return true
}

// markClauses numbers the clauses and adds up the costs of the tokens.
func (m *Message) markClauses() {
	ts := m.tokens
	clause, cost := uint16(0), int32(0)
	for i := range ts {
		t := &ts[i]
		if clauseOpenings.may(t.hash) {
			clauseOpenings.mark(ts, i)
		}
		if i > 0 {
			switch before := &ts[i-1]; {
			case t.brk == breakSoft && !t.IsWord() && !before.IsWord():
				t.flags |= softStart // a space in a script that needs none: 别发链接 转人工
			case before.flags&joiner != 0 && t.brk < breakClause:
				t.flags &^= softStart
			}
			if t.flags&(clauseToken|inner) == clauseToken || t.brk >= breakClause && (t.brk > breakClause || t.flags&goesOn == 0) {
				clause++
			}
		}
		t.clause, t.before = clause, cost
		if t.IsWord() {
			cost += wordCost
		} else {
			cost += charCost
		}
	}
}

// begins reports whether a new sentence may begin with the token.
func (t *Token) begins() bool { return t.flags&(softStart|inner) == softStart }

// ends reports whether what is refused ends with the token.
func (t *Token) ends() bool { return t.flags&(ender|inner) == ender }
