package e2e_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
)

// What docs/operations.md says of a backup: `cp -r` of the data folder of a service that is at work holds every transfer that was
// promised before it began. Started elsewhere, as after a move to another machine, it delivers them, and none twice.
func TestOperations_aHotCopyHoldsWhatWasPromised(t *testing.T) {
	t.Parallel()
	s := newUnreliable(t, 1, quiet)
	if err := s.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.Fault502, Probability: 1}); err != nil {
		t.Fatal(err)
	}
	ask := func(session string) bool {
		s.desk.Begin(session)
		a := s.desk.UserSays(session, "human")
		return a.Err == nil && a.Status == http.StatusOK
	}
	promised := make([]string, 40)
	for i := range promised {
		promised[i] = fmt.Sprint("before-", i)
		if !ask(promised[i]) {
			t.Fatalf("%s was not answered\n%s", promised[i], s.out)
		}
	}
	stop, atWork := make(chan struct{}), sync.WaitGroup{}
	atWork.Go(func() { // what comes meanwhile may be in the copy or not
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				ask(fmt.Sprint("meanwhile-", i))
			}
		}
	})
	backup := filepath.Join(s.dir, "backup")
	if out, err := exec.CommandContext(t.Context(), "cp", "-r", filepath.Join(s.dir, "data"), backup).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	close(stop)
	atWork.Wait()
	s.kill()
	s.desk.ClearFaults()
	s.start(quiet, "ESCALATOR_DATA_DIR="+backup)
	s.wantEachAcceptedOnce(promised)
}

// What it says of the callback token: with both in force no callback is refused while the console is being changed.
func TestOperations_theCallbackTokenIsRotatedWithoutARefusal(t *testing.T) {
	t.Parallel()
	const next = "the-next-token"
	s := startService(t, "ESCALATOR_CALLBACK_TOKEN="+next+","+testToken)
	console := desktest.New(desktest.Options{Key: testKey, Token: next})
	if err := console.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(console.Close)
	says := func(from *desktest.Desk, session string) int {
		from.SetCallbackURL(s.url)
		from.Begin(session)
		return from.UserSays(session, "hello").Status
	}
	for name, from := range map[string]*desktest.Desk{"before": s.desk, "after": console} {
		if status := says(from, name); status != http.StatusOK {
			t.Errorf("%s the change in the console: %d", name, status)
		}
	}
	s.stop()
	s.start("ESCALATOR_CALLBACK_TOKEN=" + next)
	if status := says(s.desk, "late"); status != http.StatusForbidden {
		t.Errorf("with the old token, which was removed: %d", status)
	}
	if status := says(console, "later"); status != http.StatusOK {
		t.Errorf("with the new one: %d", status)
	}
}

// What it says of the UserSig key: while ours is the old one, transfers are kept; they go out after the restart.
func TestOperations_transfersWaitForTheNewKey(t *testing.T) {
	t.Parallel()
	old := desk.Secret("the-key-that-was-replaced-in-the-console-0000000000000000000000000000")
	s := startService(t, "ESCALATOR_SECRET_KEY="+old.Reveal())
	s.desk.Begin("waits")
	if a := s.says("waits", "I want to talk to a human"); a.Status != http.StatusOK {
		t.Fatalf("%+v", a)
	}
	eventually(t, "the courier is held", func() bool { _, body := s.get("/metrics"); return gauge(body, "escalator_courier_held") == 1 })
	s.readiness(`"degraded"`)
	s.stop()
	s.start()
	s.log("transfer", map[string]any{"session": "waits", "outcome": "assigned"})
}
