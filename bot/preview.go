package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"escalator/bot/decisions"
	"escalator/bot/history"
	"escalator/rules"
	"escalator/rules/replay"
)

const (
	// previewFor bounds the time of a preview.
	previewFor = 8 * time.Second
	// maxPreviewed bounds the decisions of a preview: the newest are looked at.
	maxPreviewed = 1000
)

// Preview is what would have become of a rule's decisions had it been muted, by playing what
// the history holds of their conversations under the rules in force.
type Preview struct {
	Since     time.Time           `json:"since"`
	Decisions []*decisions.Record `json:"decisions"` // that the rule made, newest first
	Count     int                 `json:"count"`
	// Without counts what the turns would have led to instead, by outcome.
	Without map[string]int `json:"without"`
	// Again is how many of the decisions the rules in force make again, the rule not muted: where
	// that is less than Count the rules have changed, or they ask for what the history does not
	// hold: fields, agents and queue, words that are masked.
	Again int `json:"again"`
	// Masked is how many of the customers' messages were not kept as they were said.
	Masked int `json:"masked"`
	// Whole says that nothing was left out.
	Whole bool `json:"whole"`
}

// Preview plays the decisions of a rule since a time without it. The error may be
// ErrNoHistory or one of package history.
func (b *Bot) Preview(ctx context.Context, rule string, since time.Time) (*Preview, error) {
	if b.History == nil {
		return nil, ErrNoHistory
	}
	ctx, cancel := context.WithTimeout(ctx, previewFor)
	defer cancel()
	p := &Preview{Since: since.UTC(), Decisions: []*decisions.Record{}, Without: map[string]int{}}
	sessions, made := map[string]time.Time{}, 0
	whole, err := b.History.Each(ctx, since, func(e *history.Entry) {
		if decidedBy(e, rule) {
			made++
			if e.At.After(sessions[e.Session]) {
				sessions[e.Session] = e.At
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("reading the decisions of a rule: %w", err)
	}
	names := make([]string, 0, len(sessions))
	for name := range sessions {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int { return sessions[y].Compare(sessions[x]) })
	for _, name := range names {
		told, err := b.Conversation(ctx, name)
		if err != nil || len(p.Decisions) >= maxPreviewed {
			break
		}
		p.play(b, told.Entries, rule)
	}
	slices.SortStableFunc(p.Decisions, func(x, y *decisions.Record) int { return y.At.Compare(x.At) })
	p.Count = len(p.Decisions)
	p.Whole = whole && p.Count == made
	return p, nil
}

// decidedBy reports whether a rule has made what a turn led to.
func decidedBy(e *history.Entry, rule string) bool {
	o, _ := rules.ParseOutcome(e.Outcome)
	return e.Rule == rule && (e.Kind == history.Turn || e.Kind == history.Asked) &&
		o != rules.OutcomeNone && o != rules.OutcomeSuppressed
}

// play plays one conversation with the rule muted, and as it is.
func (p *Preview) play(b *Bot, entries []history.Entry, rule string) {
	muted := rules.Muted{rule: {Until: b.Clock.Wall().Add(time.Hour)}}
	for id, m := range b.Muted() {
		if m.Until.After(b.Clock.Wall()) {
			muted[id] = m
		}
	}
	without, as := replay.NewPlayer(b.Policy()), replay.NewPlayer(b.Policy())
	without.Mute(muted)
	gone := false // the rule took the customer to a person, and would not have
	for i := range entries {
		e := &entries[i]
		event, ok := eventOf(e)
		if !ok {
			continue
		}
		again := outcomeOf(as.Play(event), e)
		switch {
		case event.Turn != nil && (event.Turn.Kind == rules.StartTurn), event.Turn == nil && event.Observe == rules.EventClosed:
			gone = false
		case gone && event.Turn == nil: // nobody would have been there
			continue
		}
		instead := outcomeOf(without.Play(event), e)
		if e.Kind == history.Turn && e.Role == rules.UserTurn.String() && !e.At.Before(p.Since) && (strings.Contains(e.Text, "***") || strings.HasSuffix(e.Text, "…") || e.Text == "" && len(e.Sends) == 0) {
			p.Masked++
		}
		if !decidedBy(e, rule) || e.At.Before(p.Since) {
			continue
		}
		p.Decisions = append(p.Decisions, decisions.OfTurn(e))
		p.Without[instead.Outcome.String()]++
		if again.Rule == rule && again.Outcome.String() == e.Outcome {
			p.Again++
		}
		gone = gone || e.Outcome == rules.OutcomeTransfer.String() && instead.Outcome != rules.OutcomeTransfer
	}
}

// outcomeOf is what the steps of one turn led to.
func outcomeOf(steps []replay.Step, e *history.Entry) rules.Decision {
	if e.Role == rules.TimerTurn.String() { // it came due by itself before
		for _, s := range steps {
			if s.Decision.Outcome != rules.OutcomeNone {
				return s.Decision
			}
		}
	}
	return steps[len(steps)-1].Decision
}

// eventOf makes an event to play of an entry; not ok for one that is none.
func eventOf(e *history.Entry) (event replay.Event, ok bool) {
	event = replay.Event{Session: e.Session, User: e.User, At: e.At, Agent: e.Agent, Ask: e.Kind == history.Asked}
	switch {
	case e.Kind == history.Phase:
		event.Observe, ok = phaseEvent(e)
		return event, ok
	case e.Kind != history.Turn && e.Kind != history.Asked:
		return event, false
	case e.Role == "agent":
		event.Observe = rules.EventAgentMessage
		return event, true
	}
	turn := &rules.Turn{Text: e.Text, Mark: e.Mark, UserID: e.User, SessionID: e.Session, Failed: e.Error == ownBotFailed}
	for _, name := range e.Sends {
		kind, _ := rules.ParseSends(name)
		turn.Sends |= kind
	}
	for _, kind := range []rules.TurnKind{rules.UserTurn, rules.BotTurn, rules.TimerTurn, rules.StartTurn} {
		if kind.String() == e.Role {
			turn.Kind, ok = kind, true
		}
	}
	event.Turn = turn
	return event, ok
}

// phaseEvent is what moved the phase. That Desk took a transfer the player knows by itself.
func phaseEvent(e *history.Entry) (k rules.EventKind, ok bool) {
	switch {
	case e.Phase == rules.PhaseHuman.String():
		return rules.EventWithHuman, true
	case e.Phase == rules.PhaseQueued.String():
		return rules.EventTransferring, true
	case e.Phase == rules.PhaseBot.String() && e.Event == "":
		return rules.EventNoAgent, true
	case e.Phase == rules.PhaseBot.String():
		return rules.EventClosed, true
	}
	return k, false
}
