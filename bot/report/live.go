package report

import (
	"context"
	"fmt"
	"time"

	"escalator/bot/history"
	"escalator/rules"
)

const (
	// keptFor is how long a report is given again, keptReports how many are.
	keptFor     = time.Minute
	keptReports = 16
	// fetchFor is how long Desk's records are read.
	fetchFor = 6 * time.Second
)

// History is where the facts of the running service lie; *history.History is one.
type History interface {
	Each(ctx context.Context, since time.Time, take func(e *history.Entry)) (whole bool, err error)
}

// Live reports on the running service. Make one with NewLive; it may be used by several
// goroutines.
type Live struct {
	history History
	desk    Desk
	now     func() time.Time
	turn    chan struct{} // of capacity 1: one report is made at a time
	made    map[period]*made
}

type period struct{ since, until time.Time }

type made struct {
	at     time.Time
	report *Report
}

// NewLive returns what reports from a history and Desk's records.
func NewLive(h History, d Desk, now func() time.Time) *Live {
	return &Live{h, d, now, make(chan struct{}, 1), map[period]*made{}}
}

// Report reports on the sessions that began in a period, whose bounds count in whole
// minutes. The same one is given again for a minute. Where Desk does not tell its records,
// the report goes without them.
func (l *Live) Report(ctx context.Context, since, until time.Time) (*Report, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	now := l.now()
	p := period{since.Truncate(time.Minute).UTC(), until.Truncate(time.Minute).UTC()}
	for q, m := range l.made {
		if now.Sub(m.at) >= keptFor {
			delete(l.made, q)
		}
	}
	if m := l.made[p]; m != nil {
		return m.report, nil
	}
	r, err := l.make(ctx, p, now)
	if err == nil && len(l.made) < keptReports {
		l.made[p] = &made{now, r}
	}
	return r, err
}

func (l *Live) make(ctx context.Context, p period, now time.Time) (*Report, error) {
	g := &Gathering{}
	// What came before the period tells that a session had begun by then.
	whole, err := l.history.Each(ctx, p.since.Add(-againWithin), func(e *history.Entry) { g.entry(e) })
	if err != nil {
		return nil, fmt.Errorf("reading history: %w", err)
	}
	g.cut = g.cut || !whole
	if now.After(g.newest) {
		g.newest = now
	}
	ctx, cancel := context.WithTimeout(ctx, fetchFor)
	defer cancel()
	if rows, all, err := Fetch(ctx, l.desk, p.since.Add(-window), minTime(now, p.until.Add(window))); err == nil {
		g.Records(rows, all)
	}
	return g.Report(p.since, p.until), nil
}

// attempts are what the outcomes of deliveries say.
var attempts = map[string]Kind{
	"assigned": Waiting, "queued": Waiting, "already_queued": Waiting, "already_human": Human, "no_agent": Nobody,
	"failed": Failed, "session_gone": Failed, "dismissed": Failed, "unanswered": Unanswered,
}

// entry takes an entry of the history.
func (g *Gathering) entry(e *history.Entry) {
	f := Fact{At: e.At, Session: e.Session, User: e.User, Stars: int(e.Rating)}
	marked, isMark := rules.MarkEvent(e.Mark)
	switch {
	case e.Kind == history.Turn && e.Outcome == rules.OutcomeTransfer.String():
		f.Kind, f.Rule = Called, e.Rule
	case e.Kind == history.Attempt:
		f.Kind = attempts[e.Outcome]
	case e.Kind == history.Turn && e.Role == "agent", e.Kind == history.Phase && e.Event != "" && e.Phase == rules.PhaseHuman.String():
		f.Kind = Human
	case e.From == rules.PhaseQueued.String() && e.Phase == rules.PhaseBot.String():
		f.Kind = Unanswered
	case e.Kind == history.Phase && e.Event != "" && e.Phase == rules.PhaseBot.String():
		f.Kind = Closed
	case isMark:
		f.Kind = Told(marked)
	}
	g.Add(f)
}

// Told is what an event of Desk says.
func Told(k rules.EventKind) Kind {
	switch k {
	case rules.EventTransferring:
		return Waiting
	case rules.EventWithHuman, rules.EventAgentMessage:
		return Human
	case rules.EventNoAgent:
		return Nobody
	case rules.EventClosed:
		return Closed
	case rules.EventSessionBegin, rules.EventUserMessage, rules.EventBotMessage:
	}
	return Seen
}
