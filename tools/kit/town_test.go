package kit

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
	"escalator/bot/store/redis/redistest"
)

const (
	townKey   = desk.Secret("5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e")
	townToken = "callback-token-of-the-town"
	townAgent = "li@example.com"
	townRules = `version: 1
limits: {global: 100000/s}
targets: {default: {}}
rules:
  - {id: ask, when: {says: [human]}, then: {transfer: default}, cooldown: 2m}
`
)

// shop is a service with a Desk of its own.
type shop struct {
	*process
	t    *testing.T
	dir  string
	desk *desktest.Desk
	n    atomic.Int64 // customers who came
}

// newShop starts both. Settings come after the usual ones, and win.
func newShop(t *testing.T, settings ...string) *shop {
	t.Helper()
	s := &shop{t: t, dir: t.TempDir(), desk: desktest.New(desktest.Options{Key: townKey, Token: townToken, AnswerAtOnce: true})}
	if err := s.desk.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.desk.Close)
	s.desk.SetAgent(desktest.Agent{ID: townAgent, Groups: []int64{1}, Online: true})
	s.save(townRules)
	// A shell in between, which becomes the service: a setting may be a limit of the system.
	cmd := exec.Command("sh", "-c", `eval "$LIMITS"; exec "$0" serve`, binary)
	cmd.Dir, cmd.Env = s.dir, []string{
		"ESCALATOR_SECRET_KEY=" + townKey.Reveal(), fmt.Sprint("ESCALATOR_SDKAPPID=", desktest.DefaultSDKAppID), "ESCALATOR_CALLBACK_TOKEN=" + townToken,
		"ESCALATOR_API_URL=" + s.desk.URL(), "ESCALATOR_LISTEN=127.0.0.1:0", "ESCALATOR_ADMIN_LISTEN=127.0.0.1:0",
	}
	cmd.Env = append(cmd.Env, settings...)
	s.process = serve(t, cmd)
	go func() {
		for range s.lines { // somebody reads the log
		}
	}()
	s.desk.SetCallbackURL(s.url)
	return s
}

func (s *shop) save(rules string) {
	s.t.Helper()
	write(s.t, filepath.Join(s.dir, "rules.yaml"), rules)
}

// says has n customers say something, each in a conversation of its own, one after the other.
func (s *shop) says(text string, n int) {
	for range n {
		s.desk.UserSays(fmt.Sprint("s", s.n.Add(1)), text)
	}
}

// asks is a fault's cause: customers ask for a person.
func (s *shop) asks() { s.says("a human please", 3) }

// post sends something to the operators' listener.
func (s *shop) post(path, body string) {
	s.t.Helper()
	resp, err := http.Post(s.admin+path, "application/json", strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return
	}
	_ = resp.Body.Close()
}

func (s *shop) kill() { _ = s.cmd.Process.Kill() }

// town is a number of shops, by the job that Prometheus has them in, and what will go wrong with them.
type town struct {
	t      *testing.T
	shops  map[string][]*shop
	faults map[string][]fault
}

func newTown(t *testing.T) *town {
	t.Helper()
	c := &town{t: t, shops: map[string][]*shop{}, faults: map[string][]fault{}}
	c.wrongKey()
	c.deskAway()
	c.nobodyThere()
	c.diskFull()
	c.redisAway()
	c.slowBot()
	c.strangers()
	c.crowd()
	return c
}

// add tells of the shops of a job, and in which order what goes wrong.
func (c *town) add(job string, shops []*shop, faults ...fault) {
	c.shops[job], c.faults[job] = shops, faults
}

func (c *town) targets() map[string][]string {
	all := map[string][]string{}
	for job, shops := range c.shops {
		for _, s := range shops {
			all[job] = append(all[job], strings.TrimPrefix(s.admin, "http://"))
		}
	}
	return all
}

func (c *town) count() (n int) {
	for _, shops := range c.shops {
		n += len(shops)
	}
	return n
}

// first returns a cause that does something at its first call, and then goes on with what follows from it.
func first(do, then func()) func() {
	var once sync.Once
	return func() {
		once.Do(do)
		then()
	}
}

func nothing() {}

func (c *town) wrongKey() {
	s := newShop(c.t, "ESCALATOR_SECRET_KEY="+strings.Repeat("0", 64))
	c.add("key", []*shop{s}, fault{alerts: []string{"EscalatorCourierHeld", "EscalatorOutboxOld"}, cause: s.asks})
}

func (c *town) deskAway() {
	s := newShop(c.t)
	away := func() { _ = s.desk.Fail(desktest.Fault{Kind: desktest.FaultDrop, Probability: 1}) }
	c.add("desk", []*shop{s}, fault{alerts: []string{"EscalatorDeskDown"}, cause: first(away, s.asks)})
}

// nobodyThere: agents and the staff's chats cannot be reached, then Desk refuses the target, then the service is drained.
func (c *town) nobodyThere() {
	secrets, rules := c.t.TempDir(), townRules+"notify:\n"
	for _, team := range []string{"a", "b", "c", "d"} {
		write(c.t, filepath.Join(secrets, team), "http://127.0.0.1:1/"+team+"\n")
		rules += "  " + team + ": {wecom: {url_file: " + team + "}, on: [no_agent]}\n"
	}
	s := newShop(c.t, "ESCALATOR_SECRETS_DIR="+secrets)
	s.save(rules)
	s.post("/api/reload", "")
	offline := func() { s.desk.SetOnline(townAgent, false); s.get("/api/desk") }
	refuse := func() {
		_ = s.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultCode, Code: 141004, Probability: 1})
	}
	drain := func() { s.desk.ClearFaults(); s.post("/api/drain", `{"for":"1s","by":"test","why":"test"}`) }
	c.add("people", []*shop{s},
		fault{alerts: []string{"EscalatorNoAgent", "EscalatorNotifyFailing"}, cause: first(offline, s.asks)},
		fault{alerts: []string{"EscalatorTransfersFailing", "EscalatorTransfersGivenUp"}, cause: first(refuse, s.asks)},
		fault{alerts: []string{"EscalatorDrainedLong"}, cause: first(drain, nothing), silent: "EscalatorNotReady"},
	)
}

// diskFull: every file of the service ends where it would grow.
func (c *town) diskFull() {
	s := newShop(c.t, "ESCALATOR_RECORD_DIR=recordings")
	full := func() {
		limit := unix.Rlimit{Cur: 1, Max: unix.RLIM_INFINITY}
		if err := unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
			c.t.Error(err)
		}
	}
	c.add("disk", []*shop{s}, fault{alerts: []string{
		"EscalatorNotReady", "EscalatorStoreErrors", "EscalatorCallbacksUnavailable", "EscalatorRecordingErrors", "EscalatorHistoryDropped",
	}, cause: first(full, func() { s.asks(); s.says("where is my parcel", 3) })})
}

// redisAway: two replicas get different rules, lose Redis, and one of them dies.
func (c *town) redisAway() {
	redis := redistest.Start(c.t)
	one, two := newShop(c.t, "ESCALATOR_REDIS_URL="+redis.URL()), newShop(c.t, "ESCALATOR_REDIS_URL="+redis.URL())
	differ := func() { two.save(townRules + "# another version\n"); two.post("/api/reload", "") }
	c.add("replicas", []*shop{one, two},
		fault{alerts: []string{"EscalatorRulesDiffer"}, cause: first(differ, nothing)},
		fault{alerts: []string{"EscalatorRedisDown"}, cause: first(redis.Kill, one.asks)},
		fault{alerts: []string{"EscalatorReplicaDown"}, cause: first(two.kill, nothing)},
	)
}

// slowBot: the bot behind the service takes long while many customers write, and the service has few connections; then it fails.
func (c *town) slowBot() {
	var broken atomic.Bool
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		select {
		case <-time.After(1200 * time.Millisecond):
		case <-r.Context().Done():
		}
		_, _ = w.Write([]byte(`{}`))
	}))
	c.t.Cleanup(bot.Close)
	s := newShop(c.t, "ESCALATOR_FORWARD_URL="+bot.URL, "LIMITS=ulimit -n 128")
	crowd := func() {
		var all sync.WaitGroup
		for range 60 {
			all.Go(func() { s.says("where is my parcel", 1) })
		}
		all.Wait()
	}
	c.add("bot", []*shop{s},
		fault{alerts: []string{"EscalatorCallbacksSlow", "EscalatorOverloaded"}, cause: crowd},
		fault{alerts: []string{"EscalatorForwardFailing"}, cause: first(func() { broken.Store(true) }, func() { s.says("where is my parcel", 3) })},
	)
}

// strangers: callbacks with another token, messages without a session, a rule file with a mistake, more customers than are kept, a log that nobody reads.
func (c *town) strangers() {
	s := newShop(c.t, "ESCALATOR_MAX_CONVERSATIONS=50", "ESCALATOR_LOG_LEVEL=debug")
	other := desktest.New(desktest.Options{Key: townKey, Token: "another-token-of-the-town", CallbackURL: s.url})
	c.t.Cleanup(other.Close)
	wrong := func() { other.UserSays("s1", "where is my parcel") }
	renamed := func() {
		s.desk.Resend(desktest.Callback{
			Command: desk.CommandSessionEvent, RequestID: fmt.Sprint("renamed-", s.n.Add(1)),
			Body: []byte(`{"Event":"ChatBot.UserSendMsg","Session":"s1","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a human please"}}]}`),
		})
	}
	mistake := func() { s.save("rules: what?"); s.post("/api/reload", "") }
	c.add("strangers", []*shop{s},
		fault{alerts: []string{"EscalatorSignatureRefused"}, cause: wrong},
		fault{alerts: []string{"EscalatorUnplacedMessages"}, cause: renamed},
		fault{alerts: []string{"EscalatorRulesRefused"}, cause: first(mistake, nothing)},
		fault{alerts: []string{"EscalatorEvictions"}, cause: func() { s.says("where is my parcel", 20) }},
		fault{alerts: []string{"EscalatorLogDropped"}, cause: first(func() { _ = s.out.Close() }, func() { s.says("where is my parcel", 5) })},
	)
}

// crowd: suddenly many more customers ask for a person than in the time before; then all are silent; then the service dies.
func (c *town) crowd() {
	s := newShop(c.t)
	began, silent := time.Now(), make(chan struct{}) // 200 decisions to compare with take 10 s, and are to be an hour old
	var talk sync.WaitGroup
	talk.Go(func() {
		for every := time.NewTicker(40 * time.Millisecond); ; {
			s.says("where is my parcel", 1)
			if s.n.Load()%20 == 0 {
				s.says("a human please", 1)
			}
			select {
			case <-every.C:
			case <-silent:
				every.Stop()
				return
			}
		}
	})
	hush := sync.OnceFunc(func() { close(silent); talk.Wait() })
	c.t.Cleanup(hush)
	c.add("crowd", []*shop{s},
		fault{alerts: []string{"EscalatorRuleShareTripled"}, cause: func() {
			if time.Since(began) > time.Hour/faster+10*time.Second {
				s.asks()
			}
		}},
		fault{alerts: []string{"EscalatorNoCallbacks"}, cause: first(hush, nothing)},
		fault{alerts: []string{"EscalatorDown"}, cause: first(s.kill, nothing)},
	)
}
