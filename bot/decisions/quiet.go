package decisions

import (
	"cmp"
	"context"
	"slices"
	"time"

	"escalator/bot/history"
	"escalator/rules/lang"
)

// ErrNoHistory says that decisions for nothing are kept nowhere.
var ErrNoHistory = lang.Errorf("decisions with the outcome none are read from the history, and no history is kept: ESCALATOR_HISTORY_FOR is 0s")

// quietFor is how far back decisions for nothing are looked for, unless it is said.
const quietFor = time.Hour

// withQuiet adds to a page the turns for nothing, which only the history has. The error may
// be ErrNoHistory, or one of package history.
func (l *List) withQuiet(ctx context.Context, p *Page, f *Filter, n int, before string) error {
	if l.History == nil {
		return ErrNoHistory
	}
	end, bounded := timeOf(before)
	if !bounded {
		end = l.Wall()
	}
	since := f.Since
	if since.IsZero() {
		since = end.Add(-quietFor)
	}
	only := *f
	only.Outcomes, only.Label = []string{outcomeQuiet}, "" // the history knows no labels
	var found []*Record
	whole, err := l.History.Each(ctx, since, func(e *history.Entry) {
		if e.Kind != history.Turn || e.ID != "" {
			return
		}
		r := OfTurn(e)
		r.prepare()
		if !only.matches(r) {
			return
		}
		if r.ID = quietID(e); before != "" && r.ID >= before {
			return
		}
		if found = append(found, r); len(found) > 2*(n+1) {
			found = newestFirst(found)[:n+1]
		}
	})
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(l.withLabels(ctx, newestFirst(found)), func(r *Record) bool { return f.Label != "" && f.Label != r.Label })
	p.Whole = &whole
	p.Decisions = newestFirst(append(p.Decisions, found...))
	if len(p.Decisions) > n {
		p.Decisions, p.More = p.Decisions[:n], true
	}
	return nil
}

// withLabels shows the labels of turns for nothing.
func (l *List) withLabels(ctx context.Context, all []*Record) []*Record {
	labels, err := l.Labels(ctx)
	if err != nil {
		return all // they are shown without
	}
	byID := map[string]*Label{}
	for _, a := range labels {
		byID[a.ID] = a
	}
	for i, r := range all {
		if a := byID[r.ID]; a != nil {
			all[i] = labelled(r, a)
		}
	}
	return all
}

func newestFirst(all []*Record) []*Record {
	slices.SortFunc(all, func(a, b *Record) int { return cmp.Compare(b.ID, a.ID) })
	return all
}
