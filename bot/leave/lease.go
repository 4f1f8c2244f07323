package leave

import (
	"context"
	"crypto/rand"

	"escalator/bot/clock"
	"escalator/bot/store"
)

const (
	// leaseName is that of the record that says which process contacts customers.
	leaseName = "messages"
	// leaseFor is how long it holds without being renewed.
	leaseFor = 3 * lookEvery
)

// lease has one of several processes contact customers: each agent that is free
// gets one customer, not one from each process. That nobody is contacted twice does
// not rest on it.
type lease struct {
	records store.Records
	clock   *clock.Clock
	owner   string
}

func newLease(records store.Records, c *clock.Clock) lease {
	return lease{records, c, rand.Text()}
}

// hold takes the lease, or renews it when half of it is over, and reports whether it
// is ours.
func (l *lease) hold(ctx context.Context) bool {
	r, err := l.records.Record(ctx, store.KindLease, leaseName)
	if err != nil || r.Value != nil && string(r.Value) != l.owner {
		return false
	}
	if r.Value != nil && r.Until.Sub(l.clock.Now()) > leaseFor/2 {
		return true
	}
	r.Value, r.Until = []byte(l.owner), l.clock.Now().Add(leaseFor)
	return l.records.PutRecords(ctx, r) == nil
}
