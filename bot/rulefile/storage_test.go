package rulefile

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot/notify"
	"escalator/rules"
)

// A read that hangs in a system call is played by one that never gives its
// place back.
func TestRead_storageThatHangs_isLeftAlone_andReadAgainWhenItIsBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := newSource(path)
		s.storage <- struct{}{}
		began := time.Now()
		if _, err := s.read(t.Context()); !errors.Is(err, ErrStorage) || time.Since(began) > storageTimeout {
			t.Errorf("while another read hangs: %v after %s", err, time.Since(began))
		}
		<-s.storage
		if src, err := s.read(t.Context()); err != nil || string(src.Files["rules.yaml"]) != "content" {
			t.Errorf("when it is back: %q, %v", src, err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, _ = s.read(ended) // must not keep its place
		synctest.Wait()
		if len(s.storage) != 0 {
			t.Error("a read that was given up keeps its place")
		}
	})
}

// The data folder's disk and that of the rule file hang on their own.
func TestReload_aDataFolderThatHangs_isToldAndHoldsNothingUp(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rules.yaml")
	put := func(word string) {
		t.Helper()
		text := "version: 1\ntargets: {default: {}}\nrules: [{id: a, when: {says: [" + word + "]}, then: {transfer: default}}]\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("human")
	synctest.Test(t, func(t *testing.T) {
		f, err := Open(Options{Path: path, Kept: filepath.Join(dir, "data", "rules")})
		if err != nil {
			t.Fatal(err)
		}
		log := logrus.New()
		log.SetOutput(io.Discard)
		f.Attach(func(*rules.Policy) {}, func(notify.Event) {}, log, prometheus.NewRegistry())
		first := f.History()[0].Version
		f.keeping <- struct{}{}
		put("person")
		began := time.Now()
		change, err := f.Reload(t.Context())
		if err != nil || change.Before != first || time.Since(began) > storageTimeout {
			t.Errorf("a reload after %s: %+v, %v", time.Since(began), change, err)
		}
		if s := f.Status(); s.Unkept != ErrStorage.Error() || len(f.History()) != 1 {
			t.Errorf("%+v, %d versions are kept", s, len(f.History()))
		}
		if d, err := f.Diff(t.Context(), "", ""); err != nil || d.Text != "" {
			t.Errorf("what is in force and could not be kept: %+v, %v", d, err)
		}
		if _, err := f.Rollback(t.Context(), first, Author{By: "li"}); !errors.Is(err, ErrStorage) {
			t.Errorf("a rollback to what cannot be read: %v", err)
		}
		<-f.keeping
		f.source.storage <- struct{}{}
		if _, err := f.Rollback(t.Context(), first, Author{By: "li"}); !errors.Is(err, ErrStorage) || f.Policy().Version() != change.Version {
			t.Errorf("a rollback to where nothing can be written: %v", err)
		}
		if _, err := f.Diff(t.Context(), "", ""); !errors.Is(err, ErrStorage) {
			t.Errorf("a diff with what cannot be read: %v", err)
		}
		if took := time.Since(began); took > 5*storageTimeout {
			t.Errorf("all of it took %s", took)
		}
	})
}

func TestWatch_storageThatHangs_keepsNobodyWaiting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.yaml")
	const text = "version: 1\ntargets: {default: {}}\nrules: [{id: a, when: {says: [human]}, then: {transfer: default}}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		f, err := Open(Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		log := logrus.New()
		log.SetOutput(io.Discard)
		f.Attach(func(*rules.Policy) {}, func(notify.Event) {}, log, prometheus.NewRegistry())
		f.source.storage <- struct{}{}
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { f.Watch(ctx) })
		time.Sleep(time.Minute)
		began := time.Now()
		if got := f.Status().LastError; got != ErrStorage.Error() || time.Since(began) > 0 {
			t.Errorf("status after %s: %q", time.Since(began), got)
		}
		if _, err := f.Reload(t.Context()); !errors.Is(err, ErrStorage) || time.Since(began) > storageTimeout {
			t.Errorf("a reload after %s: %v", time.Since(began), err)
		}
		<-f.source.storage
		time.Sleep(3 * time.Second)
		if got := f.Status().LastError; got != "" {
			t.Errorf("the storage is back: %q", got)
		}
		cancel()
		began = time.Now()
		done.Wait()
		if time.Since(began) > 0 {
			t.Errorf("the watcher ended after %s", time.Since(began))
		}
	})
}
