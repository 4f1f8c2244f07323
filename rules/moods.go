package rules

import "escalator/rules/text"

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
			if h.First < at || !set.has(h.Phrase) || e.masked(set, i) >= 0 {
				continue
			}
			if best < 0 || earlier(*h, e.hits[best]) {
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
