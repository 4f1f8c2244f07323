package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"escalator/bot/desk/desktest"
	"escalator/bot/store/redis/redistest"
)

// silentRules call a person when the bot has been silent for a second.
const silentRules = `
version: 1
targets: {default: {}}
rules:
  - {id: bot-silent, when: {bot_silent: 1s}, then: {transfer: default}}
`

func TestReplicas_anAlarmOutlivesItsReplica(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	for _, s := range c.replicas {
		s.writeRules(silentRules)
		if status, body := request(t, http.MethodPost, s.admin+"/api/reload", ""); status != http.StatusOK {
			t.Fatalf("reload: %d %s", status, body)
		}
	}
	c.desk.SetCallbackURL(c.replicas[0].url)
	c.says("s1", "is anybody there")
	c.replicas[0].kill()
	c.replicas[1].log("decision", map[string]any{"session": "s1", "rule": "bot-silent", "outcome": "transfer"})
	c.replicas[1].log("transfer", map[string]any{"session": "s1", "outcome": "assigned"})
	if got := c.desk.Ledger().Of("s1"); len(got) != 1 {
		t.Errorf("accepted %d times", len(got))
	}
}

func TestReplicas_anAlarmIsHeardByOneOfThem(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3)
	for _, s := range c.replicas {
		s.writeRules(silentRules)
		request(t, http.MethodPost, s.admin+"/api/reload", "")
	}
	sessions := names("silent", 50)
	for _, id := range sessions {
		c.says(id, "is anybody there")
	}
	eventually(t, "a transfer for each", func() bool { return len(c.desk.Ledger().Accepted) >= len(sessions) })
	c.judge(sessions)
	for id, n := range c.decisions() {
		if n != 1 {
			t.Errorf("%s was decided %d times", id, n)
		}
	}
}

func TestReplicas_aMuteHoldsOnAllOfThem(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	status, body := request(t, http.MethodPost, c.replicas[0].admin+"/api/rules/ask-human/mute", `{"for":"1h","by":"li","why":"a test"}`)
	if status != http.StatusOK {
		t.Fatalf("mute: %d %s", status, body)
	}
	c.replicas[1].log("mutes changed on another replica", nil)
	c.desk.SetCallbackURL(c.replicas[1].url)
	if a := c.says("s1", "a human please"); a.AIProvider == nil || *a.AIProvider != 1 {
		t.Errorf("the muted rule decided: %s", a.Body)
	}
	request(t, http.MethodPost, c.replicas[1].admin+"/api/rules/ask-human/mute", `{"for":"0s","by":"li"}`)
	c.replicas[0].log("mutes changed on another replica", map[string]any{"rules": "[]"})
	c.desk.SetCallbackURL(c.replicas[0].url)
	if a := c.says("s1", "a human please"); a.AIProvider == nil || *a.AIProvider != 0 {
		t.Errorf("the rule is still muted: %s", a.Body)
	}
}

func TestReplicas_aTransferGivenUp_isSeenAndRetriedOnAny(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	if err := c.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultCode, Code: 141777}); err != nil {
		t.Fatal(err)
	}
	c.says("s1", "a human please")
	for n, s := range c.replicas {
		eventually(t, fmt.Sprint("given up, seen by replica ", n), func() bool {
			_, body := s.get("/api/outbox")
			return strings.Contains(body, `"state":"given_up"`)
		})
	}
	if status, body := request(t, http.MethodPost, c.replicas[1].admin+"/api/outbox/s1/retry", ""); status != http.StatusOK {
		t.Fatalf("retry: %d %s", status, body)
	}
	eventually(t, "the transfer", func() bool { return len(c.desk.Ledger().Of("s1")) == 1 })
}

func TestServe_startsWithoutRedis_andJoinsWhenItIsThere(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Kill()
	s := startServiceWithRules(t, plainRules, "ESCALATOR_REDIS_URL="+server.URL())
	s.log("redis cannot be used: working alone, from this replica's memory and disk", nil)
	if status, body := s.get("/readyz"); status != http.StatusOK || !strings.Contains(body, "working without Redis") {
		t.Errorf("/readyz: %d %s", status, body)
	}
	s.says("alone", "a human please")
	s.log("transfer", map[string]any{"session": "alone", "outcome": "assigned"})
	server.Restart()
	s.log("redis is back: state is shared again", nil)
	s.says("together", "a human please")
	s.log("transfer", map[string]any{"session": "together", "outcome": "assigned"})
	eventually(t, "the conversation in Redis", func() bool {
		n, err := server.Client().Exists(t.Context(), fmt.Sprintf("escalator:%d:{alone}:c", desktest.DefaultSDKAppID)).Result()
		return err == nil && n == 1
	})
}

func TestServe_refusesARedisThatDoesNotFit(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--requirepass", "the-right-password")
	base := []string{
		"ESCALATOR_SDKAPPID=1400000000", "ESCALATOR_SECRET_KEY=" + testKey.Reveal(), "ESCALATOR_LISTEN=127.0.0.1:0",
		"ESCALATOR_ADMIN_LISTEN=127.0.0.1:0", "ESCALATOR_RULES=" + ruleFileOf(t, plainRules), "ESCALATOR_CALLBACK_TOKEN=x",
	}
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	address := strings.TrimPrefix(server.URL(), "redis://")
	for _, c := range []struct{ name, url, want string }{
		{"no URL", "nonsense", "ESCALATOR_REDIS_URL: it is not an address like redis://"},
		{"another scheme", "http://:planted-password@" + address, "ESCALATOR_REDIS_URL: it is not an address like redis://"},
		{"no password", "redis://" + address, "ESCALATOR_REDIS_URL: " + address + " refuses us: NOAUTH"},
		{"a wrong password", "redis://:planted-password@" + address, "ESCALATOR_REDIS_URL: " + address + " refuses us: "},
		{"no Redis", "redis://" + strings.TrimPrefix(web.URL, "http://"), "ESCALATOR_REDIS_URL: " + strings.TrimPrefix(web.URL, "http://") + " is not a Redis"},
		{"certificates not verified", "rediss://:planted-password@" + address + "?skip_verify=true", "ESCALATOR_REDIS_URL: skip_verify would speak to anybody"},
		{"no such database", "redis://:the-right-password@" + address + "/99", "ESCALATOR_REDIS_URL: " + address + " refuses us: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errOut := command(t, append(base, "ESCALATOR_REDIS_URL="+c.url), "serve")
			all := out + errOut
			if code != 2 || !strings.Contains(errOut, "escalator: "+c.want) {
				t.Errorf("exit %d, want 2 and %q:\n%s", code, c.want, all)
			}
			if strings.Contains(all, "planted-password") || strings.Contains(all, "the-right-password") {
				t.Errorf("a password shows:\n%s", all)
			}
		})
	}
}

func TestServe_speaksToRedisOverTLS_asAUserWithAPassword(t *testing.T) {
	t.Parallel()
	server, url, trust := redistest.StartTLS(t, "--user", "escalator", "on", ">the-password", "~escalator:*", "+@all", "-@admin")
	secret := filepath.Join(t.TempDir(), "redis_url")
	if err := os.WriteFile(secret, []byte(strings.Replace(url, "://", "://escalator:the-password@", 1)+"/3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServiceWithRules(t, plainRules, "ESCALATOR_REDIS_URL_FILE="+secret, "SSL_CERT_FILE="+trust)
	if status, body := s.get("/readyz"); status != http.StatusOK || !strings.Contains(body, `"status":"ready"`) {
		t.Errorf("/readyz: %d %s", status, body)
	}
	s.says("s1", "a human please")
	s.log("transfer", map[string]any{"session": "s1", "outcome": "assigned"})
	client := server.Client()
	defer func() { _ = client.Close() }()
	if info, err := client.Info(t.Context(), "keyspace").Result(); err != nil || !strings.Contains(info, "db3:") {
		t.Errorf("database 3 is empty: %s %v", info, err)
	}
	if strings.Contains(s.out.settled(), "the-password") {
		t.Error("the password is in the log")
	}
	code, _, errOut := command(t, []string{
		"ESCALATOR_SDKAPPID=1400000000", "ESCALATOR_SECRET_KEY=" + testKey.Reveal(), "ESCALATOR_RULES=" + ruleFileOf(t, plainRules), "ESCALATOR_REDIS_URL=" + url,
	}, "serve")
	if code != 2 || !strings.Contains(errOut, " is not trusted: ") {
		t.Errorf("a certificate of nobody: exit %d\n%s", code, errOut)
	}
}

func ruleFileOf(t *testing.T, rules string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDoctor_tellsOfRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--appendonly", "no", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
	env := []string{"ESCALATOR_SDKAPPID=1400000000", "ESCALATOR_SECRET_KEY=" + testKey.Reveal(), "ESCALATOR_REDIS_URL=" + server.URL(), "ESCALATOR_API_URL=http://127.0.0.1:1"}
	_, out, _ := command(t, env, "doctor")
	for _, want := range []string{"ok    redis", "can be used", "set appendonly yes", "set maxmemory-policy noeviction"} {
		if !strings.Contains(out, want) {
			t.Errorf("doctor does not say %q:\n%s", want, out)
		}
	}
	server.Kill()
	if code, out, _ := command(t, env, "doctor"); code != 1 || !strings.Contains(out, "FAIL  redis") {
		t.Errorf("doctor without Redis: exit %d\n%s", code, out)
	}
}

// A transfer that waits in Redis must not wait for traffic once Redis is back.
func TestReplicas_whatWaitsInRedis_goesOnByItselfAfterAnOutage(t *testing.T) {
	t.Parallel() // it mostly waits
	c := newCluster(t, 1, "--appendfsync", "always")
	if err := c.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultCode, Code: 141002, Probability: 1}); err != nil {
		t.Fatal(err)
	}
	c.desk.SetCallbackURL(c.url)
	c.says("s1", "a human please")
	// After some refusals the next try is seconds away, and Redis holds it.
	eventually(t, "a transfer that waits in Redis", func() bool {
		var outbox struct {
			Pending []struct {
				Attempt int
				Due     time.Time
			}
		}
		_, body := c.get("/api/outbox")
		return json.Unmarshal([]byte(body), &outbox) == nil && len(outbox.Pending) == 1 &&
			outbox.Pending[0].Attempt > 2 && time.Until(outbox.Pending[0].Due) > 500*time.Millisecond
	})
	c.redis.Kill()
	c.log("redis cannot be used: working alone, from this replica's memory and disk", nil)
	c.desk.ClearFaults()
	<-time.After(3 * time.Second) // the courier looks, finds nothing, and has nothing more to do
	c.redis.Restart()
	c.log("redis is back: state is shared again", nil)
	eventually(t, "the transfer", func() bool { return len(c.desk.Ledger().Of("s1")) == 1 })
}
