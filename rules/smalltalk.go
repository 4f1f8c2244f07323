package rules

// maxSmallTalk is how many words or characters small talk has at most: a message that goes on for longer says something.
const maxSmallTalk = 24

// smallTalk compiles what a customer may say again and again without asking anything.
func (l *loader) smallTalk() *matchSet {
	if l.chatter == nil {
		l.chatter = &matchSet{}
		for _, name := range []string{"greeting", "thanks", "yes", "no", "polite"} {
			l.chatter.include(l.answerSet(name), 1)
		}
	}
	return l.chatter
}

// isSmallTalk says that the message is made of phrases of the set, laughter, stickers and emoji, and of nothing else.
func (e *evaluation) isSmallTalk(set *matchSet) bool {
	end := len(e.msg.Tokens())
	if end > maxSmallTalk {
		return false
	}
	for at := 0; at < end; {
		next := max(e.msg.Sticker(at), e.coveredBy(set, at))
		if next == at && e.msg.Laughs(at) {
			next++
		}
		if next == at {
			return false
		}
		at = next
	}
	return true
}

// coveredBy gives where the longest hit of a set ends that covers a token, or the token itself.
func (e *evaluation) coveredBy(set *matchSet, at int) int {
	next := int32(at)
	for i := range e.hits {
		if h := &e.hits[i]; h.First <= int32(at) && h.Last > next && set.has(h.Phrase) && e.masked(set, i) < 0 {
			next = h.Last
		}
	}
	return int(next)
}
