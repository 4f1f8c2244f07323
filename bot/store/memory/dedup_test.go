package memory

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/store"
)

func answerTo(t *testing.T, m *Dedup, key string, answer []byte) {
	t.Helper()
	if c, err := m.Claim(t.Context(), key, ""); err != nil || !c.First {
		t.Fatal(c, err)
	}
	m.Finish(t.Context(), key, answer)
}

func TestDedup_ofMuchSaidByTheOwnBot_keepsABoundedPart(t *testing.T) {
	m := NewDedup(DedupOptions{Keep: time.Minute, Max: 100_000})
	answerTo(t, m, "just too long", make([]byte, maxAnswer+1))
	if c, err := m.Claim(t.Context(), "just too long", ""); err != nil || c.First || c.Answer != nil {
		t.Errorf("%d bytes are kept of an answer that is too long, %+v, %v", len(c.Answer), c.First, err)
	}
	for n := range 3 * maxAnswers / maxAnswer {
		answer := make([]byte, maxAnswer)
		binary.LittleEndian.PutUint64(answer, uint64(n))
		answerTo(t, m, fmt.Sprint(n), answer)
	}
	if m.answers.bytes > maxAnswers+2*maxAnswer {
		t.Errorf("%d bytes are kept, want at most %d", m.answers.bytes, maxAnswers)
	}
	if c, _ := m.Claim(t.Context(), "0", ""); len(c.Answer) != maxAnswer {
		t.Error("the first is not kept any more")
	}
}

// Nearly all callbacks are answered alike: that takes no room, and is given back.
func TestDedup_answersThatAreAlike_areKeptOnce_andForgottenWithTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewDedup(DedupOptions{Keep: time.Minute, Max: 100_000})
		for n := range 1000 {
			answerTo(t, m, fmt.Sprint(n), bytes.Clone([]byte("OK")))
		}
		if len(m.answers.kept) != 1 || m.answers.bytes > 10 {
			t.Errorf("%d answers and %d bytes are kept", len(m.answers.kept), m.answers.bytes)
		}
		time.Sleep(2 * time.Minute)
		answerTo(t, m, "0", []byte("another")) // in the place of one that has expired
		for range 2 * shardCount {
			m.Sweep()
		}
		time.Sleep(2 * time.Minute)
		for range 2 * shardCount {
			m.Sweep()
		}
		if len(m.answers.kept)+m.answers.bytes+m.Len() != 0 {
			t.Errorf("left: %d answers, %d bytes, %d callbacks", len(m.answers.kept), m.answers.bytes, m.Len())
		}
	})
}

func TestClaim_whoseFirstDoesNotEnd_givesUp_butNotBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewDedup(DedupOptions{Keep: time.Minute, Max: 10})
		if c, err := m.Claim(t.Context(), "k", ""); err != nil || !c.First {
			t.Fatal(c, err)
		}
		began := time.Now()
		_, err := m.Claim(t.Context(), "k", "")
		if waited := time.Since(began); !errors.Is(err, store.ErrBusy) || waited != store.DuplicateWait {
			t.Errorf("%v after %s", err, waited)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := m.Claim(ctx, "k", ""); !errors.Is(err, context.Canceled) {
			t.Errorf("Claim of a sender that hung up = %v", err)
		}
	})
}

// Callbacks that come at about the same time are forgotten together: none of them before
// its time, and none much later.
func TestDedup_keepsACallbackForAsLongAsIsAsked_andLittleLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const keep = 10 * time.Minute
		m := NewDedup(DedupOptions{Keep: keep, Max: 100_000})
		for n := range 50 {
			key := fmt.Sprint(n)
			answerTo(t, m, key, []byte("OK"))
			time.Sleep(keep - time.Millisecond)
			if c, err := m.Claim(t.Context(), key, ""); err != nil || c.First {
				t.Errorf("%d: forgotten early: %+v, %v", n, c, err)
			}
			time.Sleep((grain + 1) * time.Millisecond)
			if c, err := m.Claim(t.Context(), key, ""); err != nil || !c.First {
				t.Errorf("%d: remembered for too long: %+v, %v", n, c, err)
			}
			time.Sleep(time.Duration(n) * 37 * time.Millisecond)
		}
	})
}

// A sweeper that is slower than callbacks come would fill the memory with what is over.
func TestDedup_sweptAsTheServiceDoes_keepsUpWithManyCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const aSecond, seconds = 5_000, 60
		m := NewDedup(DedupOptions{Keep: time.Second, Max: 10_000_000})
		ctx, stop := context.WithCancel(t.Context())
		var swept sync.WaitGroup
		swept.Go(func() { Sweep(ctx, m.Sweep) })
		for n := range aSecond * seconds {
			answerTo(t, m, fmt.Sprint(n), nil)
			time.Sleep(time.Second / aSecond)
		}
		if m.Len() > 10*aSecond {
			t.Errorf("%d callbacks are kept of the %d of each second", m.Len(), aSecond)
		}
		stop()
		swept.Wait()
	})
}

// A callback that was given up is claimed anew, and one whose part is over ends that claim at
// once: it does so under the claim's key, or copies would find a claim that is over for ever.
func TestClaim_hasItsKey_beforeItIsSeen(t *testing.T) {
	m := NewDedup(DedupOptions{Keep: time.Minute, Max: 10})
	again := func(counted bool) {
		if c, err := m.Claim(t.Context(), "k", ""); err != nil || !c.First || c.Counted != counted {
			t.Fatal(c, err)
		}
	}
	kept, seen := m.table.kept, 0
	m.table.kept = func(key string, e entry) {
		kept(key, e)
		if now, _ := m.table.get(key); now == e {
			t.Error("a claim is seen before it has its key")
		}
		if c, ok := e.(*claim); ok && c.key == key {
			seen++
		}
	}
	again(false) // added
	m.Release(t.Context(), "k")
	again(false) // in the place of one that has expired
	m.counted("k", nil)
	m.Release(t.Context(), "k")
	again(true) // swapped
	if seen != 3 {
		t.Errorf("%d of 3 claims had their key", seen)
	}
}
