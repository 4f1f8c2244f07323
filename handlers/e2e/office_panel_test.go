package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"escalator/bot"
)

const panelToken = "planted-token-of-agents"

// panelSettings switch the agents' panel on.
var panelSettings = []string{"ESCALATOR_PANEL_PATH=/panel", "ESCALATOR_PANEL_TOKEN=" + panelToken, "ESCALATOR_PANEL_FRAME_ANCESTORS=https://desk.example.com"}

// asksPanel asks for what an agent is shown, as the page does.
func (o *office) asksPanel(path, token, body string) (status int, header http.Header, answer string) {
	o.t.Helper()
	req, err := http.NewRequestWithContext(o.t.Context(), http.MethodPost, strings.TrimSuffix(o.url, "/callback")+path, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

// The agent whom a customer comes to sees why, also after a kill; who has another token cannot tell the panel from nothing.
func TestOffice_panelShowsWhy_andHidesFromOthers(t *testing.T) {
	t.Parallel()
	rules := strings.Replace(officeRules, "targets:", "panel: {fields: {Level: CloudCustomData.level}}\ntargets:", 1)
	rules = strings.Replace(rules, "{id: leave, when", "{id: leave, about: Wants to be called., when", 1)
	o := newOffice(t, rules, panelSettings...)
	o.goes(agentLi)
	o.begins("s1", "u1")
	o.do(http.MethodPost, "/sessions/s1/say", map[string]string{"text": "please call me", "custom_data": `{"level":"gold"}`}, nil)
	o.hears("s1", "Please leave a message.")
	o.log("say", map[string]any{"session": "s1", "outcome": "sent"})
	o.says("s1", "My number is 13812345678")
	o.comes(agentLi)
	o.log("message", map[string]any{"session": "s1", "outcome": "contacted"})
	if code := o.stop(); code != 0 {
		t.Fatalf("exit %d\n%s", code, o.out)
	}
	o.start(o.settings...)

	status, header, answer := o.asksPanel("/panel/context", panelToken, `{"session":"s1"}`)
	var p bot.Panel
	if err := json.Unmarshal([]byte(answer), &p); err != nil || status != http.StatusOK || !p.Known || p.Why == nil || len(p.Fields) != 1 || len(p.Words) != 1 {
		t.Fatalf("%d %s: %v", status, answer, err)
	}
	if p.Why.Rule != "leave" || p.Why.About != "Wants to be called." || strings.Join(p.Why.Matched, " ") != "call me" || p.Fields[0].Value != "gold" || p.Words[0].Text != "My number is 13812345678" {
		t.Errorf("the agent is shown %s", answer)
	}
	for _, turn := range p.Turns {
		if strings.Contains(turn.Text, "13812345678") {
			t.Errorf("a number stands in the conversation: %q", turn.Text)
		}
	}
	if csp := header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "; frame-ancestors https://desk.example.com") || header.Get("Cache-Control") != "no-store" || header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers %v", header)
	}
	nowhere, _, nothing := o.asksPanel("/nowhere", panelToken, `{"session":"s1"}`)
	for _, token := range []string{"", "another-token-of-agents", panelToken + "x"} {
		if status, header, answer := o.asksPanel("/panel/context", token, `{"session":"s1"}`); status != http.StatusNotFound || status != nowhere || answer != nothing || header.Get("Content-Security-Policy") != "" {
			t.Errorf("with the token %q: %d %v %s, and where nothing is %d %s", token, status, header, answer, nowhere, nothing)
		}
	}
	if status, body := request(t, http.MethodGet, strings.TrimSuffix(o.url, "/callback")+"/panel", ""); status != http.StatusOK || strings.Contains(body, "gold") {
		t.Errorf("the page: %d %s", status, body)
	}
	if printed := o.out.settled(); strings.Contains(printed, panelToken) || strings.Contains(printed, "13812345678") {
		t.Error("the token or the number stands in the log")
	}
}

// A panel that anybody may frame, or read, is no panel: the start is refused, with a line that says what is missing.
func TestServe_aPanelThatIsHalfSet_isRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	service := []string{"ESCALATOR_SDKAPPID=1400000000", "ESCALATOR_SECRET_KEY=" + testKey.Reveal(), "ESCALATOR_LISTEN=127.0.0.1:0", "ESCALATOR_ADMIN_LISTEN=127.0.0.1:0", "ESCALATOR_RULES=" + ruleFileOf(t, plainRules)}
	for missing, want := range map[int]string{
		0: "ESCALATOR_PANEL_TOKEN is set, but there is no panel",
		1: "ESCALATOR_PANEL_PATH is set without ESCALATOR_PANEL_TOKEN",
		2: "ESCALATOR_PANEL_PATH is set without ESCALATOR_PANEL_FRAME_ANCESTORS",
	} {
		env := append([]string{}, service...)
		for i, setting := range panelSettings {
			if i != missing {
				env = append(env, setting)
			}
		}
		if code, _, errOut := command(t, env, "serve"); code != 2 || !strings.Contains(errOut, want) || strings.Contains(errOut, panelToken) {
			t.Errorf("without %s: exit %d\n%s", panelSettings[missing], code, errOut)
		}
	}
}
