package rules

import (
	"unicode"

	"escalator/rules/lang"
	"escalator/rules/text"
)

// $yes and $no are answers: they hold for a whole message that is made of their phrases, be it the answer to an offer or a
// message that `says` or `said` looks at. Everywhere else they would be looked for inside of a message, where a 好 or a
// "no" says nothing, and are an error.

// pack names the pack of an answer, "" if it has none.
func (a answer) pack() string {
	switch a {
	case answerYes:
		return "yes"
	case answerNo:
		return "no"
	default:
		return ""
	}
}

// answers is a set of answers.
type answers uint8

func (a answer) bit() answers { return 1 << a }

// answer gives what a list stands for as a whole message.
func (l *wordList) answer() answer {
	for _, a := range []answer{answerYes, answerNo} {
		if l.builtin && l.name == a.pack() {
			return a
		}
	}
	return noAnswerGiven
}

// findAnswer looks whether the whole message is an answer of the set. What is masked in it takes it back.
func (s *phraseTest) findAnswer(e *evaluation, set *matchSet) finding {
	f := finding{hit: -1, set: set}
	if set.answers == 0 || set.answers&e.answer().bit() == 0 {
		return f
	}
	f.ok, f.answer = true, e.answer()
	for i := range e.hits {
		if s.mask.Has(e.hits[i].Phrase) {
			f.ok, f.why, f.by = false, ReasonMasked, i
		}
	}
	return f
}

// checkAnswers complains about $yes and $no where they cannot be read as the answer of a customer.
func (b *phraseBook) checkAnswers() {
	for _, l := range b.order {
		switch {
		case l.builtin:
			b.refuseAnswers(l.entries, lang.Say("a change of the pack $%s", l.name))
			b.refuseAnswers(l.masks, lang.Say("a change of the pack $%s", l.name))
		case l.weighted:
			b.refuseAnswers(l.entries, "a list with weights")
		}
	}
	for _, change := range b.roles {
		b.refuseAnswers(change.add, "a role")
		b.refuseAnswers(change.without, "a role")
	}
}

// refuseAnswers complains about the file's entries that stand for $yes or $no, or for a list that holds one.
func (b *phraseBook) refuseAnswers(entries []wordEntry, where lang.Text) {
	for _, e := range entries {
		l := b.wholeList(e)
		if e.node == nil || b.bad[e.node] || l == nil {
			continue
		}
		if a := b.answerIn(l, nil); a != noAnswerGiven {
			holds := "`$" + l.name + "`"
			if l.answer() == noAnswerGiven {
				holds += ", which holds $" + a.pack() + ","
			}
			b.failInside(e, 0, "it is a customer's whole message, for `says` and `said`; elsewhere write the words themselves", "%s cannot stand in %s", holds, where)
		}
	}
}

// answerIn finds an answer for which a list stands or that it holds, also through other lists.
func (b *phraseBook) answerIn(l *wordList, path []*wordList) answer {
	if a := l.answer(); a != noAnswerGiven || l.builtin || len(path) > len(b.lists) { // the last: lists in a circle
		return a
	}
	for _, e := range l.entries {
		if inner := b.wholeList(e); inner != nil {
			if a := b.answerIn(inner, append(path, l)); a != noAnswerGiven {
				return a
			}
		}
	}
	return noAnswerGiven
}

// answerSets compiles $yes and $no when some rule makes an offer, or looks for one of them.
func (l *loader) answerSets() {
	needed := l.book.answered
	for _, r := range l.policy.rules {
		needed = needed || r.offer != nil
	}
	if needed {
		l.policy.yes, l.policy.no = l.answerSet(answerYes.pack()), l.answerSet(answerNo.pack())
	}
}

// answerSet compiles a pack of whose phrases a whole message may be made: each phrase as the whole message, and as a
// part of it, so that "yes, connect me" is found too when it is made of two phrases. As parts, alternatives stand alone:
// the matcher reports the shortest hit of a phrase, and the longest one is wanted here.
func (l *loader) answerSet(name string) *matchSet {
	list := l.book.lists[name]
	list.used = true
	var entries []wordEntry
	for _, e := range list.entries {
		whole, part := e, e
		whole.whole, part.apart = true, true
		entries = append(entries, part, whole)
	}
	return l.book.setOf(entries, list)
}

// ids gives all phrases of a set.
func (s *matchSet) ids() text.PhraseSet {
	var all text.PhraseSet
	for _, g := range s.groups {
		for id := range g.weights {
			all.Add(id)
		}
	}
	return all
}

// answer is what a message, or a part of it, says to a question such as an offer.
type answer uint8

const (
	noAnswerGiven answer = iota
	answerPolite         // a word of $yes that is a polite one too, as in "ok, no thanks": a yes if nothing else is said
	answerYes
	answerNo
	answerBoth
)

// and joins what two parts of a message say.
func (a answer) and(b answer) answer {
	if min(a, b) <= answerPolite || a == b {
		return max(a, b)
	}
	return answerBoth
}

// answer reads the whole message as an answer: it is made of phrases of $yes or of $no, of polite words, and of nothing
// else ("yes please", 好的，可以的). One with both a yes and a no in it is neither.
func (e *evaluation) answer() answer {
	if !e.answerRead {
		e.answerRead, e.answered = true, e.readAnswer()
	}
	return e.answered
}

func (e *evaluation) readAnswer() answer {
	end := int32(len(e.msg.Tokens()))
	switch {
	case end == 0 && isThumb(e.t.Text):
		return answerYes
	case e.found&factAnswer == 0:
		return noAnswerGiven
	}
	said := noAnswerGiven
	for at := int32(0); at < end; {
		next, part := e.covered(at)
		if next == at {
			return noAnswerGiven
		}
		at, said = next, said.and(part)
	}
	switch said {
	case answerPolite, answerYes:
		return answerYes
	case answerNo:
		return answerNo
	default:
		return noAnswerGiven
	}
}

// covered gives where the longest yes or no that covers a token ends and which it is, failing that the longest polite
// word.
func (e *evaluation) covered(at int32) (next int32, part answer) {
	next = at
	polite := at
	for i := range e.hits {
		h := &e.hits[i]
		if h.First > at || h.Last <= at {
			continue
		}
		if e.p.polite.has(h.Phrase) {
			polite = max(polite, h.Last)
		}
		switch {
		case h.Last <= next:
		case e.p.no.has(h.Phrase) && e.masked(e.p.no, i) < 0:
			next, part = h.Last, answerNo
		case e.p.yes.has(h.Phrase) && e.masked(e.p.yes, i) < 0:
			next, part = h.Last, answerYes
		}
	}
	switch {
	case part == noAnswerGiven:
		return polite, part
	case part == answerYes && polite >= next:
		return polite, answerPolite
	}
	return next, part
}

// isThumb says that a message without words is a sign of consent.
func isThumb(s string) bool {
	some := false
	for _, r := range s {
		switch {
		case r == '👍' || r == '👌':
			some = true
		case r >= '🏻' && r <= '🏿', r == '\uFE0F': // the colour of the skin, and how it is shown
		case !unicode.IsSpace(r) && !unicode.IsPunct(r):
			return false
		}
	}
	return some
}

// wholeMessage describes the whole message as an answer.
func (e *evaluation) wholeMessage(a answer) Match {
	start, end := 0, len(e.t.Text)
	if n := len(e.msg.Tokens()); n > 0 {
		start, end = e.msg.OrigSpan(0, n)
	}
	return Match{Phrase: "$" + a.pack(), Text: e.t.Text[start:end], Start: start, End: end}
}

// apartAnswers says why a message cannot be found in all the sets, "" if it can: a message is one answer, not two.
func apartAnswers(sets []*matchSet) lang.Text {
	left := ^answers(0)
	for _, s := range sets {
		if s.answers != 0 && len(s.groups) == 0 {
			left &= s.answers
		}
	}
	if left == 0 {
		return "a message that is $yes and $no is neither"
	}
	return ""
}
