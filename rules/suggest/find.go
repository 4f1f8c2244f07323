package suggest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/packs"
	"escalator/rules/ruletest"
)

const (
	// maxTried is how many candidates are tried for each suggestion that is asked for.
	maxTried = 4
	// maxRoleWords is how many words are tried in each role.
	maxRoleWords = 40
)

// tryRoles are the roles of $ask_human in which words are tried: who may be asked for, and what asks.
var tryRoles = []string{"person", "team", "speak", "pass", "want"}

// ErrNoList says that the rules have no list to which a suggestion could be added.
var ErrNoList = lang.Errorf("no rule in mode enforce that transfers or offers looks for $ask_human, or for a list of the file: there is nothing to add words to")

// Result is what Find found.
type Result struct {
	From struct {
		Conversations int `json:"conversations"` // messages and dialogues that are labelled count too
		Calls         int `json:"calls"`         // those in which the rules call a person
		Missed        int `json:"missed"`        // those in which they should, and do not
	} `json:"from"`
	// Suggestions are ordered by their score, the best first.
	Suggestions []Suggestion `json:"suggestions"`
	// Whole is false where time or memory did not suffice for everything.
	Whole bool `json:"whole"`
}

// Suggestion is an entry for a list, with what becomes of the same cases once it is there.
type Suggestion struct {
	Phrase string   `json:"phrase,omitempty"`
	Words  []string `json:"words,omitempty"`
	Kind   string   `json:"kind"` // phrase or word
	// Role is that of a word: $person.
	Role string `json:"role,omitempty"`
	// List is where it belongs: ask_human, ask_human.person, or a list of the file.
	List string `json:"list"`
	Lang string `json:"lang,omitempty"`
	// Score is the log-odds of the words, in standard deviations.
	Score float64 `json:"score"`
	// Catches are the cases in which a person was wanted and would now be called, FalseAlarms those in which nobody was.
	Catches     int      `json:"catches"`
	FalseAlarms int      `json:"false_alarms"`
	Examples    []string `json:"examples"` // up to three of what it catches, as they were read
	Source      string   `json:"source,omitempty"`
	// YAML is a line for `lists:`.
	YAML string `json:"yaml"`

	form form // of the list
}

// candidate is an entry to try. What it would catch is known only roughly.
type candidate struct {
	entry
	score  float64
	missed []int32
	quiet  int
}

// finder is one search under way.
type finder struct {
	in     *Input
	base   *rules.Policy
	cases  []*Case
	before []verdict
	missed []int32         // a person was wanted and not called
	quiet  []int32         // nobody was, nor called
	failed map[string]bool // tests that fail anyway
	out    Result
}

// Find looks for words that would have caught what was missed. It ends with ctx, and gives then what it has found. The
// error is ErrNoList, or says that the rules cannot be loaded.
func Find(ctx context.Context, in *Input) (*Result, error) {
	f := &finder{in: in, out: Result{Suggestions: []Suggestion{}, Whole: true}}
	var report rules.Report
	if f.base, report = in.Rules.Load(time.Time{}); f.base == nil {
		return nil, lang.Errorf("the rules cannot be loaded: %s", report.Errors[0].Message)
	}
	list := asking(f.base)
	if list == "" {
		return nil, ErrNoList
	}
	if !f.judge(ctx) {
		f.out.Whole = false
		return &f.out, nil
	}
	ranked, whole := grams(ctx, in.Cases, f.missed, f.quiet)
	f.out.Whole = whole
	candidates := f.phrases(ranked, list)
	if list == packs.Framed {
		candidates = append(candidates, f.roleWords(ctx, ranked)...)
		slices.SortStableFunc(candidates, func(a, b candidate) int {
			return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(len(b.list), len(a.list)))
		})
	}
	f.try(ctx, candidates)
	f.out.Whole = f.out.Whole && ctx.Err() == nil
	return &f.out, nil
}

// judge finds out what the rules miss as they are.
func (f *finder) judge(ctx context.Context) (ok bool) {
	for i := range f.in.Cases {
		f.cases = append(f.cases, &f.in.Cases[i])
	}
	if f.before, ok = judgeAll(ctx, f.base, f.in, f.cases); !ok {
		return false
	}
	f.failed = f.failing(ctx, f.base)
	f.out.From.Conversations = len(f.cases)
	for i, v := range f.before {
		switch {
		case v.called:
			f.out.From.Calls++
		case v.wants:
			f.missed = append(f.missed, int32(i))
		default:
			f.quiet = append(f.quiet, int32(i))
		}
	}
	f.out.From.Missed = len(f.missed)
	return true
}

// failing are the tests of the file that fail.
func (f *finder) failing(ctx context.Context, p *rules.Policy) map[string]bool {
	failed := map[string]bool{}
	report, _ := ruletest.Run(ctx, p) // who asks looks at ctx
	for _, t := range report.Tests {
		if !t.OK {
			failed[t.Name] = true
		}
	}
	return failed
}

// phrases are the n-grams that are in more missed cases than quiet ones.
func (f *finder) phrases(ranked []*gram, list string) (all []candidate) {
	for _, g := range ranked {
		if !g.alone() && len(g.missed) > g.quiet {
			all = append(all, candidate{entry{list, g.text}, g.score, g.missed, g.quiet})
		}
	}
	return all
}

// roleWords tries the best words in each role, all of a role at once. What is called then is put down to those of the
// words that are there.
func (f *finder) roleWords(ctx context.Context, ranked []*gram) (all []candidate) {
	words := map[string]bool{}
	var inOrder []string
	for _, g := range ranked {
		if len(words) < maxRoleWords && g.roleWord() {
			words[g.text] = true
			inOrder = append(inOrder, g.text)
		}
	}
	holders, cases := f.holders(words)
	for _, role := range tryRoles {
		if len(words) == 0 || ctx.Err() != nil {
			return all
		}
		found := map[string]*candidate{}
		var entries []entry
		for _, word := range inOrder {
			e := entry{packs.Framed + "." + role, word}
			entries = append(entries, e)
			found[word] = &candidate{entry: e}
		}
		p, _ := f.with(entries...)
		if p == nil {
			continue
		}
		now, ok := judgeAll(ctx, p, f.in, cases)
		if !ok {
			return all
		}
		for i, h := range holders {
			for _, word := range h.words {
				switch {
				case !now[i].called:
				case now[i].wants:
					found[word].missed = append(found[word].missed, h.of)
				default:
					found[word].quiet++
				}
			}
		}
		for _, e := range entries {
			if c := found[e.text]; customers(f.in.Cases, c.missed) >= leastCases && len(c.missed) > c.quiet {
				c.score = logOdds(len(c.missed), c.quiet, len(f.missed), len(f.quiet))
				all = append(all, *c)
			}
		}
	}
	return all
}

// holder is a case in which nobody was called, with the words that it holds.
type holder struct {
	of    int32
	words []string
}

// holders are the cases in which nobody was called that hold one of the words: only these can change.
func (f *finder) holders(words map[string]bool) (all []holder, cases []*Case) {
	r := &reader{}
	for _, i := range slices.Concat(f.missed, f.quiet) {
		h := holder{of: i}
		for _, said := range f.cases[i].texts {
			r.each(said, func(key string, _ *gram) {
				if words[key] && !slices.Contains(h.words, key) {
					h.words = append(h.words, key)
				}
			})
		}
		if h.words != nil {
			all, cases = append(all, h), append(cases, f.cases[i])
		}
	}
	return all, cases
}

// with loads the rules with entries; nil where that is refused, or would bring a warning about them.
func (f *finder) with(entries ...entry) (*rules.Policy, rules.Report) {
	set, err := add(f.in.Rules, entries...)
	if err != nil {
		return nil, rules.Report{}
	}
	return set.Load(time.Time{})
}

// worthIt says that words earn their place: beside what better ones catch, twice as much as they call without need, and
// where they do that at all, more than chance would have it.
func worthIt(catches, falseAlarms int, score float64) bool {
	return catches > 2*falseAlarms && (falseAlarms == 0 || score > 1.96)
}

// try tries one candidate after the other, until there are enough suggestions. One that catches nothing which a better one does not is
// passed over.
func (f *finder) try(ctx context.Context, candidates []candidate) {
	caught, tried, most := map[int32]bool{}, 0, f.in.Most*maxTried
	for i := range candidates {
		c := &candidates[i]
		anew := 0
		for _, of := range c.missed {
			if !caught[of] {
				anew++
			}
		}
		if anew < leastCases || !worthIt(anew, c.quiet, c.score) {
			continue
		}
		if tried == most || len(f.out.Suggestions) == f.in.Most || ctx.Err() != nil {
			f.out.Whole = f.out.Whole && tried < most
			return
		}
		tried++
		if f.in.Progress != nil {
			f.in.Progress(tried, most)
		}
		s, catches, ok := f.prove(ctx, c)
		if !ok {
			continue
		}
		anew = 0
		for _, of := range catches {
			if !caught[of] {
				anew++
			}
		}
		if !worthIt(anew, s.FalseAlarms, c.score) {
			continue
		}
		for _, of := range catches {
			caught[of] = true
		}
		f.out.Suggestions = append(f.out.Suggestions, s)
	}
}

// prove adds the candidate to the rules and judges everything anew.
func (f *finder) prove(ctx context.Context, c *candidate) (s Suggestion, catches []int32, ok bool) {
	p, report := f.with(c.entry)
	if p == nil || slices.ContainsFunc(report.Warnings, func(w rules.Problem) bool { return strings.Contains(w.Message.String(), "`"+c.text+"`") }) {
		return s, nil, false
	}
	for name := range f.failing(ctx, p) {
		if !f.failed[name] {
			return s, nil, false
		}
	}
	now, ok := judgeAll(ctx, p, f.in, f.cases)
	if !ok {
		return s, nil, false
	}
	s = Suggestion{List: c.list, Score: c.score, Examples: []string{}}
	for i, v := range now {
		switch was := f.before[i]; {
		case v.called == was.called:
		case !v.called && v.wants: // a word that was read as a typing error is one of its own now
			s.Catches--
		case !v.called:
			s.FalseAlarms--
		case v.wants:
			s.Catches++
			catches = append(catches, int32(i))
		default:
			s.FalseAlarms++
		}
	}
	if s.Catches <= s.FalseAlarms || customers(f.in.Cases, catches) < leastCases {
		return s, nil, false
	}
	f.describe(&s, c, catches)
	return s, catches, true
}

// describe says what the suggestion is, with examples.
func (f *finder) describe(s *Suggestion, c *candidate, catches []int32) {
	r, key := &reader{}, c.text
	for _, i := range catches {
		of := &f.in.Cases[i]
		for _, said := range of.texts {
			holds := false
			r.each(said, func(k string, _ *gram) { holds = holds || k == key })
			if !holds || slices.Contains(s.Examples, said) {
				continue
			}
			if len(s.Examples) == 0 {
				s.Source, s.Lang = of.Source, f.language(said)
			}
			s.Examples = append(s.Examples, said)
			break
		}
		if len(s.Examples) == 3 {
			break
		}
	}
	s.Kind, s.Phrase = "phrase", c.text
	if role, is := strings.CutPrefix(c.list, packs.Framed+"."); is {
		s.Kind, s.Role, s.Words, s.Phrase = "word", "$"+role, []string{c.text}, ""
	}
	if _, root := fileWith(f.in.Rules, c.list); root != nil {
		s.form = formOf(root, c.list)
	}
	s.YAML = s.line()
}

// language is the language of a message, "" if that is not known.
func (f *finder) language(said string) string {
	var c rules.Conversation
	f.base.Decide(&c, rules.Turn{Kind: rules.UserTurn, At: time.Unix(0, 0), Text: said})
	return c.Language()
}
