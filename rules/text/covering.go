package text

import "slices"

// A covering is the languages of which a word of some roles covers each token. It is made once for a frame, for a long
// message may have a thousand hits of it.
type covering struct {
	langs []uint32
	ready bool
}

// holds reports whether words of some roles and languages cover all tokens of a span.
func (c *covering) holds(f *framing, roles RoleSet, langs uint32, s Span) bool {
	if !c.ready {
		c.langs, c.ready = slices.Grow(c.langs[:0], len(f.ts))[:len(f.ts)], true
		clear(c.langs)
		for _, w := range f.words {
			switch {
			case !roles.Has(w.role):
				continue
			case f.of.grammar.Aside.Has(w.role):
				w.langs = everyLanguage
			}
			for k := w.First; k < w.Last; k++ {
				c.langs[k] |= w.langs
			}
		}
	}
	return !slices.ContainsFunc(c.langs[s.First:s.Last], func(of uint32) bool { return of&langs == 0 })
}
