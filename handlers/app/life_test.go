package app

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// newTestApp returns an App that is nothing but a log.
func newTestApp(t *testing.T) (*App, *reader) {
	t.Helper()
	r := &reader{}
	l, err := NewLog(r, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	return &App{log: l}, r
}

// What hangs is left behind; all others have their turn, and the grace is kept.
func TestCleanUp_aStepThatHangs_keepsNobodyFromItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var ran []string
		a, out := newTestApp(t)
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
		a.log.Close(t.Context())
		for _, part := range []string{"client", "redis", "rule file"} {
			if !strings.Contains(out.String(), `"msg":"cut off while stopping","part":"`+part+`"`) {
				t.Errorf("the log does not tell of %s: %s", part, out)
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
		if got := ShownPath(path); got != want {
			t.Errorf("%s is shown as %s, want %s", path, got, want)
		}
	}
}

// A step is asked to make an end before it is left behind: a call to Desk that was
// cut leaves its transfer in a store that is still open.
func TestEnd_aStepThatIsAsked_hasTimeToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, out := newTestApp(t)
		saved := false
		err := a.end(step{"deliveries", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			saved = true
			return context.Cause(ctx)
		}}, time.Now().Add(10*time.Second))
		if !saved || !errors.Is(err, errLate) {
			t.Errorf("saved %t, %v", saved, err)
		}
		a.log.Close(t.Context())
		if !strings.Contains(out.String(), "their transfers stay in the outbox") {
			t.Errorf("it is not said what becomes of them: %s", out)
		}
	})
}
