package text

import (
	"cmp"
	"slices"
)

// A refFrame is a hit of a frame.
type refFrame struct {
	phrase      PhraseID
	first, last int32
	langs       uint32 // of all its words, or if mixed of any
	mixed       bool
}

func sorted(fs []refFrame) []refFrame {
	slices.SortFunc(fs, func(a, b refFrame) int {
		return cmp.Or(cmp.Compare(a.phrase, b.phrase), cmp.Compare(a.first, b.first), cmp.Compare(a.last, b.last))
	})
	return fs
}

// refFrames finds the hits of all frames by trying all words in all parts.
func refFrames(msg *Message, m *Matcher, b *Builder) (out []refFrame) {
	r := &frameReference{ts: msg.tokens, m: m, words: refWords(msg, b)}
	for i, fr := range m.frames.frames {
		r.frame, r.langs = fr, m.frames.of[i]
		var found []refFrame
		for start := range r.words {
			var best *refFrame
			r.tuples([]int{start}, 0, func(tuple []int) {
				last := r.words[tuple[len(tuple)-1]].Last
				holds, void := r.holds(tuple)
				h := refFrame{phrase: m.frames.ids[i], first: r.words[start].First, last: last}
				h.langs, h.mixed = r.common(tuple)
				if void {
					h.phrase++
				}
				if holds && (best == nil || last < best.last || last == best.last && best.phrase != m.frames.ids[i]) {
					best = &h
				}
			})
			if best != nil {
				found = keepShortest(found, *best)
			}
		}
		out = append(out, found...)
	}
	return out
}

// keepShortest adds a hit to those that begin before it or with it, unless it holds one of them, and takes out those
// that hold it. Hits of languages that have nothing in common leave each other alone.
func keepShortest(found []refFrame, h refFrame) (out []refFrame) {
	holds := func(a, b refFrame) bool {
		return a.phrase == b.phrase && a.langs&b.langs != 0 && (a.mixed || !b.mixed) && a.first <= b.first && a.last >= b.last
	}
	if slices.ContainsFunc(found, func(f refFrame) bool { return holds(h, f) }) {
		return found
	}
	for _, f := range found {
		if !holds(f, h) {
			out = append(out, f)
		}
	}
	return append(out, h)
}

// common gives the languages of all words, or if there is none of any.
func (r *frameReference) common(tuple []int) (langs uint32, mixed bool) {
	all, some := everyLanguage, uint32(0)
	for _, i := range tuple {
		all, some = all&r.words[i].langs, some|r.words[i].langs
	}
	if all == 0 {
		return some, true
	}
	return all, false
}

// refWords finds the words of roles, those that homonyms take back left out.
func refWords(msg *Message, b *Builder) (words []roleHit) {
	ref := newReference(b, PhraseSet{})
	var all []roleHit
	for i, ph := range slices.Concat(b.phrases, b.others.phrases) {
		if i == len(b.phrases) {
			if len(all) == 0 {
				return nil // without an anchor
			}
			ref = newReference(b.others, PhraseSet{})
		}
		for first := range msg.tokens {
			ref.try(msg, ph, ph.seq.items, 0, false, place{at: first}, func(p place) {
				if ph.role.langs != 0 {
					all = append(all, roleHit{Span{int32(first), int32(p.at)}, ph.role.role, ph.role.langs, uint8(p.typos)})
				}
			})
		}
	}
	slices.SortStableFunc(all, func(a, b roleHit) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(b.Last, a.Last), cmp.Compare(a.role, b.role), cmp.Compare(a.typos, b.typos))
	})
	g := b.frames.grammar
	for _, w := range all {
		for _, h := range all {
			if g.Homonyms.Has(h.role) && !g.Homonyms.Has(w.role) && h.First < w.Last && w.First < h.Last {
				w.langs = 0
			}
		}
		same := slices.IndexFunc(words, func(o roleHit) bool { return o.Span == w.Span && o.role == w.role })
		switch {
		case w.langs == 0:
		case same >= 0:
			words[same].langs |= w.langs
		default:
			words = append(words, w)
		}
	}
	return words
}

type frameReference struct {
	ts    []Token
	m     *Matcher
	words []roleHit
	frame Frame
	langs uint32
}

// tuples tries all ways to fill the parts: tuple[k] fills some part, in the order of the message.
func (r *frameReference) tuples(tuple []int, filled int, found func([]int)) {
	for p, roles := range r.frame.Parts {
		if filled>>p&1 != 0 || !roles.Has(r.words[tuple[len(tuple)-1]].role) || r.frame.Fixed && p != len(tuple)-1 {
			continue
		}
		if len(tuple) == len(r.frame.Parts) {
			found(tuple)
			continue
		}
		for next := range r.words {
			if r.words[next].First >= r.words[tuple[len(tuple)-1]].Last {
				r.tuples(append(slices.Clone(tuple), next), filled|1<<p, found)
			}
		}
	}
}

// holds reports whether the frame holds with the words, and whether a guard voids it.
func (r *frameReference) holds(tuple []int) (holds, void bool) {
	all, some, heard, typos := everyLanguage, uint32(0), everyLanguage, uint8(0)
	for k, i := range tuple {
		w := r.words[i]
		typos += w.typos
		all, some = all&w.langs, some|w.langs
		for at := w.First; at < w.Last; at++ {
			heard &= r.knownBy(at)
		}
		if k > 0 && !r.near(r.words[tuple[k-1]], w, r.frame.Gap) {
			return false, false
		}
	}
	for k := 1; all == 0 && k < len(tuple); k++ {
		if !r.near(r.words[tuple[k-1]], r.words[tuple[k]], 0) {
			return false, false
		}
	}
	if all == 0 && typos > 0 {
		return false, false
	}
	if heard == 0 {
		heard = some
	}
	first, last := r.words[tuple[0]].First, r.words[tuple[len(tuple)-1]].Last
	if all&r.langs == 0 && len(r.frame.Langs) > 0 || r.frame.Extent != Anywhere && !r.fills(first, last, some) {
		return false, false
	}
	g, clause := r.m.frames.grammar, r.ts[first].clause
	for _, w := range r.words {
		at := r.ts[w.First].clause
		switch {
		case w.langs&heard == 0:
		case at == clause && r.frame.Unless.Has(w.role):
			return false, false
		case at == clause && (g.Guards | g.Before).Has(w.role), at+1 == clause && g.Before.Has(w.role) && !r.frame.Now:
			void = void || !r.between(w, first, last)
		}
	}
	return true, void
}

// knownBy are the languages that know a token in any role.
func (r *frameReference) knownBy(at int32) (langs uint32) {
	for _, w := range r.words {
		if r.m.frames.words.Has(w.role) && w.First <= at && at < w.Last {
			langs |= w.langs
		}
	}
	return langs
}

func (r *frameReference) near(a, b roleHit, gap int) bool {
	known, unknown := 0, 0
	for k := a.Last; k < b.First; k++ {
		cost := map[bool]int{true: wordCost, false: charCost}[r.ts[k].IsWord()]
		if slices.ContainsFunc(r.words, func(w roleHit) bool {
			return w.First <= k && k < w.Last && w.langs&(a.langs|b.langs) != 0 && r.m.frames.words.Has(w.role)
		}) {
			known += cost
		} else if r.ts[k].flags&hanToken != 0 {
			unknown += wordCost
		} else {
			unknown += cost
		}
	}
	if r.frame.Between != 0 && !r.covered(r.frame.Between, a.langs|b.langs, a.Last, b.First) {
		return false
	}
	return known <= maxKnown && unknown <= gap*wordCost && r.ts[a.Last-1].clause == r.ts[b.Last-1].clause
}

// between reports whether a word of something new stands between a guard and a hit.
func (r *frameReference) between(guard roleHit, first, last int32) bool {
	return slices.ContainsFunc(r.words, func(w roleHit) bool {
		return r.m.frames.grammar.Anew.Has(w.role) && (guard.Last <= w.First && w.First <= first || last <= w.First && w.First <= guard.First)
	})
}

func (r *frameReference) fills(first, last int32, langs uint32) bool {
	anew := func(at int32) bool {
		return slices.ContainsFunc(r.words, func(w roleHit) bool { return w.First == at && r.m.frames.grammar.Anew.Has(w.role) })
	}
	clause := r.frame.Extent != WholeMessage
	cut := func(at int32) bool {
		words := 0
		for k := at - 1; k <= at; k++ {
			if r.ts[k].IsWord() {
				words++
			}
		}
		return clause && (r.ts[at].clause != r.ts[at-1].clause || r.ts[at].brk == breakSoft && words < 2)
	}
	from, to := first, last
	for from > 0 && !cut(from) && !(clause && anew(from)) {
		from--
	}
	for int(to) < len(r.ts) && (r.frame.Extent == ToTheEnd || !cut(to)) {
		to++
	}
	beside := r.frame.Beside
	for _, p := range r.frame.Parts {
		beside |= p
	}
	return r.covered(beside, langs, from, to)
}

func (r *frameReference) covered(roles RoleSet, langs uint32, from, to int32) bool {
	for k := from; k < to; k++ {
		if !slices.ContainsFunc(r.words, func(w roleHit) bool {
			return w.First <= k && k < w.Last && roles.Has(w.role) && w.langs&langs != 0
		}) {
			return false
		}
	}
	return true
}
