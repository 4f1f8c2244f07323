package decisions

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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
		(f.Text == "" || r.holds(f.Text))
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

// holds reports whether a record has words somewhere.
func (r *Record) holds(words string) bool {
	has := func(s string) bool { return containsFold(s, words) }
	return has(r.Text) || has(r.Why) || has(r.User) || has(r.Session) || slices.ContainsFunc(r.Matched, has)
}

// containsFold reports whether s has a part in any case. Nearly every place is passed over
// by its first character.
func containsFold(s, part string) bool {
	first, _ := utf8.DecodeRuneInString(part)
	lower, upper := unicode.ToLower(first), unicode.ToUpper(first)
	if lower == upper && strings.IndexFunc(part, unicode.IsLetter) < 0 {
		return strings.Contains(s, part)
	}
	for i := 0; i < len(s); {
		next := indexOf(s[i:], lower, upper)
		if next < 0 {
			return false
		}
		if i += next; beginsFold(s[i:], part) {
			return true
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return false
}

func indexOf(s string, lower, upper rune) int {
	i := strings.IndexRune(s, lower)
	if lower == upper {
		return i
	}
	if i >= 0 {
		s = s[:i]
	}
	if j := strings.IndexRune(s, upper); j >= 0 {
		return j
	}
	return i
}

func beginsFold(s, part string) bool {
	for _, want := range part {
		have, size := utf8.DecodeRuneInString(s)
		if size == 0 || have != want && unicode.ToLower(have) != unicode.ToLower(want) {
			return false
		}
		s = s[size:]
	}
	return true
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
