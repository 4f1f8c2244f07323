package rules

import (
	"slices"
	"sync"

	"escalator/rules/text"
)

// smallTalk is what a customer may say again and again without asking anything. It has a matcher of its own, which is
// asked only about a short message that was sent before.
type smallTalk struct {
	matcher *text.Matcher
	packs   []chatter
}

// chatter is the phrases of one pack, and those that mask them.
type chatter struct{ ids, masks text.PhraseSet }

// maxSmallTalk is how long small talk can be, in Han characters; a word counts for two. What goes on for longer says
// something.
const maxSmallTalk = 24

// smallTalk gives what compiles the packs of small talk, with the file's changes.
func (l *loader) smallTalk() func() *smallTalk {
	switch {
	case l.chatter != nil:
	case l.book.changesPacks():
		s, err := newSmallTalk(l.book)
		if err != nil {
			l.failAt(1, 1, "", "the packs of small talk are too much for the matcher: %s", err)
		}
		l.chatter = func() *smallTalk { return s }
	default:
		ahead(&l.beside, func() (*smallTalk, error) { return packSmallTalk(), nil })
		l.chatter = packSmallTalk
	}
	return l.chatter
}

// packSmallTalk is that of all files that change no pack.
var packSmallTalk = sync.OnceValue(func() *smallTalk {
	b := newPhraseBook(&checker{})
	b.tie()
	s, err := newSmallTalk(b)
	if err != nil {
		panic("small talk of the packs: " + err.Error()) // tests load files with it
	}
	return s
})

// newSmallTalk compiles the packs of small talk. A wrong phrase of the file is left out here and reported where all phrases
// are read.
func newSmallTalk(book *phraseBook) (*smallTalk, error) {
	s := &smallTalk{}
	var b text.Builder
	for _, name := range []string{"greeting", "thanks", "yes", "no", "polite"} {
		var c chatter
		for _, e := range book.lists[name].entries {
			ids, err := b.Alternatives(e.text, e.options())
			if err != nil {
				continue
			}
			for _, id := range ids {
				c.ids.Add(id)
			}
			e.whole = true // finds the longest: "thanks a lot" and not thanks alone
			if id, err := b.Add(e.text, e.options()); err == nil {
				c.ids.Add(id)
			}
		}
		for _, e := range book.lists[name].masks {
			if id, err := b.Add(e.text, e.options()); err == nil {
				c.masks.Add(id)
			}
		}
		s.packs = append(s.packs, c)
	}
	var err error
	s.matcher, err = b.Build()
	return s, err //nolint:wrapcheck // it says what it is
}

// only says that the message is made of small talk, laughter, stickers and emoji, and of nothing else.
func (s *smallTalk) only(e *evaluation) bool {
	length := 0
	for i := range e.msg.Tokens() {
		if length++; e.msg.Tokens()[i].IsWord() {
			length++
		}
	}
	if length > maxSmallTalk {
		return false
	}
	defer e.again.Reset("") // what is pooled keeps no words
	for at := 0; at < len(e.msg.Tokens()); {
		end := e.msg.ClauseEnd(at)
		if !s.fills(e, at, end) {
			return false
		}
		at = end
	}
	return true
}

// fills says that a clause of the message, its tokens [from,to), is made of small talk. The clause is read as a message
// of its own, so that the longest phrases are found.
func (s *smallTalk) fills(e *evaluation, from, to int) bool {
	start, end := e.msg.OrigSpan(from, to)
	e.again.ResetCustomer(e.t.Text[max(0, start-1):min(len(e.t.Text), end+1)]) // with the brackets of a sticker
	e.againHits = s.matcher.Find(&e.again, e.againHits[:0])
	for at := 0; at < len(e.again.Tokens()); {
		next := max(e.again.Sticker(at), s.end(e.againHits, at))
		if next == at && e.again.Laughs(at) {
			next++
		}
		if next == at {
			return false
		}
		at = next
	}
	return true
}

// end gives where the longest phrase ends that covers a token, or the token itself.
func (s *smallTalk) end(hits []text.Hit, at int) int {
	next := int32(at)
	for _, h := range hits {
		if h.First <= int32(at) && h.Last > next && slices.ContainsFunc(s.packs, func(c chatter) bool { return c.counts(hits, h) }) {
			next = h.Last
		}
	}
	return int(next)
}

// counts says that a hit is one of the pack's, and nothing masks it.
func (c *chatter) counts(hits []text.Hit, h text.Hit) bool {
	return c.ids.Has(h.Phrase) && !slices.ContainsFunc(hits, func(m text.Hit) bool { return c.masks.Has(m.Phrase) && text.Overlaps(h, m) })
}
