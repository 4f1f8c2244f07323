package notify

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/sony/gobreaker/v2"

	"escalator/bot/retry"
	"escalator/bot/store"
	"escalator/bot/trace"
	"escalator/rules"
)

// address is what is known of an address: when it got its last messages.
type address struct {
	Sent []time.Time `json:"sent"`
}

// free says how long an address gets no message, because it got many.
func (a *address) free(now time.Time) time.Duration {
	a.Sent = slices.DeleteFunc(a.Sent, func(at time.Time) bool {
		age := now.Sub(at)
		return age >= addressTime || age < -maxSkew // a clock was set back
	})
	if len(a.Sent) < addressMessages {
		return 0
	}
	return a.Sent[0].Add(addressTime).Sub(now)
}

// lease makes a message ours to send, and counts it for its address: both or neither,
// so that replicas do not send it twice, nor together too many. report tells the
// breaker what became of it; nil: it is not to be sent before wait is over.
func (n *Notifier) lease(ctx context.Context, s *state, g *group, to string) (report func(error), wait time.Duration) {
	now := n.Clock.Now()
	name := addressPrefix + to
	r, known := s.addresses[name]
	if !known {
		r = store.Record{Kind: store.KindNotice, Name: name}
	}
	a, _ := decode[address](r) // one that cannot be read is a new one
	if wait := a.free(now); wait > 0 {
		return nil, wait
	}
	report, err := n.breaker(to).Allow()
	if err != nil {
		return nil, storeRetry
	}
	a.Sent = append(a.Sent, now)
	if g.ID == "" {
		g.ID = rand.Text()
	}
	g.Leased = now.Add(leaseFor)
	ours, err := g.encoded(now)
	counted, err2 := encode(r, a, now.Add(2*addressTime))
	if err = errors.Join(err, err2); err == nil {
		err = n.Records.PutRecords(ctx, ours, counted)
	}
	if err != nil {
		report(retry.ErrNotCalled)
		if !errors.Is(err, store.ErrConflict) {
			n.storeFailed(err)
		}
		return nil, storeRetry
	}
	return report, 0
}

// breaker is that of an address; only the worker asks for it.
func (n *Notifier) breaker(to string) *gobreaker.TwoStepCircuitBreaker[any] {
	b := n.breakers[to]
	if b == nil {
		b = retry.NewBreaker(to)
		n.breakers[to] = b
	}
	return b
}

// deliver sends a message and keeps what became of it.
func (n *Notifier) deliver(ctx context.Context, told *group, team *rules.Team, report func(error)) {
	ctx, span := n.Tracer.Start(n.Tracer.Under(ctx, told.Event.Traceparent), "notify", trace.Client)
	defer span.End()
	err := n.sender.send(ctx, team, n.notice(ctx, told, team))
	failure, _ := errors.AsType[*sendError](err)
	switch {
	case failure == nil || failure.reached:
		report(nil)
	case failure.notCalled:
		report(retry.ErrNotCalled)
	default:
		report(failure)
	}
	if failure != nil && ctx.Err() != nil {
		return // we stop: whoever comes next sends it, when the lease is over
	}
	line := n.Log.WithFields(told.fields())
	outcome, level := outcomeSent, logrus.InfoLevel
	wait := time.Duration(0)
	if failure != nil {
		outcome, level = outcomeRetrying, logrus.WarnLevel
		wait = max(retry.Backoff(told.Faults+1), failure.after)
		line = line.WithError(failure).WithField("again_in_ms", wait.Milliseconds())
	}
	if span.IsRecording() {
		span.Set("team", team.Name, "channel", team.Channel, "kind", string(told.Event.Kind), "rule", told.Event.Rule, "session", told.Event.Session, "outcome", outcome)
		span.SetInt("count", told.Count)
		if failure != nil {
			span.Fail("the team's chat did not take it")
		}
	}
	n.Metrics.Notices.WithLabelValues(team.Channel, outcome).Inc()
	n.quiet.Log(outcome+" "+team.Name, line.WithField("outcome", outcome), level, "notice")
	n.change(context.WithoutCancel(ctx), told, func(g *group) {
		if failure != nil {
			g.failed(wait, n.Clock.Now())
			return
		}
		g.sent(told, team.Every, n.Clock.Now())
	})
}

// giveUp drops what cannot be told any more.
func (n *Notifier) giveUp(ctx context.Context, g *group) {
	r := g.record
	r.Value = nil
	if err := n.Records.PutRecords(ctx, r); err != nil {
		if !errors.Is(err, store.ErrConflict) { // else another replica tells of it
			n.storeFailed(err)
		}
		return
	}
	n.Metrics.Notices.WithLabelValues(g.Channel, outcomeFailed).Inc()
	n.Log.WithFields(g.fields()).WithFields(logrus.Fields{"outcome": outcomeFailed, "error": "it could not be sent within 24 hours"}).Error("notice")
}

// fields are those of the line of a message: one that tells of several events names the
// callbacks of all.
func (g *group) fields() logrus.Fields {
	f := logrus.Fields{"team": g.Team, "channel": g.Channel, "kind": g.Event.Kind, "count": g.Count, "over": g.Over}
	switch len(g.Requests) {
	case 0:
	case 1:
		f["request_id"] = g.Requests[0]
	default:
		f["request_ids"] = g.Requests
	}
	return f
}

// change changes a group as it is now, if it still has the same message to send.
func (n *Notifier) change(ctx context.Context, sent *group, change func(*group)) {
	err := store.UpdateRecord(ctx, n.Records, store.KindNotice, sent.record.Name, func(r *store.Record) (put bool, err error) {
		g, err := decode[group](*r)
		if err != nil || g.ID != sent.ID {
			return false, nil //nolint:nilerr // load tells of a record that cannot be read
		}
		change(g)
		g.record = *r
		*r, err = g.encoded(n.Clock.Now())
		return err == nil, err
	})
	if err != nil {
		n.storeFailed(err)
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
