package text

import (
	"cmp"
	"math"
	"slices"
)

// maxFrameSteps bounds the joining of words in one message: beyond it frames may be missed.
const maxFrameSteps = 1 << 14

// A roleHit is a word of a role in a message.
type roleHit struct {
	Span
	role  RoleID
	langs uint32
	typos uint8
}

// order is where a word stands among others: by its first token, then the longest first, then by role and typing errors.
func (w roleHit) order() uint64 {
	return uint64(w.First)<<32 | uint64(math.MaxUint16-(w.Last-w.First))<<16 | uint64(w.role)<<8 | uint64(w.typos)
}

// A framing is the working memory for joining words into frames.
type framing struct {
	of      *frames
	ts      []Token
	hits    []Hit
	raw     []roleHit // all words of roles
	longest int32     // no word has more tokens
	words   []roleHit // those that count, in the order of the message
	known   []uint32  // the languages that know each token
	anews   []int32   // how often something new begins before each token, and before the end
	voiding []roleHit // the words that may void a frame, or keep one from holding
	found   []framed
	budget  int
	// of the frame that is being joined
	frame   *Frame
	inLangs uint32
	picked  [maxParts]int
	best    framed
	beside  covering // by what may stand beside it
	between covering // by what may stand between its parts
}

// add adds a word of a role. A regular expression may hit a mark between two tokens and cover none: that is no word.
func (f *framing) add(h Hit, w wordRole) {
	if h.First < h.Last {
		f.raw = append(f.raw, roleHit{Span{h.First, h.Last}, w.role, w.langs, h.Typos})
	}
}

// frameHits takes the words of roles out of the hits, and adds the frames that they fill.
func (m *Matcher) frameHits(msg *Message, hits []Hit) []Hit {
	f := &msg.search.framing
	f.raw = f.raw[:0]
	rest := hits[:0]
	for _, h := range hits {
		if w := m.phrases[h.Phrase].role; w.langs != 0 {
			f.add(h, w)
		} else {
			rest = append(rest, h)
		}
	}
	if len(f.raw) == 0 {
		return rest
	}
	f.hits = m.frames.others.findAll(msg, f.hits[:0])
	for _, h := range f.hits {
		f.add(h, m.frames.others.phrases[h.Phrase].role)
	}
	f.joinAll(m.frames, msg.tokens)
	for i := range f.found {
		h := &f.found[i]
		for k := range h.n {
			f.widen(h, k)
		}
		h.hit.First, h.hit.Last = h.parts[0].First, h.parts[h.n-1].Last
		rest = append(rest, h.hit)
	}
	return rest
}

// joinAll finds the hits of all frames among the words in raw.
func (f *framing) joinAll(of *frames, ts []Token) {
	f.of, f.ts, f.found, f.budget = of, ts, f.found[:0], maxFrameSteps
	present := RoleSet(0)
	for i := range f.raw {
		present |= 1 << f.raw[i].role
	}
	ready := false
	for i := range of.frames {
		if !of.frames[i].may(present) {
			continue
		}
		if !ready {
			f.arrange()
			ready = true
		}
		f.frame, f.inLangs = &of.frames[i], of.of[i]
		f.beside.ready, f.between.ready = false, false
		f.join(of.ids[i])
	}
}

// may reports whether each part can be filled.
func (fr *Frame) may(present RoleSet) bool {
	for _, p := range fr.Parts {
		if p&present == 0 {
			return false
		}
	}
	return true
}

// arrange puts the words in order: those that are the same are one, without what
// a homonym takes back.
func (f *framing) arrange() {
	slices.SortFunc(f.raw, func(a, b roleHit) int { return cmp.Compare(a.order(), b.order()) })
	merged := f.raw[:0]
	f.longest = 0
	for _, w := range f.raw {
		f.longest = max(f.longest, w.Last-w.First)
		if n := len(merged); n > 0 && merged[n-1].Span == w.Span && merged[n-1].role == w.role {
			merged[n-1].langs |= w.langs
			continue
		}
		merged = append(merged, w)
	}
	f.raw, f.words, f.voiding = merged, f.words[:0], f.voiding[:0]
	f.known = slices.Grow(f.known[:0], len(f.ts))[:len(f.ts)]
	clear(f.known)
	f.anews = slices.Grow(f.anews[:0], len(f.ts)+1)[:len(f.ts)+1]
	clear(f.anews)
	for i, w := range f.raw {
		if f.taken(i) {
			continue
		}
		f.words = append(f.words, w)
		if f.of.grammar.Anew.Has(w.role) {
			f.anews[w.First+1] = 1
		}
		if f.of.voiding.Has(w.role) {
			f.voiding = append(f.voiding, w)
		}
		if !f.of.words.Has(w.role) {
			continue
		}
		if f.of.grammar.Aside.Has(w.role) {
			w.langs = everyLanguage
		}
		for k := w.First; k < w.Last; k++ {
			f.known[k] |= w.langs
		}
	}
	for k := range f.ts {
		f.anews[k+1] += f.anews[k]
	}
}

// taken reports whether a homonym of any language lies over the word raw[i].
func (f *framing) taken(i int) bool {
	w := f.raw[i]
	if f.of.grammar.Homonyms.Has(w.role) {
		return false
	}
	for j := i - 1; j >= 0 && f.raw[j].First > w.First-f.longest; j-- {
		if by := f.raw[j]; by.Last > w.First && f.of.grammar.Homonyms.Has(by.role) {
			return true
		}
	}
	for j := i + 1; j < len(f.raw) && f.raw[j].First < w.Last; j++ {
		if f.of.grammar.Homonyms.Has(f.raw[j].role) {
			return true
		}
	}
	return false
}

// join finds the shortest hits of a frame.
func (f *framing) join(id PhraseID) {
	known := len(f.found)
	for i := range f.words {
		open := f.frame.partsFor(f.words[i].role, 0)
		if open == 0 {
			continue
		}
		for known < len(f.found) && f.found[known].hit.Last <= f.words[i].First {
			known++ // what ends before a hit neither holds it nor is held by it
		}
		f.best.n = 0
		for p := range f.frame.Parts {
			if open>>p&1 != 0 {
				f.picked[0] = i
				f.extend(1, 1<<p)
			}
		}
		if f.best.n > 0 {
			f.keep(known, id)
		}
	}
}

// extend fills the next part of the frame behind the n words that are picked.
func (f *framing) extend(n int, filled uint8) {
	last := f.words[f.picked[n-1]]
	if n == len(f.frame.Parts) {
		if f.best.n == 0 || last.Last < f.best.hit.Last || last.Last == f.best.hit.Last && f.best.guard >= 0 {
			f.settle(n)
		}
		return
	}
	clause := f.ts[last.Last-1].clause
	for j := f.picked[n-1] + 1; j < len(f.words); j++ {
		w := f.words[j]
		if f.budget--; f.budget < 0 || w.First > last.Last+maxBetween || f.ts[w.First].clause > clause {
			return
		}
		open := f.frame.partsFor(w.role, n) &^ filled
		// A word may begin in this clause and end in the next; a shorter one behind it does not.
		if open == 0 || w.First < last.Last || f.ts[w.Last-1].clause != clause || !f.near(last, w, f.frame.Gap) {
			continue
		}
		for p := range f.frame.Parts {
			if open>>p&1 != 0 {
				f.picked[n] = j
				f.extend(n+1, filled|1<<p)
			}
		}
	}
}

// What may stand between two parts of a frame besides its gap: five words that roles know, or 12 characters.
const (
	maxKnown   = 5 * wordCost
	maxBetween = (maxKnown + maxGap*wordCost) / charCost // more tokens cannot be near
)

// near reports whether b stands near enough to a: at most gap words are between that no role of their languages knows.
func (f *framing) near(a, b roleHit, gap int) bool {
	known, unknown := 0, 0
	for k := a.Last; k < b.First; k++ {
		cost := charCost
		if f.ts[k].IsWord() {
			cost = wordCost
		}
		switch {
		case f.known[k]&(a.langs|b.langs) != 0:
			known += cost
		case f.ts[k].flags&hanToken != 0:
			unknown += wordCost
		default:
			unknown += cost
		}
	}
	return known <= maxKnown && unknown <= gap*wordCost && (f.frame.Between == 0 || f.between.holds(f, f.frame.Between, a.langs|b.langs, Span{a.Last, b.First}))
}

// settle makes the n words that are picked the best hit so far, if the frame holds with them.
func (f *framing) settle(n int) {
	best := framed{n: n, langs: everyLanguage, heard: everyLanguage, guard: -1}
	some := uint32(0)
	for k := range n {
		w := f.words[f.picked[k]]
		best.parts[k] = w.Span
		best.roles[k] = w.role
		best.hit.Typos += w.typos
		best.langs &= w.langs
		some |= w.langs
		for at := w.First; at < w.Last; at++ {
			best.heard &= f.known[at]
		}
	}
	if best.heard == 0 {
		best.heard = some
	}
	if best.scope = best.langs; best.scope == 0 {
		best.scope = some
	}
	best.hit.First, best.hit.Last = best.parts[0].First, best.parts[n-1].Last
	switch fr := f.frame; {
	case len(fr.Langs) > 0 && best.langs&f.inLangs == 0:
		return
	case fr.Extent != Anywhere && !f.fills(best.hit, some):
		return
	}
	if best.langs == 0 && (best.hit.Typos > 0 || !f.adjacent(n)) {
		return
	}
	if f.guarded(&best) {
		f.best = best
	}
}

// adjacent reports whether the roles know all words between the n words that are picked. Words of two languages make a
// frame only so, and without typing errors, for what is a word of asking in one language is anything in another.
func (f *framing) adjacent(n int) bool {
	for k := range n - 1 {
		if !f.near(f.words[f.picked[k]], f.words[f.picked[k+1]], 0) {
			return false
		}
	}
	return true
}

// widen takes for a part the longest word of its role that lies over it and no other part: "human agent", not "human".
func (f *framing) widen(h *framed, k int) {
	p := &h.parts[k]
	from, _ := slices.BinarySearchFunc(f.words, p.First-f.longest, func(w roleHit, at int32) int { return cmp.Compare(w.First, at) })
	for _, w := range f.words[from:] {
		if w.First > p.First {
			return
		}
		if w.role == h.roles[k] && w.langs&h.langs == h.langs && w.Last >= p.Last && w.Span != *p &&
			(k == 0 || w.First >= h.parts[k-1].Last) && (k == h.n-1 || w.Last <= h.parts[k+1].First) {
			*p = w.Span
		}
	}
}

// guarded looks for the guard that voids a hit. It reports false if the frame does not hold at all.
func (f *framing) guarded(h *framed) bool {
	g := &f.of.grammar
	clause := f.ts[h.hit.First].clause
	for _, w := range f.voiding {
		at := f.ts[w.First].clause
		switch {
		case at > clause:
			return true
		case at == clause && f.frame.Unless.Has(w.role) && w.langs&h.heard != 0:
			return false
		case h.guard >= 0 || w.langs&h.heard == 0 || !(g.Guards | g.Before).Has(w.role):
		case at == clause, at+1 == clause && g.Before.Has(w.role) && !f.frame.Now:
			if !f.anew(w.Span, h.hit) {
				h.guard, h.by = int(w.role), w.Span
			}
		}
	}
	return true
}

// anew reports whether something new begins between a guard and a hit.
func (f *framing) anew(guard Span, h Hit) bool {
	return f.anewIn(guard.Last, h.First) || f.anewIn(h.Last, guard.First)
}

// anewIn reports whether something new begins at one of the tokens from first to last.
func (f *framing) anewIn(first, last int32) bool {
	return first <= last && f.anews[last+1] > f.anews[first]
}

// fills reports whether nothing stands beside a hit in its clause or message but words of the roles that may.
func (f *framing) fills(h Hit, langs uint32) bool {
	from, to := h.First, h.Last
	for from > 0 && (f.frame.Extent == WholeMessage || !f.splits(from) && !f.anewIn(from, from)) {
		from--
	}
	for int(to) < len(f.ts) && (f.frame.Extent != WholeClause || !f.splits(to)) {
		to++
	}
	beside := f.frame.Beside
	for _, p := range f.frame.Parts {
		beside |= p
	}
	return f.beside.holds(f, beside, langs, Span{from, to})
}

// splits reports whether a clause begins at a token, or a space beside a script that needs none stands before it.
func (f *framing) splits(at int32) bool {
	t, before := &f.ts[at], &f.ts[at-1]
	return t.clause != before.clause || t.brk == breakSoft && !(t.IsWord() && before.IsWord())
}

// keep adds the best hit unless it holds another of its frame, and takes out those that hold it.
func (f *framing) keep(known int, id PhraseID) {
	f.best.hit.Phrase = id
	if f.best.guard >= 0 {
		f.best.hit.Phrase++
	}
	for i := known; i < len(f.found); i++ {
		if f.best.holds(&f.found[i]) {
			return
		}
	}
	out := f.found[:known]
	for i := known; i < len(f.found); i++ {
		if !f.found[i].holds(&f.best) {
			out = append(out, f.found[i])
		}
	}
	f.found = append(out, f.best)
}

// holds reports whether a hit is longer than another one of its frame and language. What is of one language stands
// beside what is of several.
func (f *framed) holds(other *framed) bool {
	return f.hit.Phrase == other.hit.Phrase && f.scope&other.scope != 0 && (f.langs == 0 || other.langs != 0) &&
		f.hit.First <= other.hit.First && f.hit.Last >= other.hit.Last
}
