package messages

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"

	"github.com/sirupsen/logrus"

	"escalator/bot/store"
	"escalator/rules/lang"
)

// Replicas share the words through a store that may be emptied, or replaced by an empty
// one, while they run (Redis without a file, a failover). Customers were told that
// somebody contacts them, so each process puts back those who waited as it saw them last:
// at most lookEvery ago. Desk is asked where a customer is before anybody is contacted, as
// always. A stamp in the store tells that it is another one, or empty: words that are
// gone while it is there were removed by an operator.

// stampName is that of the record with the stamp.
const stampName = "messages stamp"

// shared is a store that replicas share while it can be used; *failover.Store is one.
type shared interface{ Sharing() bool }

// emptied reports whether the store that replicas share is not the one that it was at the
// last look.
func (k *Keeper) emptied(ctx context.Context) bool {
	if s, ok := k.Records.(shared); !ok || !s.Sharing() {
		return false
	}
	stamp := ""
	err := store.UpdateRecord(ctx, k.Records, store.KindLease, stampName, func(r *store.Record) (put bool, err error) {
		if put = r.Value == nil; put {
			r.Value = []byte(rand.Text())
		}
		stamp = string(r.Value)
		return put, nil
	})
	if err != nil || !k.Records.(shared).Sharing() { // then that was this process's own store
		return false
	}
	before := k.stamp
	k.stamp = stamp
	return before != "" && before != stamp
}

// putBack puts back those who waited at the last look, where the store has nothing of them.
func (k *Keeper) putBack(ctx context.Context) {
	waited := slices.SortedFunc(maps.Values(k.index.all()), func(a, b *Message) int { return a.Since.Compare(b.Since) })
	for _, m := range waited {
		r, err := m.encode()
		if err == nil {
			r.Version = 0 // another process may have been faster, or the customer has said something since
			err = k.Records.PutRecords(ctx, r)
		}
		if there, readErr := k.Records.Record(ctx, store.KindWords, r.Name); err != nil && readErr == nil && there.Value != nil {
			continue
		}
		if err != nil {
			m.Error = lang.Say("they could not be put back: %v", err).String()
		}
		k.log(m, putBack, logrus.ErrorLevel)
	}
}
