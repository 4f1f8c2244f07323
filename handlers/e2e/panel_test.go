package e2e_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"escalator/bot/desk/desktest"
)

const panelRules = `version: 1
panel: {fields: {Level: CloudCustomData.messageType}}
targets: {default: {}}
rules:
  - {id: ask, about: Who asks gets a person., when: {says: [human]}, then: {transfer: default}}
`

// The settings switch the panel on, and an agent sees why the customer came, by the session as by the user alone.
func TestPanel_onTheBinary_showsWhyTheCustomerIsHere(t *testing.T) {
	t.Parallel()
	const token = "planted-panel-token"
	s := startServiceWithRules(t, panelRules, "ESCALATOR_PANEL_PATH=/agents/panel", "ESCALATOR_PANEL_TOKEN="+token, "ESCALATOR_PANEL_FRAME_ANCESTORS=https://desk.example.com")
	panel := strings.TrimSuffix(s.url, "/callback") + "/agents/panel"
	context := func(bearer, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, panel+"/context", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+bearer)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(text)
	}
	s.desk.Begin("s1", desktest.WithUser("u1"))
	s.says("s1", "hello 13800138000")
	if status, body := context(token, `{"user":"u1"}`); status != 200 || body != `{"known":false}` {
		t.Errorf("with the bot, by the user: %d %s", status, body)
	}
	s.says("s1", "a human")
	s.log("transfer", map[string]any{"session": "s1", "outcome": "assigned"})
	for _, ids := range []string{`{"session":"s1"}`, `{"user":"u1"}`} {
		status, body := context(token, ids)
		for _, want := range []string{`"known":true`, `"session":"s1","user":"u1","phase":"human"`, `"rule":"ask","about":"Who asks gets a person."`, `"matched":["human"]`, `"text":"hello ***"`, `"name":"Level"`} {
			if status != 200 || !strings.Contains(body, want) {
				t.Errorf("%s: %d, no %s in %s", ids, status, want, body)
			}
		}
	}
	if status, _ := context("another-token-of-16", `{"session":"s1"}`); status != 404 {
		t.Errorf("another token: %d", status)
	}
	if status, page := request(t, http.MethodGet, panel, ""); status != 200 || !strings.Contains(page, `src="panel/panel.js"`) {
		t.Errorf("the page: %d %s", status, page)
	}
	if strings.Contains(s.out.settled(), token) {
		t.Error("the token is in the log")
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}
