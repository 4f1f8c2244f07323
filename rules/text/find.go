package text

import (
	"slices"
)

// Bounds of the work on one message, so that no list of phrases makes it slow.
// They are far above what most lists of 10,000 phrases need; beyond them hits may
// be missed, always the same ones. Groups that begin with groups cost most: of
// 90 phrases like (go|away1|to) (to|near1|go) half are missed. With at most 2,001 tokens a message costs at
// most about 2,001 × maxSteps look-ups of some nanoseconds.
const (
	maxActive  = 512     // partial hits that are followed at once
	maxSteps   = 2048    // edges and states tried for one token
	maxWaiting = 1 << 14 // partial hits that wait for the end of a group
	maxHits    = 1 << 14 // hits of one message
)

// Hit is one occurrence of a phrase: the tokens [First, Last).
type Hit struct {
	Phrase      PhraseID
	First, Last int32
	Typos       uint8 // edits that were forgiven
}

func (h Hit) len() int32 { return h.Last - h.First }

// Overlaps reports whether two hits share a token.
func Overlaps(a, b Hit) bool { return a.First < b.Last && b.First < a.Last }

// A Matcher finds all phrases of a file in a message. It is immutable, and safe for concurrent use.
type Matcher struct {
	*automaton
	vocabulary *vocabulary
	phrases    []compiled
	patterns   patterns
	frames     *frames // nil if there are none
	polite     PhraseSet
	buckets    [passes]buckets
	keepAll    bool // there are `=whole` phrases: all ends of a phrase matter until they are decided
}

// compiled is what a Matcher keeps of a phrase.
type compiled struct {
	src    string
	re     *pattern
	own    bool // a regular expression of a pack: it looks at the customer's own words only
	gap    bool // it holds a gap
	whole  bool
	plain  bool // it is words one after the other
	role   wordRole
	frame  bool
	bucket buckets
}

// Phrase returns a phrase as it was written.
func (m *Matcher) Phrase(id PhraseID) string { return m.phrases[id].src }

// Plain reports whether a phrase is words one after the other, without any of the grammar's signs.
func (m *Matcher) Plain(id PhraseID) bool { return m.phrases[id].plain }

// Len returns how many phrases there are.
func (m *Matcher) Len() int { return len(m.phrases) }

// A partial is a hit in the making: a state that was reached from a token.
type partial struct {
	state    int32
	first    int32
	deadline int32 // of a gap: the greatest cost before the token that ends it
	typos    uint8
}

// A search is the working memory of Find.
type search struct {
	matcher      *Matcher // of the last Find
	ts           []Token
	at           int32 // the current token
	active, next []partial
	waiting      []partial // of all tokens
	waits        []span    // token → those that wait before it, in waiting
	seen         []seenSlot
	round        uint32
	steps        int
	entered      int
	readings     []reading
	ends         []int32   // of each token, in readings
	meant        []uint32  // see readAll
	has          buckets   // of the anchors of the message
	buckets      buckets   // those that the pass looks for
	filled       bool      // each token is a word of a phrase that can fill a message with others
	ahead        []reading // of the token behind the current one
	blind        bool      // that is not known
	near         nearest
	spelling     []byte
	hits         []Hit
	limit        int
	prints       fingerprint
	spare        []Hit
	framing      framing
}

func (s *search) reset() {
	s.active, s.waiting, s.waits = s.active[:0], s.waiting[:0], s.waits[:0]
}

// A seenSlot is a partial of the current token that was entered already.
type seenSlot struct {
	round uint32
	state int32
	first int32
	at    int32 // in next, or -1
	typos uint8
}

const seenBits = 10 // 1,024 slots: maxActive fills half of them

// Find appends the hits of all phrases to hits, in the order of First, Last and
// Phrase. Of the hits of one phrase that begin at the same token the shortest
// is reported, and of that the one with the fewest typing errors. Regular
// expressions report their leftmost matches that do not overlap. A message in
// which no phrase means anything (see Meaning) has no hits.
func (m *Matcher) Find(msg *Message, hits []Hit) []Hit {
	s, known := &msg.search, len(hits)
	s.matcher, s.framing.found = m, s.framing.found[:0]
	s.hits = hits
	m.vocabulary.readAll(msg)
	m.scan(msg, msg.firstPass())
	told := len(s.hits)
	m.findPatterns(msg)
	if len(s.hits) > known || s.filled {
		s.hits = slices.Delete(s.hits, known, told) // they are found again
		m.scan(msg, passAll)
	}
	hits, s.hits = s.hits, nil
	if len(hits) > known {
		hits = m.settle(msg, hits, known)
	}
	return hits
}

// FindAll is Find for who asks about phrases and not about a message: it reports the hits of phrases that mean nothing by
// themselves, too.
func (m *Matcher) FindAll(msg *Message, hits []Hit) []Hit {
	s, known := &msg.search, len(hits)
	s.matcher, s.framing.found = m, s.framing.found[:0]
	if hits = m.findAll(msg, hits); len(hits) > known {
		hits = m.settle(msg, hits, known)
	}
	return hits
}

// findAll appends the hits of all phrases as they come, all ends of a phrase among them.
func (m *Matcher) findAll(msg *Message, hits []Hit) []Hit {
	s := &msg.search
	s.hits = hits
	m.vocabulary.readAll(msg)
	m.scan(msg, passAll)
	m.findPatterns(msg)
	hits, s.hits = s.hits, nil
	return hits
}

// scan adds the hits of a pass in a message that was read.
func (m *Matcher) scan(msg *Message, p pass) {
	s := &msg.search
	s.limit = len(s.hits) + maxHits
	if s.buckets = s.has & m.buckets[p]; s.buckets == 0 {
		return
	}
	s.reset()
	s.blind = false
	from := int32(0)
	for i, end := range s.ends {
		if len(s.active) > 0 || end > from {
			readings := s.readings[from:end]
			s.ahead = s.readings[end:s.ends[min(i+1, len(s.ends)-1)]]
			if len(s.active) > 0 || m.begins(s, readings) {
				m.step(s, msg.tokens, int32(i), readings)
			}
		}
		from = end
	}
}

// step takes the partial hits over token i, which is read in some ways.
func (m *Matcher) step(s *search, ts []Token, i int32, readings []reading) {
	s.ts, s.at = ts, i
	if s.seen == nil {
		s.seen = make([]seenSlot, 1<<seenBits)
	}
	s.round++
	s.steps, s.entered = maxSteps, 0
	s.next = s.next[:0]
	brk := ts[i].brk
	s.wait(m, ts, i)
	for k := range s.active {
		p := s.active[k]
		allowed := brk
		if m.states[p.state].flags&isGap != 0 {
			if !p.spans(ts, i) {
				continue
			}
			allowed = breakNone
			m.enter(s, p)
		}
		for _, r := range readings {
			m.take(s, m.follow(p.state, r.symbol), allowed, i, partial{first: p.first, typos: p.typos + r.typos})
		}
	}
	for _, r := range readings {
		m.begin(s, r.symbol, i, r.typos)
	}
	s.active, s.next = s.next, s.active
}

// begin takes what begins with a symbol over the tokens from first to the current one.
func (m *Matcher) begin(s *search, symbol, first int32, typos uint8) {
	if r := &m.roots[symbol]; r.buckets[s.gatesOf(first)]&s.buckets != 0 {
		m.take(s, m.edges[r.edges.from:r.edges.to], breakNone, first, partial{first: first, typos: typos})
	}
}

// spans reports whether the gap that p is in goes on up to token i.
func (p *partial) spans(ts []Token, i int32) bool {
	return ts[i].brk < breakSentence && ts[i].before <= p.deadline
}

// wait keeps the partial hits that stand before token i and can go on with a
// group, until a group that begins at i is found.
func (s *search) wait(m *Matcher, ts []Token, i int32) {
	for int32(len(s.waits)) <= i {
		s.waits = append(s.waits, span{})
	}
	from := len(s.waiting)
	for k := range s.active {
		p := &s.active[k]
		f := m.states[p.state].flags
		if f&calls != 0 && len(s.waiting) < maxWaiting && (f&isGap == 0 || p.spans(ts, i)) {
			s.waiting = append(s.waiting, *p)
		}
	}
	s.waits[i] = span{int32(from), int32(len(s.waiting))}
}

// complete takes the partial hits that waited before token first over a group
// that was found from there to the current token.
func (m *Matcher) complete(s *search, symbol, first int32, typos uint8) {
	m.begin(s, symbol, first, typos)
	waits := s.waits[first]
	for k := waits.from; k < waits.to && s.steps > 0; k++ {
		p := s.waiting[k]
		s.steps--
		brk := s.ts[first].brk
		if m.states[p.state].flags&isGap != 0 {
			brk = breakNone
		}
		m.take(s, m.follow(p.state, symbol), brk, first, partial{first: p.first, typos: p.typos + typos})
	}
}

// skips reports whether the hit h can be had while none of the tokens of n is
// read as a word of its phrase, that is while they stand in its gaps.
func (m *Matcher) skips(msg *Message, h, n Hit) bool {
	s := &msg.search
	if f, ok := msg.Framed(h); ok {
		return !slices.ContainsFunc(f.Parts, func(p Span) bool { return p.First <= n.First && n.Last <= p.Last })
	}
	s.reset()
	s.hits, s.limit, s.buckets, s.blind = s.spare[:0], maxHits, everyBucket, true
	for i := h.First; i < h.Last; i++ {
		s.readings = s.readings[:0]
		if i < n.First || i >= n.Last {
			s.readings = m.vocabulary.readAt(msg, i, s.readings)
		}
		m.step(s, msg.tokens, i, s.readings)
	}
	s.spare, s.hits = s.hits, nil
	return slices.ContainsFunc(s.spare, func(x Hit) bool {
		return x.Phrase == h.Phrase && x.First == h.First && x.Last == h.Last
	})
}

// take follows edges over the tokens from first to the current one.
func (m *Matcher) take(s *search, edges []edgeTo, brk uint8, first int32, p partial) {
	for _, e := range edges {
		if e.allows(&s.ts[first], brk) {
			p.state = e.to
			m.arrive(s, p)
		}
		if s.steps--; s.steps < 0 {
			return
		}
	}
}

// arrive enters a state behind the current token, and the gaps and joins behind it,
// reports the phrases that end there and goes on behind the groups that do.
func (m *Matcher) arrive(s *search, p partial) {
	if !m.opens(s, s.gatesOf(p.first), p.state) {
		return
	}
	if s.steps < 0 || !m.enter(s, p) || m.states[p.state].flags&(accepts|leadsOn) == 0 {
		return
	}
	for _, id := range m.acceptsOf(p.state) {
		if id < 0 {
			m.complete(s, ^id, p.first, p.typos)
		} else if len(s.hits) < s.limit && m.phrases[id].bucket&s.buckets != 0 {
			s.hits = append(s.hits, Hit{PhraseID(id), p.first, s.at + 1, p.typos})
		}
	}
	for _, q := range m.behindOf(p.state) {
		p.state, p.deadline = q, 0
		if m.states[q].flags&isGap != 0 {
			p.deadline = endCost(s.ts, s.at) + gapBudget
		}
		m.arrive(s, p)
	}
}

// endCost is the cost of all tokens up to token i and with it.
func endCost(ts []Token, i int32) int32 {
	if ts[i].IsWord() {
		return ts[i].before + wordCost
	}
	return ts[i].before + charCost
}

// enter adds a partial hit behind the current token, and reports whether it is new or
// better than the one there was. The same state with the same first token is
// followed once: with the fewest typing errors, in a gap also with the latest
// deadline.
func (m *Matcher) enter(s *search, p partial) bool {
	h := (edgeKey(p.state, p.first) * hashPrime) >> (64 - seenBits)
	slot := &s.seen[h]
	for ; slot.round == s.round; slot = &s.seen[h] {
		if slot.state == p.state && slot.first == p.first {
			return s.better(slot, p)
		}
		h = (h + 1) & (1<<seenBits - 1)
	}
	if s.entered == maxActive {
		return false
	}
	s.entered++
	at := int32(-1)
	if m.states[p.state].flags&live != 0 {
		at = int32(len(s.next))
		s.next = append(s.next, p)
	}
	// One by one: as a whole it would be put together elsewhere and copied, which
	// took a tenth of the time of a decision.
	slot.round, slot.state, slot.first, slot.at, slot.typos = s.round, p.state, p.first, at, p.typos
	return true
}

// better replaces the partial in a slot by p if p is better in every way. If
// each is better in one way, both are kept.
func (s *search) better(slot *seenSlot, p partial) bool {
	if slot.at < 0 {
		if p.typos >= slot.typos {
			return false
		}
		slot.typos = p.typos
		return true
	}
	old := &s.next[slot.at]
	switch {
	case p.typos >= old.typos && p.deadline <= old.deadline:
		return false
	case p.typos <= old.typos && p.deadline >= old.deadline:
		*old = p
	case s.entered < maxActive:
		s.entered++
		s.next = append(s.next, p)
	}
	slot.typos = min(slot.typos, p.typos)
	return true
}
