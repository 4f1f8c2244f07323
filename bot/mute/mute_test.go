package mute

import (
	"context"
	"errors"
	"io"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"escalator/bot/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// together is what replicas share, which may be away.
type together struct {
	mu   sync.Mutex
	away bool
	all  map[string]string
}

func (s *together) setAway(away bool) { s.mu.Lock(); defer s.mu.Unlock(); s.away = away }

func (s *together) empty() { s.mu.Lock(); defer s.mu.Unlock(); s.all = map[string]string{} }

func (s *together) Mutes(context.Context) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, store.ErrAway
	}
	return maps.Clone(s.all), nil
}

func (s *together) PutMutes(_ context.Context, mutes map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return store.ErrAway
	}
	maps.Copy(s.all, mutes)
	maps.DeleteFunc(s.all, func(_, value string) bool { return value == "" })
	return nil
}

// replica is one with a folder of its own, which restarts.
type replica struct {
	*Mutes
	t      *testing.T
	folder string
	shared store.Mutes
}

func newReplica(t *testing.T, shared store.Mutes) *replica {
	r := &replica{t: t, folder: t.TempDir(), shared: shared}
	r.restart()
	return r
}

func (r *replica) restart() {
	r.t.Helper()
	log := logrus.New()
	log.SetOutput(io.Discard)
	m, err := Open(Options{Folder: r.folder, Shared: r.shared, Log: log, Now: time.Now})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Mutes = m
}

// set mutes a rule for a time, or ends its mute with 0.
func (r *replica) set(rule string, d time.Duration) {
	r.t.Helper()
	if _, err := r.Set(rule, true, d, "ana", "a test"); err != nil {
		r.t.Fatal(err)
	}
}

func (r *replica) want(what string, rules ...string) {
	r.t.Helper()
	muted := r.current()
	if len(muted) != len(rules) {
		r.t.Errorf("%s: muted %v, want %v", what, muted, rules)
		return
	}
	for _, rule := range rules {
		if muted[rule].Until.IsZero() {
			r.t.Errorf("%s: muted %v, want %v", what, muted, rules)
		}
	}
}

func TestMutes_surviveARestart(t *testing.T) {
	r := newReplica(t, nil)
	r.set("a", time.Hour)
	r.set("b", time.Hour)
	r.set("a", 0)
	r.restart()
	r.want("after a restart", "b")
	if m := r.Muted()["b"]; m.By != "ana" || m.Why != "a test" {
		t.Errorf("kept %+v", m)
	}
}

func TestMutes_reachOtherReplicas_bothWays(t *testing.T) {
	s := &together{all: map[string]string{}}
	a, b := newReplica(t, s), newReplica(t, s)
	a.set("x", time.Hour)
	a.exchange(t.Context())
	b.exchange(t.Context())
	b.want("the other", "x")
	b.set("x", 0)
	b.exchange(t.Context())
	a.exchange(t.Context())
	a.want("after it was ended elsewhere")
}

// What an operator says while Redis is away is the last word, also after a restart.
func TestMutes_madeWhileTheStoreIsAway_surviveARestart_andWin(t *testing.T) {
	s := &together{all: map[string]string{}}
	a, b := newReplica(t, s), newReplica(t, s)
	a.set("ended", time.Hour)
	a.exchange(t.Context())
	b.exchange(t.Context())
	s.setAway(true)
	b.set("made", time.Hour)
	b.set("ended", 0)
	b.exchange(t.Context())
	b.restart()
	b.want("restarted while it is away", "made")
	b.exchange(t.Context())
	s.setAway(false)
	b.exchange(t.Context())
	b.want("when it is back", "made")
	a.exchange(t.Context())
	a.want("the other", "made")
	b.restart()
	b.want("restarted again", "made")
	if len(b.unshared) != 0 {
		t.Errorf("unshared after all know it: %v", b.unshared)
	}
}

// The one that looks between two steps of another must not take a part for all.
func TestMutes_afterTheStoreWasEmptied_noneIsDropped(t *testing.T) {
	s := &together{all: map[string]string{}}
	a, b := newReplica(t, s), newReplica(t, s)
	a.set("x", time.Hour)
	a.exchange(t.Context())
	b.exchange(t.Context())
	s.empty()
	a.set("y", time.Hour)
	a.exchange(t.Context())
	b.exchange(t.Context())
	a.exchange(t.Context())
	a.want("the one that muted another", "x", "y")
	b.want("the other", "x", "y")
}

func TestMutes_ofARuleThatIsGone_canOnlyBeEnded(t *testing.T) {
	r := newReplica(t, nil)
	r.set("gone", time.Hour)
	for _, test := range []struct {
		rule string
		d    time.Duration
		want error
	}{{"gone", time.Hour, ErrNoSuchRule}, {"never", 0, ErrNoSuchRule}, {"gone", 0, nil}, {"gone", 0, ErrNoSuchRule}} {
		if _, err := r.Set(test.rule, false, test.d, "ana", "a test"); !errors.Is(err, test.want) {
			t.Errorf("Set(%s, %s) = %v, want %v", test.rule, test.d, err, test.want)
		}
	}
}

func TestMutes_needATimeAndAnAuthor(t *testing.T) {
	r := newReplica(t, nil)
	for _, test := range []struct {
		d       time.Duration
		by, why string
	}{{-1, "ana", "w"}, {longest + 1, "ana", "w"}, {time.Hour, "", "w"}, {time.Hour, "ana", ""}} {
		if _, err := r.Set("x", true, test.d, test.by, test.why); !errors.Is(err, ErrBad) {
			t.Errorf("%+v: %v, want ErrBad", test, err)
		}
	}
	r.want("after all were refused")
}

func TestShare_tellsTheOthersAtOnce_notAtTheNextLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &together{all: map[string]string{}}
		r := newReplica(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		go r.Share(ctx)
		synctest.Wait()
		r.set("x", time.Hour)
		synctest.Wait()
		if all, _ := s.Mutes(ctx); all["x"] == "" {
			t.Errorf("the others were not told: %v", all)
		}
		cancel()
		synctest.Wait()
	})
}
