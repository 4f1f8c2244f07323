package decisions

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"escalator/bot/history"
	"escalator/rules"
)

// past is a history. Each waits until it may go on, if it must.
type past struct {
	mu      sync.Mutex
	entries []history.Entry
	busy    int           // how often it cannot be read
	wait    chan struct{} // nil: it need not
}

func (p *past) Each(ctx context.Context, since time.Time, take func(*history.Entry)) (whole bool, err error) {
	p.mu.Lock()
	p.busy--
	busy := p.busy >= 0
	p.mu.Unlock()
	if busy {
		return false, history.ErrBusy
	}
	if p.wait != nil {
		select {
		case <-p.wait:
		case <-ctx.Done():
			return false, history.ErrBusy
		}
	}
	for i := range p.entries {
		if e := &p.entries[i]; !e.At.Before(since) {
			take(e)
		}
	}
	return true, nil
}

func with(p *past) func(*Options) { return func(o *Options) { o.History = p } }

// turn is an entry of a decision that was kept.
func turn(id, session string, at time.Time) history.Entry {
	return history.Entry{Kind: history.Turn, ID: id, Session: session, At: at, Outcome: "transfer", Text: "words of " + session}
}

// What was decided before a restart is listed again, with what became of it, before what
// happened since; who had seen some of it resumes there. None of this keeps the start
// waiting.
func TestRestart_theListIsFilledFromTheHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		records := newRecords()
		earlier := newList(func(o *Options) { o.Records = records })
		p := &past{busy: 2, wait: make(chan struct{})}
		var ids []string
		for i := range 5 {
			ids = append(ids, earlier.NewID())
			earlier.Add(&Record{ID: ids[i]}, "")
			p.entries = append(p.entries, turn(ids[i], fmt.Sprint("s", i), time.Now()))
		}
		p.entries = append(p.entries,
			history.Entry{Kind: history.Attempt, ID: ids[1], Outcome: "retrying", At: time.Now()},
			history.Entry{Kind: history.Attempt, ID: ids[1], Outcome: "assigned", At: time.Now().Add(time.Second)},
			history.Entry{Kind: history.Turn, Session: "nothing", At: time.Now(), Outcome: "none"})
		if _, err := earlier.SetLabel(t.Context(), ids[2], Label{Label: Wrong, By: "op"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)

		l, stop := running(t, with(p), func(o *Options) { o.Records = records })
		defer stop()
		l.Add(&Record{Session: "new"}, "")
		if got, _ := page(t, l, Filter{}, 9, ""); strings.Join(got, " ") != "new" {
			t.Errorf("before it is restored: %v", got)
		}
		resumed := &reader{list: l, after: ids[2]}
		done := make(chan struct{})
		go func() { resumed.follow(t, &Filter{}, 5*time.Second); close(done) }() // it waits for the history
		time.Sleep(3 * time.Second)
		close(p.wait)
		<-done
		if got, page := page(t, l, Filter{}, 9, ""); strings.Join(got, " ") != "new s4 s3 s2 s1 s0" || page.Kept != 6 {
			t.Errorf("restored: %v of %d", got, page.Kept)
		}
		if got := strings.Join(resumed.saw, ", "); got != "decision s3, decision s4, decision new" || resumed.gaps != 0 {
			t.Errorf("who resumes sees %s, with %d gaps", got, resumed.gaps)
		}
		if r := l.Find(ids[1]); r.Transfer == nil || r.Transfer.Outcome != "assigned" || r.Text != "words of s1" {
			t.Errorf("%+v", r)
		}
		if r := l.Find(ids[2]); r.Label != Wrong || r.LabelBy != "op" {
			t.Errorf("the label is lost: %+v", r)
		}
	})
}

// More than is kept: the newest are.
func TestRestart_ofManyTheNewestAreRestored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &past{}
		earlier := newList()
		for i := range 2*Keep + 100 {
			p.entries = append(p.entries, turn(earlier.NewID(), fmt.Sprint(i), time.Now()))
		}
		time.Sleep(time.Second)
		l, stop := running(t, with(p))
		defer stop()
		l.Add(&Record{Session: "new"}, "")
		synctest.Wait()
		got, page := page(t, l, Filter{}, Keep, "")
		if page.Kept != Keep || got[0] != "new" || got[1] != fmt.Sprint(2*Keep+99) || got[Keep-1] != fmt.Sprint(Keep+101) {
			t.Errorf("%d are kept, from %s to %s", page.Kept, got[1], got[len(got)-1])
		}
	})
}

// A decision of an entry is the one that was kept.
func TestEntry_holdsTheWholeDecision(t *testing.T) {
	at := time.Now().UTC().Truncate(time.Microsecond)
	want := &Record{
		ID: "id", Replica: "a", At: at, Session: "s", User: "u", Event: "e", RequestID: "r", Text: "t", Rule: "x", Mode: "enforce", Outcome: rules.OutcomeSuppressed,
		Reason: rules.ReasonCooldown, Shadow: []string{"y"}, Would: []history.Would{{Rule: "y", Outcome: rules.OutcomeOffer}}, Matched: []string{"m"}, Why: "w", Target: "d",
		Tags: []string{"g"}, Near: "n", RulesVersion: "v", TookUS: 7,
	}
	got := OfTurn(&history.Entry{
		Kind: history.Turn, ID: "id", Replica: "a", At: at, Session: "s", User: "u", Event: "e", RequestID: "r", Text: "t", Rule: "x", Mode: "enforce", Outcome: "suppressed",
		Reason: "cooldown", Shadow: []string{"y"}, Would: want.Would, Matched: []string{"m"}, Why: "w", Target: "d", Tags: []string{"g"}, Near: "n", RulesVersion: "v", TookUS: 7,
	})
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Record{})); diff != "" {
		t.Error(diff)
	}
}

// Turns for nothing are read from the history, paged like all others, and can be labelled.
func TestPage_outcomeNone_isReadFromTheHistory(t *testing.T) {
	at := time.Now().Add(-10 * time.Minute).UTC().Truncate(time.Microsecond)
	p := &past{}
	for i := range 7 {
		e := turn("", fmt.Sprint("q", i), at.Add(time.Duration(i)*time.Second))
		e.Outcome = "none"
		p.entries = append(p.entries, e)
	}
	near := turn("", "near", at)
	near.Outcome, near.Near = "none", "ask"
	p.entries = append(p.entries, near, history.Entry{Kind: history.Phase, Session: "phase", At: at})
	l := newList(with(p))
	l.Add(&Record{Session: "call", Outcome: rules.OutcomeTransfer, At: at}, "")
	quiet := Filter{Outcomes: []string{"none"}}
	first, got := page(t, l, quiet, 3, "")
	second, more := page(t, l, quiet, 9, got.Decisions[2].ID)
	if strings.Join(append(first, second...), " ") != "q6 q5 q4 q3 q2 q1 q0" || !got.More || more.More || !*got.Whole {
		t.Errorf("%v, then %v", first, second)
	}
	if both, _ := page(t, l, Filter{Outcomes: []string{"none", "transfer"}}, 2, ""); strings.Join(both, " ") != "call q6" {
		t.Errorf("both: %v", both)
	}
	id := got.Decisions[1].ID
	if r, err := l.SetLabel(t.Context(), id, Label{Label: Wrong, By: "op"}); err != nil || r.Session != "q5" {
		t.Fatal(r, err)
	}
	if labelled, _ := page(t, l, Filter{Outcomes: []string{"none"}, Label: Wrong}, 3, ""); strings.Join(labelled, " ") != "q5" {
		t.Errorf("labelled: %v", labelled)
	}
	if lines, _, _ := l.Lessons(t.Context()); !strings.Contains(string(lines), `"text":"words of q5","label":"human"`) {
		t.Errorf("%s", lines)
	}
	if _, err := newList().Page(t.Context(), &quiet, 3, ""); err != ErrNoHistory { //nolint:errorlint // it is that one
		t.Errorf("without a history: %v", err)
	}
}
