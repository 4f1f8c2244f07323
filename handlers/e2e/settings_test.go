package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"escalator/bot/desk/desktest"
)

const plantedInSetting = "planted-5bd2850fff3ecb11"

// Whatever is wrong elsewhere, no value that may hold a secret is shown: not by a
// start, not by doctor, not for a flag.
func TestSettings_thatMayHoldASecret_areNeverShown(t *testing.T) {
	t.Parallel()
	good := []string{fmt.Sprintf("ESCALATOR_SDKAPPID=%d", desktest.DefaultSDKAppID), "ESCALATOR_SECRET_KEY=" + testKey.Reveal(), "ESCALATOR_LISTEN=8080"}
	const p = plantedInSetting
	for _, c := range []struct {
		env  string
		args []string
		want string // which setting is complained of, beside ESCALATOR_LISTEN
	}{
		{env: `ESCALATOR_SECRET_KEY="` + p + `"`, want: "ESCALATOR_SECRET_KEY has quotes"},
		{env: "ESCALATOR_SECRET_KEY=" + p + "\n", want: "ESCALATOR_SECRET_KEY has white space"},
		{env: "ESCALATOR_CALLBACK_TOKEN=\ufeff" + p, want: "ESCALATOR_CALLBACK_TOKEN has an invisible character"},
		{env: "ESCALATOR_FORWARD_URL=http://user:" + p + "@127.0.0.1:9/x?token=" + p},
		{env: "ESCALATOR_FORWARD_URL=user:" + p + "@127.0.0.1", want: "ESCALATOR_FORWARD_URL"},
		{env: "ESCALATOR_API_URL=https://user:" + p + "@example.com", want: "ESCALATOR_API_URL"},
		{env: "ESCALATOR_API_URL=https://example.com?token=" + p, want: "ESCALATOR_API_URL"},
		{env: "ESCALATOR_API_BACKUP_URL=" + p, want: "ESCALATOR_API_BACKUP_URL"},
		{env: "ESCALATOR_REDIS_URL=redis://:" + p + "@127.0.0.1:x", want: "ESCALATOR_REDIS_URL"},
		{env: "ESCALATOR_CALLBACK_PATH=callback/" + p, want: "ESCALATOR_CALLBACK_PATH"},
		{env: "OTEL_EXPORTER_OTLP_ENDPOINT=http://user:" + p + "@127.0.0.1:4318", want: "OTEL_EXPORTER_OTLP_ENDPOINT: only scheme, host, port and path belong here"},
		{env: "OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer " + p, want: "OTEL_EXPORTER_OTLP_HEADERS has white space"},
		{args: []string{"--otel-exporter-otlp-headers", p}, want: "OTEL_EXPORTER_OTLP_HEADERS"},
		{args: []string{"--redis-url", "redis://:" + p + "@127.0.0.1"}, want: "ESCALATOR_REDIS_URL"},
		{args: []string{"--forward-url=http://127.0.0.1/" + p}, want: "ESCALATOR_FORWARD_URL"},
		{args: []string{"--secret-key", p}, want: "ESCALATOR_SECRET_KEY"},
	} {
		env := append(slices.Clone(good), c.env)
		for _, args := range [][]string{append([]string{"serve"}, c.args...), {"doctor"}, {"doctor", "--json"}} {
			if c.args != nil && args[0] == "doctor" {
				continue
			}
			code, out, errOut := command(t, env, args...)
			if out += errOut; code == 0 || strings.Contains(out, p) || !strings.Contains(out, c.want) {
				t.Errorf("%s %v: exit %d, want %q in\n%s", c.env, args, code, c.want, out)
			}
		}
	}
}

// The path may be all that keeps strangers out.
func TestSettings_theSecretPath_isNotLogged(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.stop()
	s.start("ESCALATOR_CALLBACK_PATH=/callback/" + plantedInSetting)
	url := strings.Replace(s.url, "…", plantedInSetting, 1)
	s.desk.SetCallbackURL(url)
	if a := s.says("s1", "hello"); a.Status != http.StatusOK {
		t.Errorf("a message: %d", a.Status)
	}
	s.desk.SetCallbackURL(url + "/") // a slip in the console
	if a := s.desk.UserSays("s1", "hello"); a.Status != http.StatusNotFound {
		t.Errorf("a message to another path: %d", a.Status)
	}
	line := s.log("callback refused", map[string]any{"reason": "wrong_path"})
	if line["hint"] != "there is a slash too many, or too few" {
		t.Errorf("%v", line)
	}
	s.stop()
	if strings.Contains(s.out.settled(), plantedInSetting) {
		t.Errorf("the path is shown:\n%s", s.out)
	}
}

func TestSettings_mayComeFromAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "escalator.env")
	text := "# what the service needs\nexport ESCALATOR_IDENTIFIER='administrator'   # signs\nESCALATOR_LOG_FORMAT=\"json\"\nESCALATOR_LISTEN=127.0.0.1:1\nESCALATOR_TYPO=" + plantedInSetting + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := command(t, []string{"ESCALATOR_SECRET_KEY=" + testKey.Reveal()}, "doctor", "--env-file", file)
	if code != 1 || !strings.Contains(out, "ESCALATOR_SDKAPPID is not set") || strings.Contains(out+errOut, plantedInSetting) {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
	if code, _, errOut := command(t, nil, "serve", "--env-file", file+".gone"); code != 2 || !strings.Contains(errOut, "--env-file") {
		t.Errorf("a file that is not there: exit %d, %s", code, errOut)
	}
}

// A page elsewhere uses the browser of somebody on this host.
func TestOperators_aPageElsewhere_mutesNothing(t *testing.T) {
	t.Parallel()
	s := startService(t)
	send := func(method, path, body string, headers ...string) int {
		req, err := http.NewRequestWithContext(t.Context(), method, s.admin+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			if req.Header.Set(name, value); name == "Host" {
				req.Host = value
			}
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	const mute = `{"for":"168h","by":"x","why":"x"}`
	for _, c := range []struct {
		method, path, body, headers string
		want                        int
	}{
		{"POST", "/api/rules/ask-human/mute", mute, "Content-Type: text/plain", 415},
		{"POST", "/api/rules/ask-human/mute", mute, "Content-Type: application/json|Origin: https://attacker.example", 403},
		{"POST", "/api/reload", "", "Origin: https://attacker.example", 403},
		{"POST", "/api/reload", "", "Sec-Fetch-Site: cross-site", 403},
		{"GET", "/api/decisions", "", "Host: attacker.example", 421},
		{"GET", "/api/decisions?foo=1", "", "Accept: */*", 400},
		{"GET", "/debug/pprof/heap", "", "Accept: */*", 403},
		{"POST", "/api/outbox/im:a%2Fb%7Cc/retry", "", "Accept: */*", 404}, // there is no such transfer
		{"POST", "/api/reload", "", "Accept: */*", 200},
	} {
		if got := send(c.method, c.path, c.body, strings.Split(c.headers, "|")...); got != c.want {
			t.Errorf("%s %s with %s: %d, want %d", c.method, c.path, c.headers, got, c.want)
		}
	}
	if _, body := s.get("/api/rules"); strings.Contains(body, `"muted"`) {
		t.Errorf("a rule is muted: %s", body)
	}
}
