package text

import (
	"cmp"
	"slices"
)

// mayMatch reports whether the normal form holds one of the literals where it must stand.
func (p *pattern) mayMatch(normal []byte, f *fingerprint) bool {
	if len(p.literals) == 0 {
		return true
	}
	for _, lit := range p.literals {
		if p.atStart {
			if len(normal) >= len(lit) && string(normal[:len(lit)]) == lit {
				return true
			}
		} else if f.holds(lit) && containsString(normal, lit) {
			return true
		}
	}
	return false
}

// patterns are the phrases that are regular expressions, behind a sieve that
// lets no more than one message in some through: most have no three bytes of a
// literal, and do not begin with the byte of one that must stand first.
type patterns struct {
	all     []PhraseID
	unasked []PhraseID // of which the sieve tells nothing
	starts  [256]bool  // of those that must begin the message
	firsts  [256]bool  // of the literals
	grams   [1 << gramBits / 64]uint64
}

const (
	gramBytes = 3
	gramBits  = 14 // 2 KB: a gram in some hundreds is taken for one of a literal
)

// add adds a pattern to the sieve.
func (ps *patterns) add(id PhraseID, p *pattern) {
	ps.all = append(ps.all, id)
	if len(p.literals) == 0 || !p.atStart && shortest(p.literals) < gramBytes {
		ps.unasked = append(ps.unasked, id)
		return
	}
	for _, lit := range p.literals {
		if p.atStart {
			ps.starts[lit[0]] = true
			continue
		}
		ps.firsts[lit[0]] = true
		g := gramHash([]byte(lit))
		ps.grams[g>>6] |= 1 << (g & 63)
	}
}

// in returns the patterns that a normal form may match.
func (ps *patterns) in(normal []byte) []PhraseID {
	if len(normal) == 0 || ps.starts[normal[0]] {
		return ps.all
	}
	for i, c := range normal[:max(0, len(normal)-gramBytes+1)] {
		if ps.firsts[c] {
			if g := gramHash(normal[i:]); ps.grams[g>>6]>>(g&63)&1 != 0 {
				return ps.all
			}
		}
	}
	return ps.unasked
}

func gramHash(b []byte) uint32 { return headHash(b, gramBits) }

// headHash hashes the first three bytes into so many bits.
func headHash(b []byte, bits int) uint32 {
	return (uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])) * 0x9e3779b1 >> (32 - bits)
}

func containsString(b []byte, s string) bool {
	for i := 0; i+len(s) <= len(b); i++ {
		if b[i] == s[0] && string(b[i:i+len(s)]) == s {
			return true
		}
	}
	return false
}

// A fingerprint is the set of the pairs of bytes of a message, hashed, so that
// most literals of a long list of patterns cost two loads.
type fingerprint [64]uint64

func (f *fingerprint) set(b []byte) {
	*f = fingerprint{}
	var last byte // the pair that the first byte makes with it asks for one more look at most
	for _, c := range b {
		h := pairHash(last, c)
		f[h>>6] |= 1 << (h & 63)
		last = c
	}
}

// holds reports whether s may be in the message.
func (f *fingerprint) holds(s string) bool {
	for i := 1; i < len(s) && i < 8; i++ {
		if h := pairHash(s[i-1], s[i]); f[h>>6]>>(h&63)&1 == 0 {
			return false
		}
	}
	return true
}

func pairHash(a, b byte) uint32 {
	return (uint32(a)<<8 | uint32(b)) * 0x9e3779b1 >> 20
}

// findPatterns adds the hits of the regular expressions.
func (m *Matcher) findPatterns(msg *Message) {
	if len(m.patterns.all) == 0 {
		return
	}
	s := &msg.search
	normal := msg.buf[:msg.normLen]
	some := m.patterns.in(normal)
	if len(some) > 0 {
		s.prints.set(normal)
	}
	for _, id := range some {
		re := m.phrases[id].re
		if !re.mayMatch(normal, &s.prints) {
			continue
		}
		for at := 0; at < len(normal) && len(s.hits) < s.limit; {
			loc := re.re.FindIndex(normal[at:])
			if loc == nil {
				break
			}
			if from, to := at+loc[0], at+loc[1]; from < to && !(m.phrases[id].own && msg.foreignIn(from, to)) {
				first, last := msg.tokenRange(at+loc[0], at+loc[1])
				s.hits = append(s.hits, Hit{Phrase: id, First: first, Last: last})
			}
			at += max(loc[1], 1)
		}
	}
}

// foreignIn reports whether normal[from:to] holds what is not the customer's own.
func (m *Message) foreignIn(from, to int) bool {
	return slices.ContainsFunc(m.barriers, func(b span) bool { return int(b.from) < to && from < int(b.to) })
}

// tokenRange returns the tokens that share a byte with normal[from:to]. If none
// does the range is empty and stands before the next token.
func (m *Message) tokenRange(from, to int) (first, last int32) {
	byEnd := func(t Token, at int) int { return cmp.Compare(int(t.NormEnd), at+1) }
	byStart := func(t Token, at int) int { return cmp.Compare(int(t.NormStart), at) }
	i, _ := slices.BinarySearchFunc(m.tokens, from, byEnd)
	j, _ := slices.BinarySearchFunc(m.tokens, to, byStart)
	return int32(i), int32(max(i, j))
}
