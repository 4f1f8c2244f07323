package decisions

import (
	"context"
	"slices"
	"strings"
	"time"

	"escalator/rules"
)

// The words of Filter.Outcomes beside the outcomes themselves.
const (
	// outcomeNear is a decision for nothing that came near to a rule.
	outcomeNear = "near"
	// outcomeQuiet is one that did not: only the history has those.
	outcomeQuiet = "none"
)

// Outcomes are the words by which decisions can be asked for.
func Outcomes() (words []string) {
	for o := rules.OutcomeTransfer; ; o++ {
		if known, _ := rules.ParseOutcome(o.String()); known != o {
			break
		}
		words = append(words, o.String())
	}
	return append(words, outcomeNear, outcomeQuiet)
}

// Filter says which decisions are asked for. What is empty asks for all.
type Filter struct {
	Session, User string
	Rule          string // that decided, came near, or would have decided
	Outcomes      []string
	Reason        string
	Label         string
	Since         time.Time
	Text          string // a part of what was said, of the matched words, why, user or session, in any case
}

// matches reports whether a record is asked for.
func (f *Filter) matches(r *Record) bool {
	return f.matchesButLabel(r) && (f.Label == "" || f.Label == r.Label)
}

// matchesButLabel is for who watches: a label that is taken back is news too.
func (f *Filter) matchesButLabel(r *Record) bool {
	return (f.Session == "" || f.Session == r.Session) &&
		(f.User == "" || f.User == r.User) &&
		(f.Reason == "" || f.Reason == string(r.Reason)) &&
		(f.Rule == "" || f.Rule == r.Rule || f.Rule == r.Near || slices.Contains(r.Shadow, f.Rule)) &&
		!r.At.Before(f.Since) &&
		(len(f.Outcomes) == 0 || slices.ContainsFunc(f.Outcomes, r.is)) &&
		(f.Text == "" || strings.Contains(r.sought, strings.ToLower(f.Text)))
}

// is reports whether a record goes by a word of Filter.Outcomes.
func (r *Record) is(word string) bool {
	switch word {
	case outcomeNear:
		return r.Outcome == rules.OutcomeNone && r.Near != ""
	case outcomeQuiet:
		return r.Outcome == rules.OutcomeNone && r.Near == "" && len(r.Shadow) == 0
	case rules.OutcomeShadow.String():
		return len(r.Shadow) > 0
	}
	return r.Outcome.String() == word
}

// prepare makes a record fit to be sought in. It is not visible yet.
func (r *Record) prepare() {
	if r.sought == "" {
		words := slices.Concat(r.Matched, []string{r.Text, r.Why, r.User, r.Session})
		r.sought = strings.ToLower(strings.Join(words, "\x00"))
	}
}

// Page is a part of the list.
type Page struct {
	Decisions []*Record `json:"decisions"` // the newest first
	Kept      int       `json:"kept"`      // of all
	Oldest    time.Time `json:"oldest,omitzero"`
	More      bool      `json:"more"` // older ones match too
	// Whole is false where the history could not be read to its end.
	Whole *bool `json:"whole,omitempty"`
}

// Page returns up to n decisions that match, older than the one with the id before ("": the
// newest). Those with the outcome none are read from the history, if they are asked for by
// that word: of the last hour, where Since does not say more. The error may be ErrNoHistory
// or one of package history.
func (l *List) Page(ctx context.Context, f *Filter, n int, before string) (*Page, error) {
	l.settle()
	l.mu.Lock()
	all := l.all
	l.handed = true
	end := len(all)
	if before != "" {
		end, _ = l.find(before)
	}
	l.mu.Unlock()
	p := &Page{Decisions: []*Record{}, Kept: len(all)}
	if len(all) > 0 {
		p.Oldest = all[0].now.Load().At
	}
	for _, k := range slices.Backward(all[:end]) {
		r := k.now.Load()
		if k.gone.Load() || !f.matches(r) {
			continue
		}
		if len(p.Decisions) == n {
			p.More = true
			break
		}
		p.Decisions = append(p.Decisions, r)
	}
	if slices.Contains(f.Outcomes, outcomeQuiet) {
		return p, l.withQuiet(ctx, p, f, n, before)
	}
	return p, nil
}

// Find returns a decision by its id, nil where it is not kept.
func (l *List) Find(id string) *Record {
	l.settle()
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.byID[id]; k != nil && !k.gone.Load() {
		return k.now.Load()
	}
	return nil
}

// IsID reports whether a text has the form of an id.
func IsID(id string) bool {
	_, ok := timeOf(id)
	return ok
}
