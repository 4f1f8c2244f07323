package messages

import (
	"bytes"
	"cmp"
	"slices"

	"escalator/bot/store"
)

// Merge joins what two stores that were apart keep of one customer, as records hold it:
// the words of both, and the state that keeps the customer from being contacted twice.
// Their order does not matter. It returns nil where one of them makes no sense.
func Merge(ours, theirs []byte) []byte {
	a, errA := decode(store.Record{Value: ours})
	b, errB := decode(store.Record{Value: theirs})
	if errA != nil || errB != nil {
		return nil
	}
	if cmp.Or(compare(a, b), bytes.Compare(ours, theirs)) < 0 {
		a, b = b, a
	}
	if b.State.open() || b.Opened.Equal(a.Opened) { // else it led to something, and is forgotten
		a.Words = append(a.Words, b.Words...)
		slices.SortStableFunc(a.Words, func(x, y Words) int { return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Text, y.Text)) })
		a.Words = bounded(slices.CompactFunc(a.Words, func(x, y Words) bool { return x.At.Equal(y.At) && x.Text == y.Text }))
		a.Tried = max(a.Tried, b.Tried)
		if b.Since.Before(a.Since) {
			a.Since = b.Since
		}
		if b.Until.After(a.Until) {
			a.Until = b.Until
		}
	}
	r, err := a.encode()
	if err != nil {
		return nil
	}
	return r.Value
}

// compare is above 0 where the state of a counts: somebody is being called, the request
// is the later one, or it has led to something.
func compare(a, b *Message) int {
	rank := func(yes bool) int {
		if yes {
			return 1
		}
		return 0
	}
	return cmp.Or(
		rank(a.State == Calling)-rank(b.State == Calling), a.Opened.Compare(b.Opened),
		rank(!a.State.open())-rank(!b.State.open()), a.Changed.Compare(b.Changed),
	)
}
