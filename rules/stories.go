package rules

// RuleStory says in short what became of one rule. Result and Reason are those of RuleTrace.
type RuleStory struct {
	ID     string `json:"id"`
	Result string `json:"result"`
	Reason Reason `json:"reason,omitempty"`
	// Why is what spoke for it, or against.
	Why string `json:"why,omitempty"`
}

// Stories puts into words what was Tried. Turn after turn the same is told of nearly every rule: it is remembered. Stories
// are not safe for concurrent use.
type Stories struct {
	mask   func(string) string
	policy *Policy // whose rules are remembered
	known  map[storyKey]RuleStory
	asleep [kindsOfTurns][]RuleStory // by the kind of a turn, of each rule that no fact wakes
}

// storyKey is all that a story depends on, of a rule with at most two conditions that were put into words late.
type storyKey struct {
	rule        *rule
	result      string
	reason      Reason
	first, last triedLeaf
}

// maxStories bounds what is remembered: numbers in the words may take any value.
const maxStories = 4096

// NewStories returns stories whose words go through mask where they may quote the customer.
func NewStories(mask func(string) string) *Stories { return &Stories{mask: mask} }

// Of appends what became of each rule, in the order of the file. It is nothing for the start of a session.
func (s *Stories) Of(t *Tried, all []RuleStory) []RuleStory {
	if t.policy == nil {
		return all
	}
	if s.policy != t.policy {
		s.take(t.policy)
	}
	if len(s.known) > maxStories {
		clear(s.known)
	}
	next, from := 0, 0
	for i, r := range t.policy.rules {
		n := t.kept(r, next)
		var leaves []triedLeaf
		if next < len(t.rules) && t.rules[next].rule == r {
			leaves = t.leaves[from:t.rules[next].leaves]
			from = t.rules[next].leaves
			next++
		}
		switch {
		case n == nil && t.asleep(i) && r.mode != ModeOff:
			all = append(all, s.asleep[t.kind.place()][i])
		case n == nil:
			all = append(all, t.untried(r))
		case n == &t.answer:
			all = append(all, s.of(n, nil))
		default:
			all = append(all, s.of(n, leaves))
		}
	}
	return all
}

// take begins the stories of another policy. What rules say that no fact wakes is told once and for all: it is as much as the
// file is long, so it is not among the stories that make room for others.
func (s *Stories) take(p *Policy) {
	s.policy, s.known, s.asleep = p, map[storyKey]RuleStory{}, [kindsOfTurns][]RuleStory{}
	for i := range s.asleep {
		for _, r := range p.rules {
			_, _, leaves := r.when.asleep(1<<i, false, nil)
			s.asleep[i] = append(s.asleep[i], s.tell(&triedRule{rule: r, result: "no"}, leaves))
		}
	}
}

// untried is the story of a rule that was not looked at.
func (t *Tried) untried(r *rule) RuleStory {
	m, muted := t.muted[r.id]
	absence := r.absent(t.wall, t.who)
	switch {
	case r.mode == ModeOff:
		return RuleStory{ID: r.id, Result: "off"}
	case absence != present:
		return RuleStory{ID: r.id, Result: "off", Why: absence.words(r).String()}
	case muted && t.wall.Before(m.Until):
		return RuleStory{ID: r.id, Result: "muted", Reason: ReasonMuted, Why: m.wordsAt(t.wall).String()}
	}
	return RuleStory{ID: r.id, Result: "not_tried"}
}

// of tells of a rule that was tried, from memory where it can.
func (s *Stories) of(n *triedRule, leaves []triedLeaf) RuleStory {
	key, ok := keyOf(n, leaves)
	if ok {
		if told, known := s.known[key]; known {
			return told
		}
	}
	told := s.tell(n, leaves)
	if ok {
		s.known[key] = told
	}
	return told
}

// tell puts a story into words.
func (s *Stories) tell(n *triedRule, leaves []triedLeaf) RuleStory {
	told := RuleStory{ID: n.rule.id, Result: n.result, Reason: n.reason, Why: n.why(leaves).Text(s.mask)}
	if n.words != "" && told.Why != "" {
		told.Why = n.words.String() + "; " + told.Why
	} else if n.words != "" {
		told.Why = n.words.String()
	}
	return told
}

// keyOf returns the key of a story; not ok for one that quotes, or is long.
func keyOf(n *triedRule, leaves []triedLeaf) (key storyKey, ok bool) {
	if n.words != "" || len(leaves) == 0 || len(leaves) > 2 || leaves[0].words != "" || leaves[len(leaves)-1].words != "" {
		return key, false
	}
	return storyKey{n.rule, n.result, n.reason, leaves[0], leaves[len(leaves)-1]}, true
}

// why says what decided: of a rule that does not hold the conditions that are not so, else those that are.
func (n *triedRule) why(leaves []triedLeaf) (why Why) {
	decisive := yes
	if n.result == "no" && n.reason != ReasonClosed {
		decisive = unfit
		for i := range leaves {
			decisive = min(decisive, leaves[i].speaks())
		}
	}
	for i := range leaves {
		l := &leaves[i]
		if l.speaks() != decisive {
			continue
		}
		g := Ground{Condition: l.cond.name, Words: l.text()}
		if l.inverted {
			g.Condition = "not " + g.Condition
		}
		_, g.Quotes = l.cond.leaf.(quoting)
		why = append(why, g)
	}
	return why
}
