package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"escalator/bot/desk"
	"escalator/bot/logtest"
	"escalator/bot/store"
	"escalator/bot/store/memory"
)

// mortal is the outbox as one process sees it: after its death nothing of what the
// process still does reaches it.
type mortal struct {
	store.Outbox
	dead atomic.Bool
}

var errDead = errors.New("this process is dead")

func (m *mortal) Save(ctx context.Context, t *store.Transfer) error {
	if m.dead.Load() {
		return errDead
	}
	return m.Outbox.Save(ctx, t)
}

func (m *mortal) Delete(ctx context.Context, t *store.Transfer) error {
	if m.dead.Load() {
		return errDead
	}
	return m.Outbox.Delete(ctx, t)
}

// reach is Desk as one process sees it: the dead make no calls.
type reach struct {
	*modelDesk

	mortal *mortal
}

func (d reach) TransferToHuman(ctx context.Context, r desk.TransferRequest) (desk.TransferResult, error) {
	if d.mortal.dead.Load() {
		return desk.TransferResult{}, errDead
	}
	return d.modelDesk.TransferToHuman(ctx, r)
}

func (d reach) SessionState(ctx context.Context, r desk.StateRequest) (desk.SessionState, error) {
	if d.mortal.dead.Load() {
		return desk.SessionState{}, errDead
	}
	return d.modelDesk.SessionState(ctx, r)
}

func (d reach) EndQueuing(ctx context.Context, session string) error {
	if d.mortal.dead.Load() {
		return errDead
	}
	return d.modelDesk.EndQueuing(ctx, session)
}

func (d reach) SendMsg(ctx context.Context, r desk.SendRequest) error {
	if d.mortal.dead.Load() {
		return errDead
	}
	return d.modelDesk.SendMsg(ctx, r)
}

// fault is what happens to one call.
type fault struct {
	code int  // refused with this code
	lost bool // carried out, but its answer is lost
	away bool // it never arrives
	took time.Duration
}

func drawFault(r *rapid.T) fault {
	return rapid.SampledFrom([]fault{
		{},
		{},
		{lost: true},
		{lost: true, took: 3 * time.Second},
		{away: true},
		{took: 2 * time.Second},
		{code: 141001},
		{code: 141002},
		{code: 60011},
		{code: 70009},
		{code: 60020},
		{code: 70050},
		{code: 141003},
	}).Draw(r, "fault")
}

// modelDesk is Desk with one session, which it takes once.
type modelDesk struct {
	fakeDesk

	faults   []fault
	state    desk.State
	ours     bool // we brought it where it is
	others   bool // somebody else ever did
	takes    desk.State
	repeated int        // deliveries that came although an earlier one of ours stands
	lands    desk.State // where end_queuing leads
	pulled   bool       // end_queuing came to a session that we had brought into the queue
	sorry    int        // how often the customer was told that it failed
}

func (d *modelDesk) fault() (f fault) {
	if len(d.faults) > 0 {
		f, d.faults = d.faults[0], d.faults[1:]
	}
	return f
}

// meet is what happens to a call whose work at Desk is act.
func (d *modelDesk) meet(act func() error) error {
	d.mu.Lock()
	f := d.fault()
	var err error
	switch {
	case f.away:
		err = errTimeout
	case f.code != 0:
		err = &desk.Error{Op: "call", Code: f.code, Status: 200}
	default:
		if err = act(); f.lost {
			err = errTimeout
		}
	}
	d.mu.Unlock()
	time.Sleep(f.took)
	return err
}

func (d *modelDesk) TransferToHuman(context.Context, desk.TransferRequest) (result desk.TransferResult, err error) {
	err = d.meet(func() error {
		if d.state != desk.StateChatbot {
			if d.ours {
				d.repeated++
			}
			return &desk.Error{Op: "call", Code: 141003, Status: 200}
		}
		d.state, d.ours = d.takes, true
		result.Queued = d.takes == desk.StateQueueing
		return nil
	})
	return result, err
}

func (d *modelDesk) SessionState(context.Context, desk.StateRequest) (s desk.SessionState, err error) {
	err = d.meet(func() error {
		s = desk.SessionState{SessionID: "s1", State: d.state}
		return nil
	})
	return s, err
}

func (d *modelDesk) EndQueuing(context.Context, string) error {
	return d.meet(func() error {
		if d.state != desk.StateQueueing || d.ours {
			d.pulled = d.pulled || d.ours // what we had brought there must stay there
			return &desk.Error{Op: "call", Code: 141027, Status: 200}
		}
		d.state = d.lands
		return nil
	})
}

func (d *modelDesk) SendMsg(_ context.Context, r desk.SendRequest) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Text == "Sorry." {
		d.sorry++
	}
	return nil
}

// life is one transfer through faults and deaths.
type life struct {
	*world

	model  *modelDesk
	mortal *mortal
}

func (l *life) open(t *testing.T, left []*store.Transfer) {
	l.mortal = &mortal{Outbox: memory.NewOutbox(nil)}
	log := &logtest.Buffer{}
	if l.world != nil {
		log = l.log
	}
	l.world = newWorld(t, l.mortal, func(o *Options) { o.Desk = reach{l.model, l.mortal}; o.Log.SetOutput(log) })
	l.log = log
	for _, one := range left {
		if err := l.outbox.Put(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	l.courier.Start()
}

// kill ends the process at this very moment, and starts another one.
func (l *life) kill(t *testing.T) {
	l.mortal.dead.Store(true)
	left, err := l.outbox.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range left {
		left[i] = reread(t, left[i])
	}
	mute := l.log
	l.log = &logtest.Buffer{} // the dead write no lines
	l.courier.opt.Log.SetOutput(l.log)
	stopping := l.courier
	defer func() { _ = stopping.Stop(t.Context()) }()
	l.log = mute
	l.open(t, left)
}

// act does one thing to the life of the transfer.
func (l *life) act(r *rapid.T, t *testing.T) {
	what := rapid.SampledFrom([]string{"time", "time", "kill", "agent free", "operator", "somebody", "withdraw", "dismiss"}).Draw(r, "what")
	switch what {
	case "time":
		time.Sleep(time.Duration(rapid.IntRange(1, 40_000).Draw(r, "ms")) * time.Millisecond)
	case "kill":
		l.kill(t)
	case "agent free":
		l.courier.AgentFree(context.Background(), "li@example.com")
	case "operator":
		if err := l.courier.Retry(context.Background(), "s1", Operator{}); err != nil && !errors.Is(err, ErrNotGivenUp) {
			r.Fatal(err)
		}
	case "somebody":
		l.model.set(func() {
			if l.model.state == desk.StateChatbot {
				l.model.state, l.model.others = desk.StateAgent, true
			}
		})
	case "dismiss":
		if err := l.courier.Dismiss(context.Background(), "s1", Operator{}); err != nil && !errors.Is(err, ErrNoTransfer) {
			r.Fatal(err)
		}
	case "withdraw":
		l.courier.Withdraw(context.Background(), "s1")
	}
}

func TestModel_aTransferThroughFaultsAndDeaths(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var failure any // rapid fails by a panic, which must not end the bubble's goroutine
		synctest.Test(t, func(t *testing.T) {
			defer func() { failure = recover() }()
			l := &life{model: &modelDesk{state: desk.StateChatbot, takes: rapid.SampledFrom([]desk.State{desk.StateAgent, desk.StateWaiting, desk.StateQueueing}).Draw(r, "takes")}}
			l.model.lands = rapid.SampledFrom([]desk.State{desk.StateChatbot, desk.StateChatbot, desk.StateAgent, desk.StateQueueing, desk.StateNotInSession, "Elsewhere"}).Draw(r, "lands")
			l.model.faults = rapid.SliceOfN(rapid.Custom(drawFault), 0, 12).Draw(r, "faults")
			l.open(t, nil)
			defer func() { _ = l.courier.Stop(t.Context()) }()
			l.live(r, t)
		})
		if failure != nil {
			panic(failure)
		}
	})
}

// inTheQueue begins with a customer who waits for somebody else.
func (l *life) inTheQueue(t *store.Transfer) {
	t.LeaveQueue = store.LeaveDue
	l.model.state, l.model.others = desk.StateQueueing, true
}

func (l *life) live(r *rapid.T, t *testing.T) {
	before := rapid.SampledFrom([]func(*store.Transfer){
		func(*store.Transfer) {},
		func(t *store.Transfer) { t.VerifyFirst = true },
		func(t *store.Transfer) { t.Session = "" },
		func(t *store.Transfer) { t.OutcomeUnknown = true },
		l.inTheQueue,
		l.inTheQueue,
	}).Draw(r, "before")
	transfer := l.transfer(rapid.SampledFrom([]string{"plain", "two", "waits", "twoWait"}).Draw(r, "target"), before)
	if err := l.outbox.Put(context.Background(), transfer); err != nil {
		t.Fatal(err)
	}
	for range rapid.IntRange(0, 12).Draw(r, "acts") {
		l.act(r, t)
	}
	l.model.set(func() { l.model.faults = nil })
	time.Sleep(2 * time.Hour)
	synctest.Wait()
	if problem := l.judge(); problem != "" {
		r.Fatalf("%s\n%s", problem, l.log)
	}
}

// judge says what is wrong with how it ended.
func (l *life) judge() string {
	lines := l.log.Lines("transfer")
	if len(lines) == 0 {
		return "not a line"
	}
	end := lines[len(lines)-1]
	if i := slices.IndexFunc(lines, func(line map[string]any) bool { return line["outcome"] == "dismissed" }); i >= 0 && !isTrue(end["final"]) {
		end = lines[i] // an attempt that was under way had its line after it
	}
	if !isTrue(end["final"]) {
		return "the last line is not final"
	}
	left, err := l.outbox.List(context.Background())
	if err != nil || len(left) > 0 && left[0].State != store.GivenUp {
		return fmt.Sprintf("left: %+v, %v", left, err)
	}
	l.model.mu.Lock()
	defer l.model.mu.Unlock()
	outcome := fmt.Sprint(end["outcome"])
	switch {
	case l.model.repeated > 0:
		return "a delivery was repeated although an earlier one stands"
	case l.model.pulled:
		return "a customer whom we had brought there was taken out of the queue"
	case l.model.ours && outcome != "assigned" && outcome != "queued" && outcome != "dismissed":
		return "our own delivery ended as " + outcome
	case !l.model.ours && !l.model.others && (outcome == "assigned" || outcome == "queued" || outcome == "already_human"):
		return "nobody took it, but it ended as " + outcome
	case l.model.sorry > 1:
		return "apologized twice"
	}
	if outcome == "dismissed" { // at the very moment at which it ended, perhaps
		return ""
	}
	for _, line := range lines[:len(lines)-1] {
		if isTrue(line["final"]) && strings.Contains("assigned queued already_human", fmt.Sprint(line["outcome"])) && line["outcome"] != outcome {
			return "it ended twice, and differently"
		}
	}
	return ""
}
