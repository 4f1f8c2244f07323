package rules

import (
	"slices"
	"strings"
	"time"

	"escalator/rules/lang"
	"escalator/rules/text"

	"go.yaml.in/yaml/v4"
)

var moodCondition = &condition{
	key: "mood", turns: onUser,
	doc:     "The weights of a list's phrases add up to a number; the sum never falls below 0.",
	example: "mood: {list: angry, at_least: 4, within: 10m}",
	aka:     []string{"sentiment", "angry"},
	value: &shape{name: "a mood", ref: "mood", form: formRecord, fields: []field{
		{key: "list", of: &shape{name: "a list's name", pattern: `^\$?[\p{L}_][\p{L}\p{N}_-]*$`}, required: true, doc: "A list with weights."},
		{key: "at_least", of: &shape{name: "a number from 1 to 1000", form: formInteger, min: 1, max: 1000}, required: true, doc: "The weights must reach this.", aka: []string{"times", "score"}},
		within,
	}, examples: []string{"{list: furious, at_least: 3, within: 10m}"}},
	build: func(l *loader, n *yaml.Node) leaf {
		list := l.get(n, "list")
		if list == nil {
			return nil
		}
		name := strings.Clone(strings.TrimPrefix(list.Value, "$"))
		switch words := l.book.lists[name]; {
		case words == nil:
			l.failUnknown(list, "list", l.book.names())
			return nil
		case l.book.answerIn(words, nil) != noAnswerGiven && words.weighted: // the list says so
			return nil
		case l.book.answerIn(words, nil) != noAnswerGiven:
			l.fail(list, "take a list of words with weights", "the list `%s` holds a whole message, $%s, which has no weight", name, l.book.answerIn(words, nil).pack())
			return nil
		}
		return &moodLeaf{
			list: name, key: stableKey("mood", name), set: l.book.listSet(name),
			atLeast: intOf(l.get(n, "at_least")), within: l.within(n),
		}
	},
}

// moodLeaf is `mood`.
type moodLeaf struct {
	list    string
	key     uint64
	set     *matchSet
	atLeast int
	within  time.Duration
}

func (l *moodLeaf) holds(e *evaluation) verdict {
	return counter(e.c.mood(l.key, e.now, l.within.Milliseconds()), l.atLeast, false)
}

func (l *moodLeaf) explain(_ *evaluation, v verdict) lang.Text {
	return lang.Say("$%s at %s", l.list, counted(v, l.within))
}

func (l *moodLeaf) appendMatches(e *evaluation, matches []Match) []Match {
	for i := range e.hits {
		if l.set.has(e.hits[i].Phrase) && l.set.weight(e.hits[i].Phrase) > 0 && e.masked(l.set, i) < 0 {
			matches = append(matches, e.match(l.set, i))
		}
	}
	return matches
}

func (l *moodLeaf) late(*evaluation, verdict) bool { return true }

func (l *moodLeaf) implies(other leaf) bool {
	b, ok := other.(*moodLeaf)
	return ok && l.key == b.key && l.atLeast >= b.atLeast && l.within == b.within
}

func (l *moodLeaf) need(p *Policy) { p.record(&moodRecorder{l.key, l.set}) }

func (l *moodLeaf) sets() []*matchSet { return []*matchSet{l.set} }

func (l *moodLeaf) in() kinds { return onUser }

func (l *moodLeaf) wakes() facts { return factMood }

func (l *moodLeaf) asleep() verdict { return counter(0, l.atLeast, false) }

// moodRecorder keeps what each message does to a mood. A list has one, whatever the conditions ask of it.
type moodRecorder struct {
	key uint64
	set *matchSet
}

func (r *moodRecorder) record(e *evaluation) {
	if e.kind != onUser || e.lacks(r.set) {
		return
	}
	// A sum never falls below 0, so what calms changes nothing while the mood is that already.
	if s, some := e.moodOf(r.set); some && (s.floor > 0 || e.c.hasMood(r.key)) {
		s.key, s.at = r.key, e.now
		e.c.own().addMood(s)
	}
}

func (r *moodRecorder) wakes() facts { return r.set.fact }

func (r *moodRecorder) absorb(other recorder) bool {
	o, ok := other.(*moodRecorder)
	return ok && o.key == r.key
}

// moodStamp is what one message did to a mood: x becomes max(floor, x+add). Weights are added one by one and the sum
// never falls below 0, and any such sequence of steps can be written in this form.
type moodStamp struct {
	key        uint64 // of the list
	at         int64
	add, floor int32
}

// maxMoodStep keeps the sums of one message within what a condition can ask for.
const maxMoodStep = 10_000

// step adds one weight to what the message did so far.
func (s *moodStamp) step(weight int32) {
	s.add = max(-maxMoodStep, min(maxMoodStep, s.add+weight))
	s.floor = max(0, min(maxMoodStep, s.floor+weight))
}

// addMood keeps what a message did to a mood.
func (m *memory) addMood(s moodStamp) {
	count, oldest := 0, -1
	for i := range m.moods {
		if m.moods[i].key == s.key {
			if count++; oldest < 0 {
				oldest = i
			}
		}
	}
	if count >= maxStamps {
		m.moods = append(m.moods[:oldest], m.moods[oldest+1:]...)
	}
	m.moods = append(m.moods, s)
}

// hasMood says that what messages did to the mood of a list is remembered.
func (c *Conversation) hasMood(key uint64) bool {
	return slices.ContainsFunc(c.recall().moods, func(s moodStamp) bool { return s.key == key })
}

// mood sums up a list's weights of the last time.
func (c *Conversation) mood(key uint64, now, within int64) int {
	sum := int32(0)
	for _, s := range c.recall().moods {
		if s.key == key && now-s.at <= within {
			sum = max(s.floor, sum+s.add)
		}
	}
	return int(sum)
}

// moodOf adds up the weights of a list's phrases in the current message, from left to right; of overlapping hits the
// first and longest counts.
func (e *evaluation) moodOf(set *matchSet) (s moodStamp, some bool) {
	for at := int32(0); ; {
		best := -1
		for i := range e.hits {
			h := &e.hits[i]
			switch {
			case h.First < at || best >= 0 && !earlier(*h, e.hits[best]):
			case set.has(h.Phrase) && e.masked(set, i) < 0: // last: it goes over all hits
				best = i
			}
		}
		if best < 0 {
			return s, some
		}
		s.step(int32(set.weight(e.hits[best].Phrase)))
		// A regular expression may hit between two words and cover none; it must not be found for ever.
		some, at = true, max(e.hits[best].Last, e.hits[best].First+1)
	}
}

// earlier orders hits from left to right, longer ones first.
func earlier(a, b text.Hit) bool {
	return a.First < b.First || a.First == b.First && a.Last > b.Last
}

// never: a mood rises by weights over 0 only.
func (l *moodLeaf) never(*Policy) lang.Text {
	for _, g := range l.set.groups {
		for _, weight := range g.weights {
			if weight > 0 {
				return ""
			}
		}
	}
	return lang.Say("no phrase of $%s has a weight over 0, so its mood never rises", l.list)
}
