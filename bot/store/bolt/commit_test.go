package bolt

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
)

// stuck is a committer whose disk does not answer until the function releases it.
func stuck(t *testing.T) (*committer, func()) {
	t.Helper()
	db, err := bolt.Open(t.TempDir()+"/x.db", 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := newCommitter(db, &Store{unsaved: newPending()})
	gate := make(chan struct{})
	go func() { _ = c.do(func(*bolt.Tx) error { <-gate; return nil }) }()
	synctest.Wait()
	return c, func() { close(gate); synctest.Wait(); c.close(); _ = db.Close() }
}

func TestCommitter_aDiskThatHangs_failsTheCallbackInTime_andWritesNothingLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, release := stuck(t)
		began, ran := time.Now(), false
		err := c.doSoon(func(*bolt.Tx) error { ran = true; return nil })
		if waited := time.Since(began); !errors.Is(err, errBusy) || waited != commitTimeout {
			t.Errorf("%v after %s", err, waited)
		}
		release()
		if ran {
			t.Error("a write that was taken back was committed later")
		}
	})
}

func TestCommitter_aFullQueue_failsTheCallbackInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, release := stuck(t)
		for range maxGroup {
			go func() { _ = c.do(func(*bolt.Tx) error { return nil }) }()
		}
		synctest.Wait()
		if err := c.doSoon(func(*bolt.Tx) error { return nil }); !errors.Is(err, errBusy) {
			t.Errorf("doSoon = %v", err)
		}
		release()
	})
}

func TestCommitter_aCommitThatHasBegun_isWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := bolt.Open(t.TempDir()+"/y.db", 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := newCommitter(db, &Store{unsaved: newPending()})
		slow := func(*bolt.Tx) error { time.Sleep(3 * commitTimeout); return nil }
		if err := c.doSoon(slow); err != nil {
			t.Errorf("doSoon = %v: the write is on disk", err)
		}
		c.close()
		_ = db.Close()
	})
}
