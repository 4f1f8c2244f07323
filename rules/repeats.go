package rules

import (
	"slices"
	"time"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

var repeatsCondition = &condition{
	key: "repeats", turns: onUser,
	doc:     "The customer sent nearly the same message this many times. Small talk (thanks, greetings, yes and no, laughter, stickers) never counts.",
	example: "repeats: {times: 3, within: 10m, similarity: 0.85, min_chars: 4}",
	aka:     []string{"repeated", "same_question"},
	value:   repeatsShape,
	build: func(l *loader, n *yaml.Node) leaf {
		s := repeatsShape
		return &repeatsLeaf{
			times: intOf(l.get(n, "times")), within: l.within(n),
			similarity: floatOf(l.value(n, s, "similarity")), minChars: intOf(l.value(n, s, "min_chars")),
			smallTalk: l.smallTalk(),
		}
	},
}

var repeatsShape = &shape{name: "how often a question may come back", ref: "repeats", form: formRecord, fields: []field{
	{key: "times", of: aRepeat, required: true, doc: "So many times, the current message included.", aka: []string{"count", "at_least", "messages"}},
	within,
	{key: "similarity", of: &shape{name: "a number from 0.1 to 1", form: formNumber, min: 0.1, max: 1, examples: []string{"0.85"}}, standard: "0.85", doc: "How alike two messages must be, 1 being equal."},
	{key: "min_chars", of: &shape{name: "a number of characters from 1 to 100", form: formInteger, min: 1, max: 100}, standard: "4", doc: "Shorter messages do not count."},
}, examples: []string{"{times: 3, within: 10m, similarity: 0.85}"}}

// repeatsLeaf is `repeats`.
type repeatsLeaf struct {
	times      int
	within     time.Duration
	similarity float64
	minChars   int
	smallTalk  *smallTalk
}

func (l *repeatsLeaf) holds(e *evaluation) verdict {
	n := 0
	if e.counted&countedPrint != 0 {
		n = e.c.talk.alike(e.now, l.within.Milliseconds(), l.similarity, l.minChars)
	}
	if n > 1 && l.smallTalk.only(e) {
		n = 0
	}
	return counter(n, l.times, n > 1)
}

func (l *repeatsLeaf) explain(_ *evaluation, v verdict) lang.Text { return counted(v, l.within) }

func (l *repeatsLeaf) late(*evaluation, verdict) bool { return true }

func (l *repeatsLeaf) implies(other leaf) bool {
	b, ok := other.(*repeatsLeaf)
	return ok && l.times >= b.times && l.within <= b.within && l.similarity >= b.similarity && l.minChars >= b.minChars
}

func (l *repeatsLeaf) need(p *Policy) {
	p.record(&printRecorder{l.minChars})
	p.repeats = append(p.repeats, l)
}

// printRecorder keeps the fingerprints of messages. There is one for all conditions: it keeps what the least of them
// asks for.
type printRecorder struct{ minChars int }

func (r *printRecorder) record(e *evaluation) {
	if e.kind != onUser {
		return
	}
	var chars int
	e.bigrams, chars = e.msg.Bigrams(e.bigrams)
	if chars >= r.minChars && len(e.bigrams) > 0 {
		e.c.ownTalk().addPrint(e.now, e.bigrams, chars)
		e.counted |= countedPrint
	}
}

func (r *printRecorder) absorb(other recorder) bool {
	o, ok := other.(*printRecorder)
	if ok {
		r.minChars = min(r.minChars, o.minChars)
	}
	return ok
}

// fingerprint stands for one message of the customer: the smallest hashes of its pairs of characters. A message of
// up to maxHashes different pairs is compared exactly; of a longer one the smallest hashes are a fair sample. The upper
// 16 bits of a hash are enough: what two different pairs share by chance is below what the sampling costs, and
// fingerprints are most of what a conversation takes.
type fingerprint struct {
	at    int64
	pairs uint16 // how many different pairs the message has
	kept  uint8  // how many of their hashes are kept
	chars uint8  // letters and digits, at most 255
}

const maxHashes = 48

// addPrint keeps the fingerprint of a message; hashes are sorted and distinct.
func (t *talk) addPrint(now int64, hashes []uint32, chars int) {
	if len(t.prints) >= maxStamps {
		gone := int(t.prints[0].kept)
		t.hashes = append(t.hashes[:0], t.hashes[gone:]...)
		t.prints = append(t.prints[:0], t.prints[1:]...)
	}
	kept := hashes[:min(len(hashes), maxHashes)]
	for _, h := range kept {
		t.hashes = append(t.hashes, uint16(h>>16))
	}
	t.prints = append(t.prints, fingerprint{now, uint16(min(len(hashes), 1<<16-1)), uint8(len(kept)), uint8(min(chars, 255))})
}

// alike counts the messages of the last time that say about the same as the last one, itself included.
func (t *talk) alike(now, within int64, similarity float64, minChars int) int {
	last := len(t.prints) - 1
	if last < 0 || int(t.prints[last].chars) < minChars {
		return 0
	}
	newest := t.prints[last]
	newestHashes := t.hashes[len(t.hashes)-int(newest.kept):]
	count, from := 0, 0
	for _, p := range t.prints {
		hashes := t.hashes[from : from+int(p.kept)]
		from += int(p.kept)
		if now-p.at <= within && int(p.chars) >= minChars && alike(p, hashes, newest, newestHashes, similarity) {
			count++
		}
	}
	return count
}

// alike says that the Dice coefficient of two messages' pairs reaches the similarity; it is 1 for equal ones.
func alike(a fingerprint, ah []uint16, b fingerprint, bh []uint16, similarity float64) bool {
	fewer, more := float64(min(a.pairs, b.pairs)), float64(max(a.pairs, b.pairs))
	if 2*fewer < similarity*(fewer+more) {
		return false // even if all pairs of the shorter one were shared
	}
	if a.pairs == b.pairs && slices.Equal(ah, bh) { // the very same words, as mostly when somebody asks again
		return true
	}
	if int(a.pairs) == len(ah) && int(b.pairs) == len(bh) {
		shared, _ := merge(ah, bh, len(ah)+len(bh))
		return 2*float64(shared) >= similarity*float64(len(ah)+len(bh))
	}
	shared, seen := merge(ah, bh, maxHashes)
	jaccard := float64(shared) / float64(seen)
	return 2*jaccard >= similarity*(1+jaccard)
}

// merge walks the smallest hashes of both and counts those that both have.
func merge(a, b []uint16, most int) (shared, seen int) {
	i, j := 0, 0
	for seen < most && i < len(a) && j < len(b) {
		x, y := a[i], b[j]
		if x == y {
			shared++
		}
		if x <= y {
			i++
		}
		if y <= x {
			j++
		}
		seen++
	}
	return shared, max(1, min(most, seen+len(a)-i+len(b)-j))
}
