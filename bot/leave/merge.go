package leave

import (
	"cmp"
	"encoding/json"
	"slices"

	"escalator/bot/store"
)

// Merge joins what two stores that were apart keep of the words of one conversation.
// Whatever was done about a request in one of them counts: nobody is called again for
// it. One that cannot be read is left out, nil: neither can.
func Merge(ours, theirs []byte) []byte {
	a, err := decode(store.Record{Value: ours})
	b, err2 := decode(store.Record{Value: theirs})
	switch {
	case err != nil && err2 != nil:
		return nil
	case err != nil:
		return theirs
	case err2 != nil:
		return ours
	}
	if b.Opened.After(a.Opened) || b.Opened.Equal(a.Opened) && b.State.rank() > a.State.rank() {
		a, b = b, a
	}
	if b.State.open() || b.Opened.Equal(a.Opened) {
		a.add(b)
	}
	value, err := json.Marshal(a)
	if err != nil {
		return nil
	}
	return value
}

// rank says which of two states of one request counts: what was done is done.
func (s State) rank() int {
	switch s {
	case Waiting:
		return 0
	case Calling:
		return 1
	default:
		return 2
	}
}

// add takes over the words of another store, and a call that may be under way.
func (m *Message) add(o *Message) {
	m.Words = append(m.Words, o.Words...)
	slices.SortFunc(m.Words, func(a, b Words) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Text, b.Text)) })
	m.Words = bounded(slices.CompactFunc(m.Words, func(a, b Words) bool { return a.At.Equal(b.At) && a.Text == b.Text }))
	if o.Since.Before(m.Since) {
		m.Since = o.Since
	}
	if o.Until.After(m.Until) {
		m.Until = o.Until
	}
	if o.State == Calling && m.State == Waiting {
		m.State, m.Changed = Calling, o.Changed
	}
}
