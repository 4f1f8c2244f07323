package app

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What hangs is left behind; all others have their turn, and the grace is kept.
func TestCleanUp_aStepThatHangs_keepsNobodyFromItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var ran []string
		a := &App{}
		for _, name := range []string{"store", "rule file", "recording", "redis"} {
			a.onStop(name, func(context.Context) error {
				if name == "rule file" || name == "redis" {
					<-release
					return nil
				}
				ran = append(ran, name)
				return nil
			})
		}
		a.onStop("client", func(context.Context) error { return errors.New("planted") })
		began := time.Now()
		err := a.cleanUp(began.Add(4 * time.Second))
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("it took %s", took)
		}
		if got := strings.Join(ran, ", "); got != "recording, store" {
			t.Errorf("ran: %s", got)
		}
		for _, want := range []string{"stopping client: planted", "stopping redis: it takes too long", "stopping rule file: it takes too long"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not tell: %s", err, want)
			}
		}
		close(release)
		synctest.Wait()
	})
}

func TestShownPath_hidesWhatMayBeSecret(t *testing.T) {
	for path, want := range map[string]string{
		"/callback": "/callback", "/callback/8d2c": "/callback/…", "/8d2c": "/…", "/callback8d2c": "/…", "/": "/…",
	} {
		if got := shownPath(path); got != want {
			t.Errorf("%s is shown as %s, want %s", path, got, want)
		}
	}
}
