// Package score measures a policy on labelled messages and dialogues: how often
// it calls a person when it should, and when it should not.
package score

import (
	"encoding/json"
	"math"
	"slices"
	"time"

	"escalator/rules"
	"escalator/rules/replay"
)

// Counts is a confusion matrix.
type Counts struct {
	TP, FP, FN, TN int
}

func (c *Counts) add(want, got bool) {
	switch {
	case want && got:
		c.TP++
	case got:
		c.FP++
	case want:
		c.FN++
	default:
		c.TN++
	}
}

// N is how many were scored.
func (c Counts) N() int { return c.TP + c.FP + c.FN + c.TN }

// Precision is the share of calls for a person that were right; 1 without any.
func (c Counts) Precision() float64 { return ratio(c.TP, c.TP+c.FP) }

// Recall is the share of wishes for a person that were heard; 1 without any.
func (c Counts) Recall() float64 { return ratio(c.TP, c.TP+c.FN) }

// F1 is the harmonic mean of precision and recall.
func (c Counts) F1() float64 { return ratio(2*c.TP, 2*c.TP+c.FP+c.FN) }

func ratio(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return math.Round(1e4*float64(part)/float64(whole)) / 1e4
}

// MarshalJSON writes the counts with the ratios made of them.
func (c Counts) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"n": c.N(), "tp": c.TP, "fp": c.FP, "fn": c.FN, "tn": c.TN,
		"precision": c.Precision(), "recall": c.Recall(), "f1": c.F1(),
	})
}

// RuleCounts is how often a rule called a person, and how often rightly.
type RuleCounts struct {
	TP int `json:"tp"`
	FP int `json:"fp"`
}

func (r *RuleCounts) add(rightly bool) {
	if rightly {
		r.TP++
	} else {
		r.FP++
	}
}

// Wrong is one that the policy got wrong.
type Wrong struct {
	Text  string `json:"text"`
	Lang  string `json:"lang,omitempty"`
	Label string `json:"label"`
	Rule  string `json:"rule,omitempty"` // that called a person without need; empty: none called
}

// Score is the result.
type Score struct {
	Counts
	ByLang map[string]*Counts
	ByRule map[string]*RuleCounts
	// Shadow is what shadow rules would have called; it does not count above.
	Shadow map[string]*RuleCounts
	Wrong  []Wrong
}

// Scorer adds up records.
type Scorer struct {
	Policy   *rules.Policy
	Positive string    // the label that means: the writer wants a person
	At       time.Time // when utterances are said, and dialogues begin
	User     string    // who says it, for shares; "": everybody is in every share
	score    Score
}

// Verdict is what the policy did with one record.
type Verdict struct {
	Want   bool
	Got    bool
	Rule   string
	Shadow []string // shadow rules that would have called a person
}

// Labelled reports whether a record has a label to compare with.
func Labelled(rec *replay.Record) bool {
	switch {
	case rec.Body != nil:
		return false
	case rec.Turns != nil:
		return rec.Transferred != nil
	default:
		return rec.Label != ""
	}
}

// Judge runs one labelled record in a conversation of its own. A message counts as
// called when a rule transfers or offers; a dialogue when it goes to a person: an
// offer that its customer does not accept is no call. It changes nothing and may be
// called by several goroutines at once.
func (s *Scorer) Judge(rec *replay.Record) Verdict {
	if rec.Turns == nil {
		d := s.Policy.Decide(new(rules.Conversation), rules.Turn{Kind: rules.UserTurn, At: s.At, Text: rec.Text, UserID: s.User})
		v := Verdict{Want: rec.Label == s.Positive, Got: d.Outcome == rules.OutcomeTransfer || d.Outcome == rules.OutcomeOffer, Rule: d.Rule}
		v.watch(d)
		return v
	}
	v := Verdict{Want: *rec.Transferred}
	player := replay.NewPlayer(s.Policy)
	for _, e := range rec.Events(rec.ID, s.At) {
		if e.Turn != nil {
			e.Turn.UserID = s.User
		}
		for _, step := range player.Play(e) {
			if step.Decision.Outcome == rules.OutcomeTransfer && !v.Got {
				v.Got, v.Rule = true, step.Decision.Rule
			}
			v.watch(step.Decision)
		}
	}
	return v
}

// watch notes the shadow rules that would have called a person.
func (v *Verdict) watch(d rules.Decision) {
	for _, w := range d.Would {
		calls := w.Outcome == rules.OutcomeTransfer || w.Outcome == rules.OutcomeOffer
		if calls && !slices.Contains(v.Shadow, w.Rule) {
			v.Shadow = append(v.Shadow, w.Rule)
		}
	}
}

// Add counts a verdict.
func (s *Scorer) Add(rec *replay.Record, v Verdict) {
	sum := s.Score()
	sum.add(v.Want, v.Got)
	entry(sum.ByLang, rec.Lang).add(v.Want, v.Got)
	if v.Got {
		entry(sum.ByRule, v.Rule).add(v.Want)
	}
	for _, id := range v.Shadow {
		entry(sum.Shadow, id).add(v.Want)
	}
	if v.Want != v.Got {
		w := Wrong{Text: rec.Text, Lang: rec.Lang, Label: rec.Label}
		if rec.Turns != nil {
			w.Text, w.Label = "dialogue "+rec.ID, "transferred"
			if !v.Want {
				w.Label = "not transferred"
			}
		}
		if v.Got {
			w.Rule = v.Rule
		}
		sum.Wrong = append(sum.Wrong, w)
	}
}

func entry[T any](m map[string]*T, key string) *T {
	if m[key] == nil {
		m[key] = new(T)
	}
	return m[key]
}

// Score returns the sum so far.
func (s *Scorer) Score() *Score {
	if s.score.ByLang == nil {
		s.score.ByLang, s.score.ByRule, s.score.Shadow = map[string]*Counts{}, map[string]*RuleCounts{}, map[string]*RuleCounts{}
	}
	return &s.score
}

// MarshalJSON writes the score as CONTRACT.md 6 has it. Of nothing there are no
// ratios: they are null.
func (s *Score) MarshalJSON() ([]byte, error) {
	c := s.Counts
	figure := func(ratio float64) *float64 {
		if c.N() == 0 {
			return nil
		}
		return &ratio
	}
	return json.Marshal(struct {
		N         int                    `json:"n"`
		TP        int                    `json:"tp"`
		FP        int                    `json:"fp"`
		FN        int                    `json:"fn"`
		TN        int                    `json:"tn"`
		Precision *float64               `json:"precision"`
		Recall    *float64               `json:"recall"`
		F1        *float64               `json:"f1"`
		ByLang    map[string]*Counts     `json:"by_lang"`
		ByRule    map[string]*RuleCounts `json:"by_rule"`
		Shadow    map[string]*RuleCounts `json:"shadow,omitempty"`
	}{c.N(), c.TP, c.FP, c.FN, c.TN, figure(c.Precision()), figure(c.Recall()), figure(c.F1()), s.ByLang, s.ByRule, s.Shadow})
}
