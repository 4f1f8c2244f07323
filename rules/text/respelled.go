package text

import "slices"

// A Respelling is a word whose typing error was forgiven.
type Respelling struct {
	Typed, Meant string // in normal form
}

// Respelled tells which words of a hit were typed wrong, and as what they were read. It is for people who
// ask why there is a hit: the search is done again for each reading.
func (m *Matcher) Respelled(msg *Message, h Hit) (all []Respelling) {
	if h.Typos == 0 {
		return nil
	}
	s := &msg.search
	frame, framed := msg.Framed(h)
	for i := h.First; i < h.Last; i++ {
		if framed && !frame.holds(i) {
			continue
		}
		for _, r := range m.vocabulary.readAt(msg, i, nil) {
			if r.typos > 0 && (framed || m.reads(s, msg, h, i, r)) {
				all = append(all, Respelling{msg.Word(int(i)), m.vocabulary.near.wordOf(r.symbol)})
				break
			}
		}
	}
	return all
}

// reads reports whether the hit h can be had while token at is read in this one way.
func (m *Matcher) reads(s *search, msg *Message, h Hit, at int32, only reading) bool {
	s.reset()
	s.hits, s.limit, s.buckets, s.blind = s.spare[:0], maxHits, everyBucket, true
	for i := h.First; i < h.Last; i++ {
		s.readings = append(s.readings[:0], only)
		if i != at {
			s.readings = m.vocabulary.readAt(msg, i, s.readings[:0])
		}
		m.step(s, msg.tokens, i, s.readings)
	}
	s.spare, s.hits = s.hits, nil
	return slices.Contains(s.spare, h)
}

// wordOf is the word that a symbol stands for where typing errors are forgiven.
func (x *typoIndex) wordOf(symbol int32) string {
	for i := range x.words {
		if w := &x.words[i]; w.symbol == symbol {
			return string(x.lettersOf(w))
		}
	}
	return ""
}
