package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"escalator/bot/desk"
	"escalator/rules"
)

// replicaWalk is a random walk of one customer, of whom plain IM and Desk tell two replicas. The model is a
// sentence: each message that was told of counts once, whoever got which copy, how often and when.
type replicaWalk struct {
	*replicas
	user     string
	twoKeys  bool
	pending  []tellingOf   // copies that are still to come
	earlier  []*desk.Event // what may be sent again
	messages int
}

// tellingOf is a copy of a message on its way.
type tellingOf struct {
	event  *desk.Event
	answer []byte
}

func TestReplicas_equalASentence(t *testing.T) {
	r := withReplicas(t, 2, func(o *Options) { o.Policy = mustLoad(t, exchangeRules) })
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		w := &replicaWalk{replicas: r, user: fmt.Sprint("customer", n), twoKeys: rapid.Bool().Draw(rt, "two keys")}
		rt.Repeat(map[string]func(*rapid.T){
			"message": w.message, "copy": w.copy, "copies at once": w.atOnce, "again": w.again, "restart": w.restart,
		})
		for len(w.pending) > 0 {
			w.deliverTo(rt, 0, rapid.IntRange(0, 1).Draw(rt, "replica"))
		}
		w.check(rt)
	})
}

// message is said: each kind of callback is to tell of it.
func (w *replicaWalk) message(rt *rapid.T) {
	if w.messages == 12 {
		rt.Skip("enough")
	}
	w.messages++
	l := chatLine{key: fmt.Sprint("k", w.messages), text: rapid.SampledFrom([]string{"hello", "where is it", "yes"}).Draw(rt, "text"), twoKeys: w.twoKeys}
	if !w.twoKeys { // the same words would be a copy to whom the message's own one comes later
		l.text += fmt.Sprint(" ", w.messages)
	}
	for _, e := range []*desk.Event{l.fromIM(w.all[0]), l.fromDesk(w.all[0])} {
		told := tellingOf{w.of(e), answerOK}
		if e.Command == desk.CommandSessionEvent {
			told.answer = answerDesk
		}
		w.pending = append(w.pending, told)
	}
}

// of makes a callback one of this walk's customer.
func (w *replicaWalk) of(e *desk.Event) *desk.Event {
	body := strings.NewReplacer("user1", w.user, `"s1"`, `"session of `+w.user+`"`).Replace(string(e.Body))
	return w.all[0].raw(e.Command, body)
}

func (w *replicaWalk) copy(rt *rapid.T) {
	if len(w.pending) == 0 {
		rt.Skip("none is on its way")
	}
	// Callbacks may overtake each other, by little.
	n := rapid.IntRange(0, min(3, len(w.pending)-1)).Draw(rt, "which")
	w.deliverTo(rt, n, rapid.IntRange(0, 1).Draw(rt, "replica"))
}

// deliverTo gives one of the pending copies to a replica.
func (w *replicaWalk) deliverTo(rt *rapid.T, n, replica int) {
	p := w.pending[n]
	w.pending = slices.Delete(w.pending, n, n+1)
	w.earlier = append(w.earlier, p.event)
	if got := w.tell(replica, p.event); got != string(p.answer) {
		rt.Fatalf("%s %s %q to %d: %s, want %s", p.event.Command, p.event.MsgKey, p.event.Text, replica, got, p.answer)
	}
}

func (w *replicaWalk) tell(replica int, e *desk.Event) string {
	for {
		a, err := w.all[replica].bot.Handle(context.Background(), Request{Event: e})
		switch {
		case errors.Is(err, ErrUnavailable):
		case err != nil:
			return err.Error()
		default:
			return string(a.JSON)
		}
	}
}

// atOnce delivers all that is on its way at the same moment.
func (w *replicaWalk) atOnce(rt *rapid.T) {
	answers := make([]string, len(w.pending))
	var all sync.WaitGroup
	for n, p := range w.pending {
		replica := rapid.IntRange(0, 1).Draw(rt, "replica")
		all.Go(func() { answers[n] = w.tell(replica, p.event) })
	}
	all.Wait()
	for n, p := range w.pending {
		w.earlier = append(w.earlier, p.event)
		if answers[n] != string(p.answer) {
			rt.Fatalf("%s %s %q: %s, want %s", p.event.Command, p.event.MsgKey, p.event.Text, answers[n], p.answer)
		}
	}
	w.pending = nil
}

// again sends what was answered before.
func (w *replicaWalk) again(rt *rapid.T) {
	if len(w.earlier) == 0 {
		rt.Skip("nothing was sent")
	}
	e := rapid.SampledFrom(w.earlier).Draw(rt, "which")
	w.tell(rapid.IntRange(0, 1).Draw(rt, "replica"), e)
}

// restart lets a replica forget all that it has of its own.
func (w *replicaWalk) restart(rt *rapid.T) {
	w.replicas.restart(rapid.IntRange(0, 1).Draw(rt, "replica"))
}

func (w *replicaWalk) check(rt *rapid.T) {
	sum := 0
	for _, id := range []string{"im:" + w.user + "|@service", "session of " + w.user} {
		b := w.all[0].bot
		err := b.Conversations.View(context.Background(), id, func(c *rules.Conversation) {
			_, trace := b.Policy().Explain(c, rules.Turn{Kind: rules.TimerTurn, At: b.Clock.Now()})
			sum += trace.Counters.UserMessages
		})
		if err != nil {
			rt.Fatal(err)
		}
	}
	if sum != w.messages {
		rt.Fatalf("%d messages were counted, want %d", sum, w.messages)
	}
}
