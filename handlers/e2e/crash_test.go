package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"escalator/bot/desk/desktest"
)

// plainRules escalate on one word and hold nothing back.
const plainRules = `
version: 1
lists: {person: [human]}
targets: {default: {}}
limits: {global: 100000/s}
rules:
  - {id: ask-human, when: {says: [$person]}, then: {transfer: default}, cooldown: 2m}
`

// fromEnv returns the size of a proof: the one of the environment (make crash
// and its like), else the short one of make test.
func fromEnv(t *testing.T, name string, short int) int {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return short
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s: want a number above 0", name, v)
	}
	return n
}

func durationFromEnv(t *testing.T, name string, short time.Duration) time.Duration {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return short
	}
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 {
		t.Fatalf("%s=%s: want a duration above 0", name, v)
	}
	return d
}

// newUnreliable starts the service against an emulator that accepts a second
// transfer of the same session, so that a repeat of ours shows in its ledger.
func newUnreliable(t *testing.T, seed uint64, settings ...string) *service {
	t.Helper()
	s := &service{t: t, dir: t.TempDir()}
	s.desk = desktest.New(desktest.Options{Key: testKey, Token: testToken, AnswerAtOnce: true, AcceptRepeats: true, Seed: seed})
	if err := s.desk.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.desk.Close)
	s.desk.SetAgent(desktest.Agent{ID: agentLi, Groups: []int64{1}, Online: true})
	s.writeRules(plainRules)
	s.start(settings...)
	return s
}

// quiet keeps the log of thousands of callbacks short.
const quiet = "ESCALATOR_LOG_LEVEL=info"

const (
	crashChapter  = 50 // rounds on one data folder
	crashSessions = 16 // that ask for a person in each round
)

// TestServe_killedAtRandomMoments_losesNothing_andDoublesNothing kills the
// service while sessions escalate, starts it again on the same folder, and has
// the callbacks without an answer sent again. Every session asked for a person,
// so every one must end as exactly one accepted transfer.
func TestServe_killedAtRandomMoments_losesNothing_andDoublesNothing(t *testing.T) {
	t.Parallel()
	rounds := fromEnv(t, "CRASH_ROUNDS", 10)
	var total crashes
	for first := 0; first < rounds; first += crashChapter {
		n := min(crashChapter, rounds-first)
		t.Run(fmt.Sprintf("rounds %d to %d", first+1, first+n), func(t *testing.T) {
			total.chapter(t, uint64(first), n)
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d rounds: %d sessions, %d callbacks answered by the process that was killed, %d sent again; lost 0, accepted twice 0; "+
		"%d killed with transfers in the outbox", rounds, total.sessions, total.answered, total.again, total.withWork)
}

// crashes counts what the rounds came to, to show that they hit anything.
type crashes struct{ sessions, answered, again, withWork int }

func (c *crashes) chapter(t *testing.T, seed uint64, rounds int) {
	random := rand.New(rand.NewPCG(seed, 7))
	s := newUnreliable(t, seed, quiet)
	// Half of the calls take a while, so that some are under way when it dies.
	if err := s.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultDelay, Delay: 5 * time.Millisecond, Probability: 0.5}); err != nil {
		t.Fatal(err)
	}
	var sessions []string
	for round := range rounds {
		fresh := make([]string, crashSessions)
		for i := range fresh {
			fresh[i] = fmt.Sprintf("r%d-%d", round, i)
		}
		sessions = append(sessions, fresh...)
		wait := time.Duration(random.Int64N(int64(40 * time.Millisecond)))
		unanswered := s.dieUnder(fresh, wait)
		c.sessions += len(fresh)
		c.answered += len(fresh) - len(unanswered)
		c.again += len(unanswered)
		s.start(quiet)
		if len(logged(s.out, "restored from before the restart", "transfers", 1)) > 0 {
			c.withWork++
		}
		s.resend(unanswered)
	}
	s.wantEachAcceptedOnce(sessions)
}

// dieUnder lets sessions ask for a person at random moments and kills the
// service after a while. It returns the callbacks that got no answer.
func (s *service) dieUnder(sessions []string, after time.Duration) (unanswered []desktest.Callback) {
	s.t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	for i, id := range sessions {
		begin := time.Duration(i) * time.Millisecond
		all.Go(func() {
			<-time.After(begin)
			a := s.desk.UserSays(id, "a human please")
			if a.Err == nil && (a.AIProvider == nil || *a.AIProvider != 0) {
				s.t.Errorf("%s was answered %s, want AIProvider 0", id, a.Body)
			}
			if a.Err != nil {
				mu.Lock()
				unanswered = append(unanswered, a.Request)
				mu.Unlock()
			}
		})
	}
	<-time.After(after)
	s.kill()
	all.Wait()
	return unanswered
}

// resend sends callbacks again as Tencent does, until each has an answer.
func (s *service) resend(callbacks []desktest.Callback) {
	s.t.Helper()
	var all sync.WaitGroup
	for _, c := range callbacks {
		all.Go(func() {
			if a := s.desk.Resend(c); a.Err != nil {
				s.t.Errorf("a callback that was sent again: %v", a.Err)
			}
		})
	}
	all.Wait()
}

// wantEachAcceptedOnce waits until the outbox is empty, and fails for sessions
// that Desk did not accept, or accepted twice. A transfer leaves the outbox only
// after Desk has it, so the ledger is complete then.
func (s *service) wantEachAcceptedOnce(sessions []string) {
	s.t.Helper()
	s.drain()
	ledger := s.desk.Ledger()
	accepted := map[string]bool{}
	for _, a := range ledger.Accepted {
		accepted[a.Session] = true
	}
	if lost := slices.DeleteFunc(slices.Clone(sessions), func(id string) bool { return accepted[id] }); len(lost) > 0 {
		s.t.Errorf("%d lost: %v", len(lost), lost[:min(10, len(lost))])
	}
	if twice := ledger.AcceptedTwice(); len(twice) > 0 {
		s.t.Errorf("accepted twice: %v", twice)
	}
}
