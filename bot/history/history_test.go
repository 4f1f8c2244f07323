package history

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"escalator/bot/logtest"
	"escalator/bot/mask"
	"escalator/bot/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// kept is a history in virtual time, and what it told.
type kept struct {
	*History
	t       *testing.T
	log     logtest.Buffer
	dropped prometheus.Counter
}

func inTime(t *testing.T, change func(*Options), test func(k *kept)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		k := &kept{t: t, dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "dropped"})}
		log := logrus.New()
		log.SetOutput(&k.log)
		log.SetFormatter(&logrus.JSONFormatter{})
		o := Options{Dir: t.TempDir(), Mask: mask.Masked, For: time.Hour, Max: 1 << 20, Log: log, Dropped: k.dropped}
		if change != nil {
			change(&o)
		}
		var err error
		if k.History, err = Open(o); err != nil {
			t.Fatal(err)
		}
		test(k)
		k.Close()
	})
}

func (k *kept) says(session, text string) {
	k.Add(Entry{Kind: Turn, At: time.Now(), Session: session, User: "li", Role: "user", Text: text, Phase: "bot"})
}

func (k *kept) texts(session string) (texts []string) {
	k.t.Helper()
	c, err := k.Conversation(k.t.Context(), session)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, e := range c.Entries {
		texts = append(texts, e.Text)
	}
	return texts
}

func TestHistory_wordsAreMasked_andCutWhereNothingCanShow(t *testing.T) {
	inTime(t, nil, func(k *kept) {
		for i, c := range []struct{ text, want string }{
			{"call 13800138000", "call ***"},
			{strings.Repeat("x", 600), strings.Repeat("x", 500) + "…"},
			{strings.Repeat("转", 600), strings.Repeat("转", 500) + "…"},
			// The number stands where the copy is cut: what is left of it must not be seen.
			{strings.Repeat("1234567890 ", 372) + "a 138", "…"},
			{strings.Repeat("1234 a ", (4<<10-20)/7) + strings.Repeat("b", 13) + "someone@example.com", strings.Repeat("*** a ", 83) + "**…"},
			{"bad \xff byte", "bad \ufffd byte"},
		} {
			session := fmt.Sprint("s", i)
			k.says(session, c.text)
			if got := k.texts(session); !slices.Equal(got, []string{c.want}) {
				t.Errorf("%.40q: %q, want %q", c.text, got, c.want)
			}
		}
	})
}

func TestHistory_ofOneConversation_has200Turns_and64KiB(t *testing.T) {
	inTime(t, nil, func(k *kept) {
		for i := range 250 {
			k.says("many", fmt.Sprint(i))
			k.Add(Entry{Kind: Said, At: time.Now(), Session: "many", Text: "…"})
			time.Sleep(time.Second)
		}
		c, err := k.Conversation(k.t.Context(), "many")
		if err != nil || len(c.Entries) != 400 || c.Entries[0].Text != "50" || !c.Older {
			t.Errorf("%d entries from %q, older %t, %v", len(c.Entries), c.Entries[0].Text, c.Older, err)
		}
		for range 199 {
			k.says("long", strings.Repeat("转", 490))
		}
		if c, err = k.Conversation(k.t.Context(), "long"); err != nil || len(c.Entries) != 43 || !c.Older {
			t.Errorf("%d entries, older %t, %v", len(c.Entries), c.Older, err)
		}
		k.says("few", "hello")
		if c, err = k.Conversation(k.t.Context(), "few"); err != nil || len(c.Entries) != 1 || c.Older {
			t.Errorf("%+v %v", c, err)
		}
	})
}

func TestHistory_afterItsTime_isNotTold(t *testing.T) {
	inTime(t, nil, func(k *kept) {
		k.says("s", "old")
		time.Sleep(40 * time.Minute)
		k.says("s", "new")
		time.Sleep(30 * time.Minute)
		if got := k.texts("s"); !slices.Equal(got, []string{"new"}) {
			t.Errorf("%q", got)
		}
		time.Sleep(31 * time.Minute)
		if _, err := k.Conversation(k.t.Context(), "s"); !errors.Is(err, ErrUnknown) {
			t.Error(err)
		}
		if session, err := k.OfUser(k.t.Context(), "li"); session != "" || err != nil {
			t.Errorf("of the user: %q %v", session, err)
		}
		time.Sleep(10 * time.Minute)
		if files, _ := filepath.Glob(filepath.Join(k.Dir, "*")); len(files) > 0 {
			t.Errorf("files of nothing: %q", files)
		}
		k.says("s", "again")
		if got := k.texts("s"); !slices.Equal(got, []string{"again"}) {
			t.Errorf("%q", got)
		}
	})
}

// A flood that the disk cannot take is dropped, counted and told, and nobody waits.
func TestHistory_overItsQueue_isDroppedCountedAndTold(t *testing.T) {
	inTime(t, nil, func(k *kept) {
		held, goOn := make(chan struct{}), make(chan struct{})
		go func() { _ = k.between(k.t.Context(), func() { close(held); <-goOn }) }()
		<-held // the disk hangs
		for range maxQueued + 10 {
			k.says("s", "x")
		}
		if n := testutil.ToFloat64(k.dropped); n != 10 || len(k.Degraded()) != 1 {
			t.Errorf("%v dropped, degraded %q", n, k.Degraded())
		}
		if _, err := k.Conversation(k.t.Context(), "s"); !errors.Is(err, ErrBusy) {
			t.Errorf("a reader of a disk that hangs: %v", err)
		}
		close(goOn)
		time.Sleep(2 * lateFor)
		if len(k.Degraded()) != 0 || len(k.texts("s")) != maxTurns {
			t.Errorf("afterwards: degraded %q", k.Degraded())
		}
	})
}

// A disk that takes nothing stops history only; it is told once, and so is its end.
func TestHistory_aDiskThatTakesNothing_isToldOnce(t *testing.T) {
	inTime(t, nil, func(k *kept) {
		if err := os.RemoveAll(k.Dir); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(k.Dir, nil, 0o600); err != nil { // no folder can be made there
			t.Fatal(err)
		}
		for range 3 {
			k.says("s", "lost")
			time.Sleep(time.Second)
		}
		if n := testutil.ToFloat64(k.dropped); n != 3 || len(k.Degraded()) != 1 {
			t.Errorf("%v dropped, degraded %q", n, k.Degraded())
		}
		if err := os.Remove(k.Dir); err != nil {
			t.Fatal(err)
		}
		k.says("s", "kept")
		if got := k.texts("s"); !slices.Equal(got, []string{"kept"}) {
			t.Errorf("%q", got)
		}
		for line, want := range map[string]int{"history cannot be written: entries are lost until it can be; is the disk full?": 1, "history is written again": 1} {
			if n := len(k.log.Lines(line)); n != want {
				t.Errorf("%d lines %q", n, line)
			}
		}
	})
}

// shelf is a shared store that can go away.
type shelf struct {
	mu   sync.Mutex
	away bool
	rows []store.HistoryRow
}

func (s *shelf) lock() (func(), error) {
	s.mu.Lock()
	if s.away {
		s.mu.Unlock()
		return nil, store.ErrAway
	}
	return s.mu.Unlock, nil
}

func (s *shelf) AppendHistory(_ context.Context, rows []store.HistoryRow, b store.HistoryBounds) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	for _, r := range rows {
		r.Data = slices.Clone(r.Data)
		s.rows = append(s.rows, r)
	}
	if b != (store.HistoryBounds{For: time.Hour, Max: 1 << 20, Bytes: 64 << 10}) {
		return fmt.Errorf("bounds %+v", b)
	}
	return nil
}

func (s *shelf) History(_ context.Context, session string) (rows [][]byte, err error) {
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	for _, r := range s.rows {
		if r.Session == session {
			rows = append(rows, r.Data)
		}
	}
	return rows, nil
}

func (s *shelf) EachHistory(_ context.Context, since time.Time, take func([]byte) bool) (whole bool, err error) {
	unlock, err := s.lock()
	if err != nil {
		return false, err
	}
	defer unlock()
	for _, r := range s.rows {
		if !r.At.Before(since) && !take(r.Data) {
			return false, nil
		}
	}
	return true, nil
}

func (s *shelf) HistoryOf(_ context.Context, user string) (row []byte, err error) {
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	for _, r := range s.rows {
		if r.User == user {
			row = r.Data
		}
	}
	return row, nil
}

func (s *shelf) ForgetHistory(_ context.Context, user string) (n int, err error) {
	unlock, err := s.lock()
	if err != nil {
		return 0, err
	}
	defer unlock()
	before := len(s.rows)
	s.rows = slices.DeleteFunc(s.rows, func(r store.HistoryRow) bool { return r.User == user })
	return min(1, before-len(s.rows)), nil
}

func (s *shelf) turn(away bool) { s.mu.Lock(); defer s.mu.Unlock(); s.away = away }

// What happens while the shared store is away is kept here, stays here, and is told
// together with the rest.
func TestHistory_whileTheSharedStoreIsAway_isKeptHere_andToldAsOne(t *testing.T) {
	s := &shelf{}
	inTime(t, func(o *Options) { o.Shared = s }, func(k *kept) {
		for i, away := range []bool{false, true, false} {
			s.turn(away)
			time.Sleep(time.Second)
			k.says("s", fmt.Sprint(i))
			time.Sleep(time.Second)
		}
		if got := k.texts("s"); !slices.Equal(got, []string{"0", "1", "2"}) {
			t.Errorf("%q", got)
		}
		s.turn(true)
		if got := k.texts("s"); !slices.Equal(got, []string{"1"}) {
			t.Errorf("while it is away: %q", got)
		}
		if _, err := k.Forget(k.t.Context(), "li"); !errors.Is(err, store.ErrAway) {
			t.Errorf("to forget needs both: %v", err)
		}
		s.turn(false)
		k.says("t", "last")
		if session, err := k.OfUser(k.t.Context(), "li"); session != "t" || err != nil {
			t.Errorf("%q %v", session, err)
		}
		if n, err := k.Forget(k.t.Context(), "li"); n != 1 || err != nil {
			t.Errorf("forgotten: %d %v", n, err)
		}
		if _, err := k.Conversation(k.t.Context(), "s"); !errors.Is(err, ErrUnknown) {
			t.Error(err)
		}
	})
}

func TestHistory_closed_hasWrittenAll_andCanBeOpenedAgain(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		inTime(t, func(o *Options) { o.Dir = dir }, func(k *kept) {
			k.says("s", fmt.Sprint(i))
			if got := k.texts("s"); len(got) != 2*i+1 {
				t.Errorf("start %d: %q", i, got)
			}
			k.says("s", "written at the end")
		})
	}
	if err := Remove(dir); err != nil {
		t.Fatal(err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) > 0 {
		t.Errorf("%q", files)
	}
}

func TestEach_givesWhatIsKeptOfAllConversations(t *testing.T) {
	inTime(t, nil, func(k *kept) {
		k.says("a", "one")
		k.says("b", "two")
		time.Sleep(10 * time.Minute) // another segment
		since := time.Now()
		k.says("a", "three")
		if got, whole := k.all(time.Time{}); !slices.Equal(got, []string{"a one", "a three", "b two"}) || !whole {
			t.Errorf("all: %q, whole %t", got, whole)
		}
		if got, whole := k.all(since); !slices.Equal(got, []string{"a three"}) || !whole {
			t.Errorf("since then: %q, whole %t", got, whole)
		}
		if _, err := k.Forget(k.t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		if got, _ := k.all(time.Time{}); !slices.Equal(got, []string{"a one", "a three"}) {
			t.Errorf("after b was forgotten: %q", got)
		}
	})
}
