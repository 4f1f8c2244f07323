package stats

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"escalator/bot/history"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"escalator/rules"
)

var noon = time.Date(2027, 2, 6, 12, 0, 0, 0, time.UTC)

// Whatever order turns come in, each step has those of its time.
func TestReport_saysWhatANaiveCountSays(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		now := noon
		s := New(func() time.Time { return now })
		var all []Count
		for range rapid.IntRange(0, 60).Draw(r, "turns") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 30, 600, 7200, 100_000}).Draw(r, "seconds")) * time.Second)
			at := now.Add(-time.Duration(rapid.IntRange(0, 24*3600-1).Draw(r, "late")) * time.Second)
			c := Count{At: at, Message: rapid.Bool().Draw(r, "message"), Outcome: rapid.SampledFrom([]rules.Outcome{rules.OutcomeNone, rules.OutcomeTransfer, rules.OutcomeSuppressed}).Draw(r, "outcome")}
			if c.Outcome == rules.OutcomeNone {
				c.Near = rapid.SampledFrom([]string{"", "a", "b"}).Draw(r, "near")
			} else {
				c.Rule, c.Fired = rapid.SampledFrom([]string{"a", "b"}).Draw(r, "rule"), Fires(c.Outcome, false)
			}
			all = append(all, c)
			s.Add(&c)
		}
		for _, since := range []time.Duration{time.Minute, time.Hour, 90 * time.Minute, 24 * time.Hour} {
			got := s.Report(since)
			count := func(fits func(c *Count) bool) []uint32 {
				steps := make([]uint32, len(got.Messages))
				for i := range all {
					step := int(all[i].At.Sub(got.Since) / (time.Duration(got.StepS) * time.Second))
					if !all[i].At.Before(got.Since) && fits(&all[i]) {
						steps[step]++
					}
				}
				return steps
			}
			none := make([]uint32, len(got.Messages))
			of := func(id string) RuleSteps {
				if steps, did := got.Rules[id]; did {
					return steps
				}
				return RuleSteps{Fired: none, Near: none, Suppressed: none, Shadow: none}
			}
			want := [][]uint32{
				count(func(c *Count) bool { return c.Message }),
				count(func(c *Count) bool { return c.Outcome == rules.OutcomeTransfer }),
				count(func(c *Count) bool { return c.Near != "" }),
				count(func(c *Count) bool { return c.Rule == "a" && c.Outcome == rules.OutcomeTransfer }),
				count(func(c *Count) bool { return c.Rule == "b" && c.Outcome == rules.OutcomeSuppressed }),
				count(func(c *Count) bool { return c.Near == "b" }),
			}
			have := [][]uint32{got.Messages, got.Decisions["transfer"], got.Decisions["near"], of("a").Fired, of("b").Suppressed, of("b").Near}
			if diff := cmp.Diff(want, have); diff != "" {
				r.Fatalf("the last %s (-want +got):\n%s", since, diff)
			}
		}
	})
}

func TestReport_stepsAndTotals(t *testing.T) {
	now := noon.Add(10*time.Minute + 30*time.Second)
	s := New(func() time.Time { return now })
	s.Add(&Count{At: now, Message: true, Outcome: rules.OutcomeTransfer, Rule: "ask", Fired: true})
	s.Add(&Count{At: now.Add(-61 * time.Minute), Message: true, Outcome: rules.OutcomeShadow, Shadow: []string{"watch", "ask"}})
	for since, want := range map[time.Duration][3]any{
		time.Hour:        {60, int64(60), "2027-02-06T11:11:00Z"},
		10 * time.Second: {1, int64(60), "2027-02-06T12:10:00Z"},
		61 * time.Minute: {3, int64(1800), "2027-02-06T11:00:00Z"},
		24 * time.Hour:   {48, int64(1800), "2027-02-05T12:30:00Z"},
	} {
		r := s.Report(since)
		if got := [3]any{len(r.Messages), r.StepS, r.Since.Format(time.RFC3339)}; got != want {
			t.Errorf("%s: %v, want %v", since, got, want)
		}
	}
	want := Totals{
		Messages: 2, Decisions: map[string]int64{"transfer": 1, "shadow": 1, "none": 0, "offer": 0, "keep": 0, "closed": 0, "suppressed": 0, "asked": 0, "message": 0, "near": 0},
		Rules: map[string]Rule{"ask": {Fired: 1, Shadow: 1}, "watch": {Shadow: 1}},
	}
	if diff := cmp.Diff(want, s.Report(24*time.Hour).Totals); diff != "" {
		t.Error(diff)
	}
	if r := s.Rule("ask"); r.Fired != 1 || r.Shadow != 1 || !r.LastFired.Equal(now) {
		t.Errorf("%+v", r)
	}
	now = now.Add(25 * time.Hour)
	if r := s.Rule("ask"); r.Fired != 0 || r.LastFired == nil {
		t.Errorf("a day later: %+v", r)
	}
}

// A host that starts with a clock far ahead must not count nothing for as long.
func TestAdd_afterTheClockWasSetBack_countsOn(t *testing.T) {
	now := noon.AddDate(1, 0, 0)
	s := New(func() time.Time { return now })
	s.Add(&Count{At: now, Message: true})
	now = noon
	s.Add(&Count{At: now, Message: true})
	if got := s.Report(time.Hour).Totals.Messages; got != 1 {
		t.Errorf("%d messages", got)
	}
}

func TestAdd_overItsBound_countsTheRulesThatItHas(t *testing.T) {
	now := noon
	s := New(func() time.Time { return now })
	fire := func(id string) { s.Add(&Count{At: now, Outcome: rules.OutcomeKeep, Rule: id, Fired: true}) }
	for i := range maxRules + 1 {
		fire(fmt.Sprint(i))
	}
	if s.Rule("0").Fired != 1 || s.Rule(fmt.Sprint(maxRules)).Fired != 0 {
		t.Error("the bound does not hold")
	}
	now = now.Add(25 * time.Hour)
	fire("new")
	if s.Rule("new").Fired != 1 || len(s.rules) != 1 {
		t.Errorf("a day later: %d rules", len(s.rules))
	}
}

// past is a history.
type past struct {
	entries []history.Entry
	whole   bool
}

func (p *past) Each(_ context.Context, _ time.Time, take func(*history.Entry)) (bool, error) {
	for i := range p.entries {
		take(&p.entries[i])
	}
	return p.whole, nil
}

func TestAdd_ofAnotherReplica_countsFromTheStartOn(t *testing.T) {
	s := New(func() time.Time { return noon })
	s.Add(&Count{At: noon.Add(-time.Minute), Outcome: rules.OutcomeTransfer, Rule: "ask", Fired: true, Replica: "b"}) // the history has it
	s.Add(&Count{At: noon, Outcome: rules.OutcomeTransfer, Rule: "ask", Fired: true, Replica: "b"})
	if r := s.Report(time.Hour); r.Replicas != 2 || r.Totals.Decisions["transfer"] != 1 {
		t.Errorf("%d replicas, %+v", r.Replicas, r.Totals)
	}
}

func TestReport_hasLabels(t *testing.T) {
	s := New(func() time.Time { return noon })
	s.Add(&Count{At: noon, Outcome: rules.OutcomeTransfer, Rule: "ask", Fired: true})
	r := s.Report(2 * time.Minute)
	r.Label("ask", noon, false, true)
	r.Label("ask", noon, false, false)
	r.Label("ask", noon, true, true)
	r.Label("ask", noon.Add(-time.Hour), true, true)
	if got := r.Rules["ask"]; got.Right != 1 || got.Wrong != 2 || r.Wrong[1] != 1 || r.Wrong[0] != 0 {
		t.Errorf("%+v, wrong %v", got, r.Wrong)
	}
}

func TestRefill_countsWhatAnEarlierProcessDecided(t *testing.T) {
	at := noon.Add(-3 * time.Hour)
	p := &past{whole: true, entries: []history.Entry{
		{Kind: history.Turn, At: at, Role: "user", Outcome: "transfer", Rule: "ask"},
		{Kind: history.Turn, At: at, Role: "user", Outcome: "none", Near: "ask"},
		{Kind: history.Turn, At: at, Role: "bot", Outcome: "suppressed", Rule: "ask", Shadow: []string{"watch"}},
		{Kind: history.Turn, At: at, Role: "user", Outcome: "message", Rule: "words", Why: "says: found nobody"},
		{Kind: history.Turn, At: at, Role: "user", Outcome: "message", Rule: "words", Why: "take_message: words kept, 1 of at most 10"},
		{Kind: history.Asked, At: at, Role: "user", Outcome: "asked", Rule: "ask"},
		{Kind: history.Turn, At: at, Role: "agent"},
		{Kind: history.Attempt, At: at, Outcome: "assigned", Rule: "ask"},
		{Kind: history.Turn, At: noon, Role: "user", Outcome: "transfer", Rule: "ask"}, // counted when it was made
	}}
	s := New(func() time.Time { return noon })
	if err := s.Refill(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	r := s.Report(24 * time.Hour)
	want := map[string]Rule{"ask": {Fired: 1, Near: 1, Suppressed: 1}, "words": {Fired: 1}, "watch": {Shadow: 1}}
	if diff := cmp.Diff(want, r.Totals.Rules); diff != "" || r.Totals.Messages != 4 || r.Totals.Decisions["asked"] != 1 || r.Totals.Decisions["message"] != 2 {
		t.Errorf("%s, %+v", diff, r.Totals)
	}
	if !r.CountedSince.Equal(noon.Add(-24 * time.Hour)) {
		t.Errorf("counted since %s", r.CountedSince)
	}
	s, p.whole = New(func() time.Time { return noon }), false
	if _ = s.Refill(t.Context(), p); !s.Report(time.Hour).CountedSince.Equal(noon) {
		t.Error("a part is not all")
	}
}

func TestAdd_allocatesNothing(t *testing.T) {
	s := New(time.Now)
	c := Count{At: time.Now(), Message: true, Outcome: rules.OutcomeTransfer, Rule: "ask", Fired: true, Shadow: []string{"watch"}}
	s.Add(&c)
	if n := testing.AllocsPerRun(100, func() { c.At = c.At.Add(time.Minute); s.Add(&c) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// What is kept of a rule must stay small: a file may have thousands.
func TestStats_memoryOfARule(t *testing.T) {
	s := New(time.Now)
	ids := make([]string, 1000)
	for i := range ids {
		ids[i] = fmt.Sprint("rule-", i)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, id := range ids {
		s.Add(&Count{At: time.Now(), Outcome: rules.OutcomeKeep, Rule: id, Fired: true})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (after.HeapAlloc - before.HeapAlloc) / uint64(len(ids))
	t.Logf("%d bytes", each)
	if each > 2500 || s.Rule("rule-0").Fired != 1 {
		t.Errorf("%d bytes", each)
	}
}

func BenchmarkAdd(b *testing.B) {
	s := New(time.Now)
	now := time.Now()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			s.Add(&Count{At: now, Message: true})
		}
	})
}
