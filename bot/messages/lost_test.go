package messages

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

// replicated is a store that replicas share, which may be emptied or be away.
type replicated struct {
	mu    sync.Mutex
	store store.Records
	own   store.Records // what this process has while the other is away
	away  bool
}

func (r *replicated) now() store.Records {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away {
		return r.own
	}
	return r.store
}

func (r *replicated) Sharing() bool { r.mu.Lock(); defer r.mu.Unlock(); return !r.away }

func (r *replicated) Record(ctx context.Context, kind store.Kind, name string) (store.Record, error) {
	return r.now().Record(ctx, kind, name) //nolint:wrapcheck // a store as any other
}

func (r *replicated) PutRecords(ctx context.Context, records ...store.Record) error {
	return r.now().PutRecords(ctx, records...) //nolint:wrapcheck // a store as any other
}

func (r *replicated) Records(ctx context.Context, kind store.Kind) ([]store.Record, error) {
	return r.now().Records(ctx, kind) //nolint:wrapcheck // a store as any other
}

func (r *replicated) set(change func()) { r.mu.Lock(); defer r.mu.Unlock(); change() }

// Redis is emptied with customers in it who were told that somebody contacts them: each
// is told of, put back by one of the replicas, and contacted once.
func TestKeeper_aStoreThatIsEmptied_losesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		fresh := func() store.Records {
			return memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(10), Now: w.clock.Now})
		}
		r := &replicated{store: fresh(), own: fresh()}
		w.records = r
		w.keeper = w.process()
		other := w.process()
		for _, k := range []*Keeper{w.keeper, other} {
			k.Start()
			defer k.Stop(t.Context())
		}
		w.leaves("s1", "call me")
		w.passes(time.Second)
		w.leaves("s2", "me too")
		w.leaves("s3", "removed by an operator")
		w.passes(2 * lookEvery)
		if err := other.Delete(t.Context(), "s3"); err != nil {
			t.Fatal(err)
		}
		w.passes(2 * lookEvery)

		r.set(func() { r.away = true }) // nobody is taken for lost while it is away
		w.passes(3 * lookEvery)
		if own, _ := r.own.Records(t.Context(), store.KindWords); len(own) != 0 {
			t.Errorf("put into the process's own store: %v", own)
		}
		r.set(func() { r.away = false })
		w.passes(2 * lookEvery)
		w.wantLines("left left left deleted")

		r.set(func() { r.store = fresh() })
		w.passes(3 * lookEvery)
		if got := strings.Fields(w.lines()); !slices.Equal(got[4:], []string{"put_back", "put_back"}) {
			t.Fatalf("told %q", got)
		}
		if m := w.message("s1"); m.State != Waiting || m.Words[0].Text != "call me" {
			t.Errorf("%+v", m)
		}
		free := 2
		for range 3 {
			for _, k := range []*Keeper{w.keeper, other} {
				k.Reading(&rules.Reading{At: w.clock.Now(), Free: &free})
			}
			w.passes(time.Minute)
		}
		w.wantContacted("s1", "s2")
	})
}
