package report

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"escalator/bot/desk"
	"escalator/bot/history"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func minutes(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

func seconds(n int) *time.Duration { d := time.Duration(n) * time.Second; return &d }

// called is a session in which a rule called at minute 1.
func called(more ...Fact) []Fact {
	facts := []Fact{{At: noon, Session: "s", User: "li"}, {At: minutes(1), Session: "s", User: "li", Kind: Called, Rule: "ask"}}
	for _, f := range more {
		f.Session = "s"
		facts = append(facts, f)
	}
	return facts
}

// TestReport_whatBecameOfACall says what each combination of facts and records means, and
// what it leaves unknown.
func TestReport_whatBecameOfACall(t *testing.T) {
	record := func(change func(r *desk.SessionRecord)) []desk.SessionRecord {
		r := desk.SessionRecord{SessionID: "s", At: noon}
		change(&r)
		return []desk.SessionRecord{r}
	}
	for name, c := range map[string]struct {
		facts   []Fact
		records []desk.SessionRecord // nil: none were given
		part    bool                 // there are more records than these
		want    outcome
		alone   answer
	}{
		"nothing more is known":                  {called(), nil, false, unknown, maybe},
		"an agent speaks":                        {called(Fact{At: minutes(2), Kind: Human}), nil, false, taken, no},
		"nobody was there":                       {called(Fact{At: minutes(1), Kind: Nobody}), nil, false, nobody, yes},
		"nobody, then one in the queue":          {called(Fact{At: minutes(1), Kind: Nobody}, Fact{At: minutes(2), Kind: Waiting}), nil, false, unknown, maybe},
		"waits, and the session ends":            {called(Fact{At: minutes(1), Kind: Waiting}, Fact{At: minutes(5), Kind: Closed}), nil, false, unanswered, yes},
		"left the queue":                         {called(Fact{At: minutes(1), Kind: Waiting}, Fact{At: minutes(5), Kind: Unanswered}), nil, false, unanswered, yes},
		"was given up":                           {called(Fact{At: minutes(3), Kind: Failed}), nil, false, failed, yes},
		"an agent before the call does not help": {append(called(), Fact{At: noon, Session: "s", Kind: Human}), nil, false, unknown, no},
		"a record with an agent":                 {called(), record(func(r *desk.SessionRecord) { r.AgentID, r.Duration = "li", seconds(40) }), false, taken, no},
		"an agent who ended it":                  {called(), record(func(r *desk.SessionRecord) { r.AgentID, r.EndStatus = "li", desk.EndedByAgent }), false, taken, no},
		"an agent who never took it":             {called(), record(func(r *desk.SessionRecord) { r.AgentID, r.Duration = "li", seconds(0) }), false, unanswered, yes},
		"an agent, and nothing else":             {called(), record(func(r *desk.SessionRecord) { r.AgentID = "li" }), false, unknown, maybe},
		"a record without an agent":              {called(), record(func(r *desk.SessionRecord) { r.NoAgent = true }), false, unanswered, yes},
		"a record that leaves the agent out":     {called(), record(func(*desk.SessionRecord) {}), false, unknown, maybe},
		"no record among all":                    {called(), []desk.SessionRecord{}, false, unknown, yes},
		"no record among some":                   {called(), []desk.SessionRecord{}, true, unknown, maybe},
		"a record of another session":            {called(), []desk.SessionRecord{{SessionID: "t", AgentID: "li", Duration: seconds(5)}}, false, unknown, yes},
	} {
		g := &Gathering{}
		for _, f := range c.facts {
			g.Add(f)
		}
		g.Add(Fact{At: minutes(100), Session: "later"}) // what came before is over
		if c.records != nil {
			g.Records(c.records, !c.part)
		}
		if got := g.sessions["s"].outcome(); got != c.want {
			t.Errorf("%s: outcome %d, want %d", name, got, c.want)
		}
		r := g.Report(time.Time{}, minutes(50))
		want := Report{Sessions: 1}
		switch c.alone {
		case yes:
			want.Alone = 1
		case no:
			want.WithPerson = 1
		case maybe:
			want.Unknown = 1
		}
		if r.Sessions != 1 || r.Alone != want.Alone || r.WithPerson != want.WithPerson || r.Unknown != want.Unknown || (r.Containment == nil) != (c.alone == maybe) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestReport_noFigureIs0_whileOneIsUnknown has two sessions, one of which nobody knows.
func TestReport_noFigureIs0_whileOneIsUnknown(t *testing.T) {
	g := &Gathering{}
	for _, session := range []string{"known", "unknown"} {
		g.Add(Fact{At: noon, Session: session, Kind: Called, Rule: "ask"})
	}
	g.Records([]desk.SessionRecord{{SessionID: "known", AgentID: "li", Duration: seconds(20), Rating: new(4), At: noon}}, true)
	got := g.Report(time.Time{}, time.Time{}).Rules
	want := []Row{{Rule: "ask", Called: 2, Taken: new(1), Unknown: 1, Short: new(1), ShortOf: 1, Rating: new(4.0), Rated: 1}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Row{})); diff != "" {
		t.Error(diff)
	}
}

func TestReport_askedAgain_isKnownAfterADay(t *testing.T) {
	for name, c := range map[string]struct {
		second Fact
		end    time.Time
		again  *int
		of     int
	}{
		"another session":     {Fact{At: minutes(60), Session: "b", User: "li", Kind: Called}, minutes(61), new(1), 1},
		"the same session":    {Fact{At: minutes(60), Session: "a", User: "li", Kind: Called}, noon.Add(26 * time.Hour), new(0), 1},
		"another customer":    {Fact{At: minutes(60), Session: "b", User: "wu", Kind: Called}, noon.Add(24 * time.Hour), new(0), 1},
		"after a day":         {Fact{At: noon.Add(25 * time.Hour), Session: "b", User: "li", Kind: Called}, noon.Add(25 * time.Hour), new(0), 1},
		"it may happen yet":   {Fact{At: minutes(60), Session: "b", User: "li"}, minutes(61), nil, 0},
		"nobody knows who it": {Fact{At: minutes(60), Session: "b", Kind: Called}, minutes(61), nil, 0},
	} {
		g := &Gathering{}
		g.Add(Fact{At: noon, Session: "a", User: "li", Kind: Called, Rule: "first"})
		if c.second.Kind == Called {
			c.second.Rule = "first"
		}
		g.Add(c.second)
		g.Add(Fact{At: c.end, Session: "end"})
		w := g.Report(time.Time{}, minutes(30)).All // the first session's
		if diff := cmp.Diff([]any{c.again, c.of}, []any{w.Again, w.AgainOf}); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// TestGathering_theOrderOfFacts_doesNotMatter adds the same facts in any order.
func TestGathering_theOrderOfFacts_doesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var facts []Fact
		for i := range rapid.IntRange(1, 12).Draw(t, "facts") {
			facts = append(facts, Fact{ // no two at a time
				At: minutes(i), Session: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "session"), User: "li",
				Kind: Kind(rapid.IntRange(0, int(Closed)).Draw(t, "kind")), Rule: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "rule"),
			})
		}
		report := func(facts []Fact) *Report {
			g := &Gathering{}
			for _, f := range facts {
				g.Add(f)
			}
			return g.Report(time.Time{}, time.Time{})
		}
		if diff := cmp.Diff(report(facts), report(rapid.Permutation(slices.Clone(facts)).Draw(t, "order")), cmpopts.IgnoreUnexported(Row{})); diff != "" {
			t.Error(diff)
		}
	})
}

// told is a history, and Desk.
type told struct {
	entries []history.Entry
	records []desk.SessionRecord
	reads   int
	refused error
	part    bool
}

func (h *told) Each(_ context.Context, _ time.Time, take func(*history.Entry)) (bool, error) {
	h.reads++
	for i := range h.entries {
		take(&h.entries[i])
	}
	return !h.part, nil
}

func (h *told) Records(_ context.Context, from, to time.Time, _ string) (p desk.Page[desk.SessionRecord], err error) {
	for _, r := range h.records {
		if !r.At.Before(from) && !r.At.After(to) {
			p.Items = append(p.Items, r)
		}
	}
	return p, h.refused
}

func TestLive_joinsTheHistoryWithDesksRecords(t *testing.T) {
	turn := func(at time.Time, session, rule string) history.Entry {
		return history.Entry{Kind: history.Turn, At: at, Session: session, User: session, Role: "user", Outcome: "transfer", Rule: rule}
	}
	attempt := func(at time.Time, session, outcome string) history.Entry {
		return history.Entry{Kind: history.Attempt, At: at, Session: session, Outcome: outcome, Final: true}
	}
	h := &told{
		entries: []history.Entry{
			turn(minutes(1), "taken", "ask"), attempt(minutes(1), "taken", "assigned"),
			turn(minutes(2), "nobody", "ask"), attempt(minutes(2), "nobody", "no_agent"),
			turn(minutes(3), "left", "ask"), attempt(minutes(3), "left", "queued"),
			{Kind: history.Phase, At: minutes(9), Session: "left", From: "queued", Phase: "bot", Event: "Closed"},
			turn(minutes(4), "lost", "ask"), attempt(minutes(4), "lost", "failed"),
			turn(minutes(5), "spoken", "refund"),
			{Kind: history.Turn, At: minutes(6), Session: "spoken", Role: "agent", Text: "hello"},
			{Kind: history.Turn, At: minutes(7), Session: "bot", Role: "user", Outcome: "none"},
			turn(noon.Add(-time.Hour), "before", "ask"), turn(minutes(8), "before", "ask"), // it began before
		},
		records: []desk.SessionRecord{{SessionID: "taken", AgentID: "li", Duration: seconds(300), Rating: new(5), At: minutes(1)}},
	}
	now := noon.Add(48 * time.Hour)
	l := NewLive(h, h, func() time.Time { return now })
	got, err := l.Report(t.Context(), noon, now)
	if err != nil {
		t.Fatal(err)
	}
	share := 4.0 / 6
	zero := func() *int { return new(0) }
	want := &Report{
		Since: noon, Until: now, Sessions: 6, Alone: 4, WithPerson: 2, Containment: &share, Records: new(1), Whole: true,
		Rules: []Row{
			{Rule: "ask", Called: 4, Taken: new(1), Nobody: new(1), Unanswered: new(1), Failed: new(1), Short: zero(), ShortOf: 1, Rating: new(5.0), Rated: 1, Again: zero(), AgainOf: 4},
			{Rule: "refund", Called: 1, Taken: new(1), Nobody: zero(), Unanswered: zero(), Failed: zero(), Again: zero(), AgainOf: 1},
		},
		All: Row{Called: 5, Taken: new(2), Nobody: new(1), Unanswered: new(1), Failed: new(1), Short: zero(), ShortOf: 1, Rating: new(5.0), Rated: 1, Again: zero(), AgainOf: 5},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Row{})); diff != "" {
		t.Error(diff)
	}

	h.refused, h.part = errors.New("refused"), true
	if again, err := l.Report(t.Context(), noon.Add(time.Second), now); err != nil || again != got || h.reads != 1 {
		t.Errorf("within a minute it is made again: %v, read %d times", err, h.reads)
	}
	now = now.Add(time.Minute)
	without, err := l.Report(t.Context(), noon, now.Add(-time.Minute))
	if err != nil || h.reads != 2 || without.Records != nil || without.Whole || without.All.Short != nil || without.Unknown != 2 {
		t.Errorf("without records: %v, %+v", err, without)
	}
}
