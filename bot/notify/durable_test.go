package notify

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"escalator/bot/store"
)

// Two replicas share the records: each event is told once, whoever took it up.
func TestNotifier_ofTwoReplicas_oneSends(t *testing.T) {
	inWorld(t, func(w *world, a *Notifier) {
		b := w.start()
		for i := range 5 {
			r, ok := a.Record(Event{Kind: ByRule, Teams: []string{"sales"}, Rule: fmt.Sprint("r", i)})
			if !ok || w.records.PutRecords(t.Context(), r) != nil {
				t.Fatal("the event was not stored")
			}
			a.Stored()
			b.Stored()
			a.Tell(Event{Kind: NoAgent, Target: fmt.Sprint("t", i)})
			time.Sleep(time.Minute)
		}
		if got := w.arrived(); got != 10 {
			t.Errorf("%d messages, want 10", got)
		}
		_ = b.Stop(t.Context())
	})
}

// What was stored, or told to a process that stopped, is sent after the next start.
func TestNotifier_aRestart_losesNothing_andRepeatsNothing(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		n.Tell(nobody("s1"))
		w.wants("no agent online")
		_ = n.Stop(t.Context())
		n.Tell(nobody("s2")) // a transfer that ends while we stop
		r, _ := n.Record(Event{Kind: ByRule, Teams: []string{"sales"}, Rule: "r"})
		if err := w.records.PutRecords(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		next := w.start()
		w.wants("规则 r 触发")
		next.Tell(nobody("s3"))
		time.Sleep(11 * time.Minute)
		w.wants("10m0s Escalator: no agent online / Since the last message: 1 customer")
		next.Tell(Event{Kind: NoAgent, Target: "vip", Over: true})
		w.wants("agents are taking")
		_ = next.Stop(t.Context())
	})
}

// A process that dies while it sends leaves a lease: when that is over, the message is sent, with the same id.
func TestNotifier_aMessageOfAProcessThatDied_isSentByAnother(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		hang := make(chan struct{})
		w.refuses(func(string) (answer, error) {
			w.refuse = nil
			w.mu.Unlock()
			<-hang
			w.mu.Lock()
			return answer{}, &sendError{why: "the connection to its host failed"}
		})
		n.Tell(nobody("s1"))
		synctest.Wait()
		b := w.start()
		time.Sleep(leaseFor - time.Second)
		w.wants()
		time.Sleep(lookEvery + time.Second)
		w.wants("no agent online")
		n.cancel() // it is gone
		close(hang)
		synctest.Wait()
		_ = b.Stop(t.Context())
	})
}

func TestNotifier_moreEventsThanFit_areCountedAndDropped_oldestFirst(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		_ = n.Stop(t.Context()) // nobody takes them up
		for i := range maxQueue + 7 {
			n.Tell(Event{Kind: NoAgent, Target: fmt.Sprint("t", i)})
		}
		if got := testutil.ToFloat64(w.metrics.Notices.WithLabelValues("slack", outcomeDropped)); got != 7 {
			t.Errorf("%v counted as dropped, want 7", got)
		}
		if first := n.queue[0].Target; first != "t7" {
			t.Errorf("the oldest that is left is of %s", first)
		}
	})
}

// A store that is away holds nobody up, and what was told is not lost.
func TestNotifier_recordsThatCannotBeUsed_areWaitedFor(t *testing.T) {
	inWorld(t, func(w *world, n *Notifier) {
		_ = n.Stop(t.Context())
		broken := &brokenRecords{records: w.records, broken: true}
		w.records = broken
		next := w.start()
		next.Tell(nobody("s1"))
		time.Sleep(time.Minute)
		w.wants()
		broken.set(false)
		time.Sleep(storeRetry)
		w.wants("no agent online")
		_ = next.Stop(t.Context())
	})
}

type records = store.Records

// brokenRecords keep nothing while they are broken.
type brokenRecords struct {
	records
	mu     sync.Mutex
	broken bool
}

func (b *brokenRecords) set(broken bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = broken
}

func (b *brokenRecords) PutRecords(ctx context.Context, records ...store.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		return store.ErrAway
	}
	return b.records.PutRecords(ctx, records...)
}

// A nil Notifier tells nobody; so it is where no service runs.
func TestNotifier_nil_tellsNobody(t *testing.T) {
	var n *Notifier
	n.Tell(nobody("s1"))
	n.Stored()
	if _, ok := n.Record(nobody("s1")); ok {
		t.Error("a nil notifier makes records")
	}
}
