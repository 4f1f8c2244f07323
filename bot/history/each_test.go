package history

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"escalator/bot/store"
)

// all returns the texts that Each gives, sorted.
func (k *kept) all(since time.Time) (texts []string, whole bool) {
	k.t.Helper()
	whole, err := k.Each(k.t.Context(), since, func(e *Entry) { texts = append(texts, e.Session+" "+e.Text) })
	if err != nil {
		k.t.Fatal(err)
	}
	slices.Sort(texts)
	return texts, whole
}

func TestEach_readsBothPlaces_andSaysWhenOneIsAway(t *testing.T) {
	s := &shelf{}
	inTime(t, func(o *Options) { o.Shared = s }, func(k *kept) {
		k.says("a", "shared")
		k.all(time.Time{}) // it is written by now
		s.turn(true)
		k.says("a", "here")
		if got, whole := k.all(time.Time{}); !slices.Equal(got, []string{"a here"}) || whole {
			t.Errorf("while it is away: %q, whole %t", got, whole)
		}
		s.turn(false)
		if got, whole := k.all(time.Time{}); !slices.Equal(got, []string{"a here", "a shared"}) || !whole {
			t.Errorf("when it is back: %q, whole %t", got, whole)
		}
	})
}

// broken is a shared store that has a fault of its own.
type broken struct{ shelf }

var errBroken = errors.New("broken")

func (*broken) EachHistory(context.Context, time.Time, func([]byte) bool) (bool, error) {
	return false, errBroken
}

var _ store.Histories = (*broken)(nil)

func TestEach_aFaultOfTheSharedStore_isTold(t *testing.T) {
	inTime(t, func(o *Options) { o.Shared = &broken{} }, func(k *kept) {
		if _, err := k.Each(k.t.Context(), time.Time{}, func(*Entry) {}); !errors.Is(err, errBroken) {
			t.Errorf("%v", err)
		}
	})
}
