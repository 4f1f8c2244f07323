package decisions

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"escalator/bot/history"
	"escalator/bot/logtest"
	"escalator/bot/mask"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
	"escalator/rules/lang"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newRecords() store.Records {
	return memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(10)})
}

func newList(change ...func(*Options)) *List {
	log := logrus.New()
	log.SetOutput(&logtest.Buffer{})
	o := Options{LogText: mask.Masked, Records: newRecords(), Log: log}
	for _, f := range change {
		f(&o)
	}
	return New(o)
}

// page lists what matches, by session.
func page(t *testing.T, l *List, f Filter, n int, before string) (sessions []string, p *Page) {
	t.Helper()
	p, err := l.Page(t.Context(), &f, n, before)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.Decisions {
		sessions = append(sessions, r.Session)
	}
	return sessions, p
}

// sample adds one of each kind of decision, named by its session.
func sample(l *List, at time.Time) {
	for i, r := range []Record{
		{Session: "call", User: "ann", Rule: "ask", Outcome: rules.OutcomeTransfer, Matched: []string{"Human"}},
		{Session: "offer", User: "bob", Rule: "slow", Outcome: rules.OutcomeOffer, Why: "three misses"},
		{Session: "held", User: "ann", Rule: "ask", Outcome: rules.OutcomeSuppressed, Reason: rules.ReasonCooldown},
		{Session: "near", User: "eve", Near: "ask", Reason: rules.ReasonNegated},
		{Session: "shadow", User: "eve", Shadow: []string{"new"}, Outcome: rules.OutcomeShadow},
		{Session: "both", User: "Ünal", Rule: "ask", Shadow: []string{"new"}, Outcome: rules.OutcomeTransfer},
	} {
		r.At = at.Add(time.Duration(i) * time.Minute)
		l.Add(&r, "言葉 Words of "+r.Session)
	}
}

func TestPage_filters(t *testing.T) {
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	l := newList()
	sample(l, at)
	for _, c := range []struct {
		name string
		f    Filter
		want string
	}{
		{"all", Filter{}, "both shadow near held offer call"},
		{"session", Filter{Session: "held"}, "held"},
		{"user", Filter{User: "ann"}, "held call"},
		{"rule that decided or came near", Filter{Rule: "ask"}, "both near held call"},
		{"rule in shadow", Filter{Rule: "new"}, "both shadow"},
		{"outcome", Filter{Outcomes: []string{"transfer"}}, "both call"},
		{"two outcomes", Filter{Outcomes: []string{"offer", "suppressed"}}, "held offer"},
		{"near", Filter{Outcomes: []string{"near"}}, "near"},
		{"shadow", Filter{Outcomes: []string{"shadow"}}, "both shadow"},
		{"reason", Filter{Reason: "cooldown"}, "held"},
		{"since", Filter{Since: at.Add(4 * time.Minute)}, "both shadow"},
		{"words in another case", Filter{Text: "wORDS OF c"}, "call"},
		{"words without case", Filter{Text: "言葉"}, "both shadow near held offer call"},
		{"matched words", Filter{Text: "hum"}, "call"},
		{"why", Filter{Text: "MISSES"}, "offer"},
		{"part of a user", Filter{Text: "üN"}, "both"},
		{"part of a session", Filter{Text: "hado"}, "shadow"},
		{"both of two", Filter{User: "ann", Outcomes: []string{"transfer"}}, "call"},
		{"label", Filter{Label: Right}, ""},
		{"nothing", Filter{Text: "wordsof"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := page(t, l, c.f, 10, ""); strings.Join(got, " ") != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}

func TestPage_byPage_hasEachOnce_alsoWhenOthersCome(t *testing.T) {
	l := newList()
	for i := range 25 {
		l.Add(&Record{Session: fmt.Sprint(i), At: time.Now()}, "")
	}
	var all []string
	before, more := "", true
	for more {
		got, p := page(t, l, Filter{}, 10, before)
		all = append(all, got...)
		more, before = p.More, p.Decisions[len(p.Decisions)-1].ID
		l.Add(&Record{Session: "new"}, "")
	}
	slices.Reverse(all)
	if len(all) != 25 || all[0] != "0" || all[24] != "24" || len(slices.Compact(all)) != 25 {
		t.Errorf("the pages have %v", all)
	}
	if _, p := page(t, l, Filter{Session: "3"}, 1, ""); p.More || p.Kept != 28 || p.Oldest.IsZero() {
		t.Errorf("%+v", p)
	}
}

func TestList_keepsTheNewest(t *testing.T) {
	l := newList()
	for i := range Keep + 5 {
		l.Add(&Record{Session: fmt.Sprint(i)}, "")
	}
	_, p := page(t, l, Filter{}, 2*Keep, "")
	if len(p.Decisions) != Keep || p.Kept != Keep || p.Decisions[Keep-1].Session != "5" || l.Find(p.Decisions[0].ID) == nil {
		t.Errorf("%d are kept, the oldest is %s", p.Kept, p.Decisions[len(p.Decisions)-1].Session)
	}
}

// Several that were stored at once come in any order. To put one in its place the list must not be copied: at a
// thousand a second that was most of what the service allocated.
func TestList_oneThatComesLate_movesOnlyWhatIsBehindIt(t *testing.T) {
	l := newList()
	for range Keep {
		l.Add(&Record{}, "")
	}
	l.settle()
	const late = 100
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range late {
		first, second := l.NewID(), l.NewID()
		l.Add(&Record{ID: second}, "")
		l.Add(&Record{ID: first}, "")
		l.settle()
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / late; each > 16<<10 {
		t.Errorf("each takes %d bytes", each)
	}
	if !slices.IsSortedFunc(l.all, func(a, b *kept) int { return strings.Compare(a.id, b.id) }) || len(l.all) != Keep {
		t.Errorf("%d are kept, in whatever order", len(l.all))
	}
}

// Who reads a list reads it as it was, whatever comes meanwhile.
func TestPage_isNotChangedByOneThatComesLate(t *testing.T) {
	l := newList()
	for range 10 {
		l.Add(&Record{}, "")
	}
	late := l.NewID()
	l.Add(&Record{Session: "last"}, "")
	page(t, l, Filter{}, 100, "")
	read, was := l.all, slices.Clone(l.all)
	l.Add(&Record{ID: late, Session: "late"}, "")
	if got, _ := page(t, l, Filter{}, 2, ""); strings.Join(got, " ") != "last late" {
		t.Errorf("the newest are %v", got)
	}
	if !slices.Equal(read, was) {
		t.Error("what somebody reads was written")
	}
}

// Who watches sees a decision within a twentieth of a second. Many that come together are
// carried out together.
func TestRun_carriesOutTogether_whatComesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, stop := running(t)
		defer stop()
		synctest.Wait()
		w, _ := l.Watch(t.Context(), &Filter{}, "")
		for _, many := range []int{1, 40, 3} {
			began := time.Now()
			for range many {
				l.Add(&Record{}, "")
				synctest.Wait() // it could carry it out now
			}
			if len(l.queue) != many {
				t.Errorf("of %d only %d wait for each other", many, len(l.queue))
			}
			events, err := w.Next(t.Context())
			if took := time.Since(began); len(events) != many || err != nil || took > 50*time.Millisecond {
				t.Errorf("of %d it sees %d after %v, %v", many, len(events), took, err)
			}
		}
	})
}

// Many that came while the list was at work do not wait for still more: a reader who is to be told of too many at a time is cut off.
func TestRun_doesNotWaitForMore_whereManyWaitAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newList()
		for range settleFull {
			l.Add(&Record{}, "")
		}
		began := time.Now()
		var work sync.WaitGroup
		defer work.Wait()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		work.Go(func() { l.Run(ctx) })
		synctest.Wait()
		if len(l.queue) > 0 {
			t.Errorf("%d wait %v after the start", len(l.queue), time.Since(began))
		}
	})
}

// What was said is masked; with none there are no words.
func TestAdd_masksWhatWasSaid(t *testing.T) {
	for mode, want := range map[mask.Mode]string{mask.Masked: "call ***", mask.Full: "call 13812345678", mask.None: ""} {
		l := newList(func(o *Options) { o.LogText = mode })
		l.Add(&Record{}, "call 13812345678")
		if _, p := page(t, l, Filter{}, 1, ""); p.Decisions[0].Text != want {
			t.Errorf("%s: %q, want %q", mode, p.Decisions[0].Text, want)
		}
	}
}

// An attempt may be told of before its decision is, and after a later one.
func TestTried_showsTheLastAttempt_inWhateverOrder(t *testing.T) {
	l := newList()
	at := time.Now()
	attempt := func(id, outcome string, after time.Duration) {
		l.Tried(&history.Entry{ID: id, Outcome: outcome, At: at.Add(after)})
	}
	early, late := l.NewID(), l.NewID()
	attempt(early, "assigned", time.Second)
	l.Add(&Record{ID: early}, "")
	l.Add(&Record{ID: late}, "")
	attempt(late, "retrying", time.Second)
	attempt(late, "assigned", 3*time.Second)
	attempt(late, "no_agent", 2*time.Second)
	attempt("", "failed", 0) // of a transfer from before decisions had ids
	for _, id := range []string{early, late} {
		if r := l.Find(id); r.Transfer == nil || r.Transfer.Outcome != "assigned" {
			t.Errorf("%s: %+v", id, r.Transfer)
		}
	}
}

// Who watches is told of an attempt that came before its decision, too.
func TestTried_beforeItsDecision_isInTheStream(t *testing.T) {
	l := newList()
	w, _ := l.Watch(t.Context(), &Filter{}, "")
	id := l.NewID()
	l.Tried(&history.Entry{ID: id, Outcome: "assigned", At: time.Now()})
	l.Add(&Record{ID: id}, "")
	l.settle()
	told, err := w.Next(t.Context())
	if err != nil || len(told) != 1 || !strings.Contains(string(told[0].Text(lang.English)), `"outcome":"assigned"`) {
		t.Errorf("%v, %d events: %s", err, len(told), told[0].Text(lang.English))
	}
}

// A customer who waits in vain waits for the last transfer of that rule, and not for one of an earlier visit.
func TestQueued_isTheLastTransferThatWaits(t *testing.T) {
	l := newList()
	add := func(session, rule, outcome string) (id string) {
		r := &Record{Session: session, Rule: rule, Outcome: rules.OutcomeTransfer}
		l.Add(r, "")
		l.Tried(&history.Entry{ID: r.ID, Outcome: outcome, At: time.Now()})
		return r.ID
	}
	add("a", "ask", "queued")
	last := add("a", "ask", "queued")
	add("a", "other", "assigned")
	add("b", "ask", "queued")
	add("b", "ask", "assigned")
	l.Add(&Record{Session: "a", Rule: "ask", Outcome: rules.OutcomeSuppressed}, "")
	for _, c := range []struct{ session, rule, want string }{{"a", "ask", last}, {"a", "other", ""}, {"b", "ask", ""}, {"c", "ask", ""}} {
		got := ""
		if r := l.Queued(c.session, c.rule); r != nil {
			got = r.ID
		}
		if got != c.want {
			t.Errorf("%s %s: %q, want %q", c.session, c.rule, got, c.want)
		}
	}
}

func TestNewID_growsAlsoWhenTheClockGoesBack(t *testing.T) {
	now := time.Now()
	l := newList(func(o *Options) { o.Wall = func() time.Time { now = now.Add(-time.Second); return now } })
	last := ""
	for range 1000 {
		id := l.NewID()
		if at, ok := timeOf(id); !ok || id <= last || at.Sub(now).Abs() > time.Hour {
			t.Fatalf("%s comes after %s, of %v", id, last, at)
		}
		last = id
	}
	for _, bad := range []string{"", "x", last + "0", last[:10] + "z" + last[11:], strings.ToUpper(last), last[1:] + "/"} {
		if IsID(bad) && bad != strings.ToUpper(last) {
			t.Errorf("%q passes for an id", bad)
		}
	}
}

func TestForget_removesTheDecisionsOfTheUser_alsoForWhoResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newList()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		close(l.restored)
		w, _ := l.Watch(ctx, &Filter{}, "")
		for _, user := range []string{"ann", "bob", "ann"} {
			l.Add(&Record{User: user, Outcome: rules.OutcomeTransfer}, "words")
		}
		_, p := page(t, l, Filter{User: "ann"}, 9, "")
		if _, err := l.SetLabel(t.Context(), p.Decisions[0].ID, Label{Label: Wrong, By: "op"}); err != nil {
			t.Fatal(err)
		}
		f, err := l.Forget(t.Context(), "ann")
		if err != nil || f != (Forgotten{Decisions: 2, Labels: 1}) {
			t.Errorf("%+v %v", f, err)
		}
		events, err := w.Next(t.Context())
		if len(events) != 1 || err != nil || events[0].record.User != "bob" {
			t.Errorf("a reader sees %d events, %v", len(events), err)
		}
		if got, _ := page(t, l, Filter{}, 9, ""); len(got) != 1 || l.Find(p.Decisions[0].ID) != nil {
			t.Errorf("%d are left", len(got))
		}
		if lines, wordless, err := l.Lessons(t.Context()); len(lines) != 0 || wordless != 1 || err != nil {
			t.Errorf("%s %d %v", lines, wordless, err)
		}
	})
}
