package bot

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"escalator/bot/decisions"
	"escalator/bot/history"
	"escalator/rules"
	"escalator/rules/replay"
	"escalator/rules/suggest"
)

// maxSuggestEvents bounds what is taken of the history: some 500 bytes each.
const maxSuggestEvents = 200_000

// Suggest proposes at most n phrases that would have caught what the rules of a set missed since a time, by the history and
// by all labels. What ctx leaves no time for is left out (Whole). The error may be ErrNoHistory, one of package history, or one of suggest.Find.
func (b *Bot) Suggest(ctx context.Context, set rules.Set, since time.Time, n int) (*suggest.Result, error) {
	if b.History == nil {
		return nil, ErrNoHistory
	}
	policy, _ := set.Load(time.Time{})
	if policy == nil {
		policy = b.Policy() // Find says what is wrong with the set
	}
	talks, events := map[string][]replay.Event{}, 0
	whole, err := b.History.Each(ctx, since, func(e *history.Entry) {
		event, ok := eventOf(e)
		if events++; ok && events <= maxSuggestEvents {
			talks[e.Session] = append(talks[e.Session], event)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("reading the history: %w", err)
	}
	said, err := b.decisions.Labels(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the labels: %w", err)
	}
	labelled := map[string][]*decisions.Label{}
	for _, l := range said {
		labelled[l.Session] = append(labelled[l.Session], l)
	}
	var cases []suggest.Case
	for _, session := range slices.Sorted(maps.Keys(talks)) {
		told := talks[session]
		slices.SortStableFunc(told, func(x, y replay.Event) int { return x.At.Compare(y.At) })
		for _, c := range suggest.Happened(policy, told) {
			if slices.ContainsFunc(labelled[session], func(l *decisions.Label) bool { return c.Contradicts(l.Text, l.Wanted()) }) {
				continue // the label says it
			}
			c.Source = "conversation " + session
			cases = append(cases, c)
		}
	}
	labels, _, err := b.decisions.Lessons(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the labels: %w", err)
	}
	err = replay.ReadLines(bytes.NewReader(labels), func(_ int, rec *replay.Record) {
		if c, ok := suggest.Labelled(rec); ok {
			c.Source = "label of " + rec.ID
			cases = append(cases, c)
		}
	}, func(*replay.LineError) {})
	if err != nil {
		return nil, fmt.Errorf("reading the labels: %w", err)
	}
	found, err := suggest.Find(ctx, &suggest.Input{Rules: set, Cases: cases, Positive: "human", At: b.Clock.Wall(), Most: n, Workers: 1})
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what is wrong
	}
	found.Whole = found.Whole && whole && events <= maxSuggestEvents
	return found, nil
}
