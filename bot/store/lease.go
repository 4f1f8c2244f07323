package store

import (
	"context"
	"fmt"
	"time"
)

// Lease has one of several processes do a piece of work. It is a record with the
// name of the process that does it; that nothing is done twice must not rest on it.
type Lease struct {
	Records Records
	Name    string           // of the work
	Owner   string           // this process; no other has this name
	For     time.Duration    // how long it holds without being renewed
	Now     func() time.Time // of the records' Until
}

// Hold takes the lease, or renews it when half of it is over, and returns whose it is
// now: Owner, or the name of another process. The error is that of the store.
func (l *Lease) Hold(ctx context.Context) (holder string, err error) {
	r, err := l.Records.Record(ctx, KindLease, l.Name)
	switch {
	case err != nil:
		return "", fmt.Errorf("reading the lease of %s: %w", l.Name, err)
	case r.Value != nil && string(r.Value) != l.Owner:
		return string(r.Value), nil
	case r.Value != nil && r.Until.Sub(l.Now()) > l.For/2:
		return l.Owner, nil
	}
	r.Kind, r.Name, r.Value, r.Until = KindLease, l.Name, []byte(l.Owner), l.Now().Add(l.For)
	if err := l.Records.PutRecords(ctx, r); err != nil { // another process may have been faster
		return "", fmt.Errorf("taking the lease of %s: %w", l.Name, err)
	}
	return l.Owner, nil
}
