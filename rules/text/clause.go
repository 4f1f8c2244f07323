package text

import (
	_ "embed"
	"strings"
)

//go:embed data/clauses.txt
var clauseData string

// An opening is a word, or a few, that begin a new clause.
type opening struct {
	hashes []uint64
	tight  bool // no space between them, as within a word of Han
	soft   bool
}

// openings holds the words of clauses.txt in an open-addressing table by the
// hash of their first token.
type openings [1 << openingBits][]opening

const openingBits = 10 // 1,024 slots, of which a tenth are taken

var clauseOpenings = loadOpenings(clauseData)

func loadOpenings(data string) *openings {
	var o openings
	var m Message
	for line := range strings.Lines(data) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		rest, soft := strings.CutPrefix(line, "~")
		m.read(rest)
		op := opening{soft: soft, tight: len(m.tokens) > 1 && m.tokens[1].brk == breakNone}
		for i := range m.tokens {
			op.hashes = append(op.hashes, m.tokens[i].hash)
		}
		slot := o.slot(op.hashes[0])
		*slot = append(*slot, op)
	}
	return &o
}

// slot returns the slot of the words that begin with a token, or a free one.
func (o *openings) slot(first uint64) *[]opening {
	for i := first >> (64 - openingBits); ; i = (i + 1) % uint64(len(o)) {
		if len(o[i]) == 0 || o[i][0].hashes[0] == first {
			return &o[i]
		}
	}
}

// at returns the flags that the words at token i give it.
func (o *openings) at(ts []Token, i int) (flags tokenFlags) {
	for _, op := range *o.slot(ts[i].hash) {
		switch {
		case !op.holds(ts[i:]):
		case op.soft:
			flags |= softStart
		default:
			flags |= clauseToken
		}
	}
	return flags
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
		t.flags |= clauseOpenings.at(ts, i)
		if i > 0 && (t.brk >= breakClause || t.flags&clauseToken != 0) {
			clause++
		}
		t.clause, t.before = clause, cost
		if t.IsWord() {
			cost += wordCost
		} else {
			cost += charCost
		}
	}
}
