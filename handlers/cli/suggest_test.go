package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"escalator/rules/suggest"
)

const suggestRules = `version: 1
events: {Session.AgentJoined: with_human}
targets: {default: {}}
rules:
  - {id: ask, when: {says: [$ask_human]}, then: {transfer: default}}
`

// suggestFolder holds rules, and customers of a lighthouse who want its warden: labels as GET /api/labels has them,
// messages for eval, dialogues with and without a label, and recorded callbacks.
func suggestFolder(t *testing.T) (rules, lines string) {
	t.Helper()
	folder := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	callback := func(at, session, event, text string) string {
		body := map[string]any{"SessionId": session, "Event": event, "ClientUserId": "u-" + session, "CustomerServiceId": "@desk", "RequestID": session + at}
		if text != "" {
			body["MsgBody"] = []any{map[string]any{"MsgType": "TIMTextElem", "MsgContent": map[string]any{"Text": text}}}
		}
		line, _ := json.Marshal(map[string]any{"at": "2026-03-01T10:00:" + at + "Z", "query": "CallbackCommand=Desk.SessionEventNotify&SdkAppid=1", "body": body})
		return string(line) + "\n"
	}
	rules = write("rules.yaml", suggestRules)
	lines = write("all.jsonl", `{"text":"let me talk to the warden","label":"human","id":"d1","by":"ann","at":"2026-03-01T10:00:00Z"}
{"text":"I want the warden","label":"human","lang":"en"}
{"text":"what does the warden eat","label":"other"}
{"text":"how high is the tower","label":"other"}
{"id":"t1","transferred":true,"turns":[{"role":"user","text":"connect me to the warden"},{"role":"bot","text":"He sleeps."}]}
{"id":"t2","turns":[{"role":"user","text":"give me the warden please"},{"role":"bot","text":"Pardon?"},{"role":"agent","text":"Here I am."}]}
{"id":"t3","turns":[{"role":"user","text":"when do you close"},{"role":"bot","text":"At nine."}]}
not a line
`+callback("01", "s1", "ChatBot.UserSendMsg", "get me the warden")+callback("05", "s1", "Session.AgentJoined", ""))
	return rules, lines
}

func TestSuggest_proposesAndPrintsWhatFits(t *testing.T) {
	rules, lines := suggestFolder(t)
	r := runIn(t, "", "suggest", "--rules", rules, lines)
	if r.code != exitOK || !strings.Contains(r.stdout, "warden") || !strings.Contains(r.stdout, "for ask_human.person (en): would catch") || !strings.Contains(r.stderr, "lines skipped: 1") {
		t.Fatalf("got %+v", r)
	}
	for line := range strings.Lines(r.stdout) {
		if n := columnsOf(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
}

func TestSuggest_yaml_isTakenByCheckWherePasted(t *testing.T) {
	rules, lines := suggestFolder(t)
	r := runIn(t, "", "suggest", "--rules", rules, "--yaml", lines)
	if r.code != exitOK || !strings.Contains(r.stdout, "  ask_human.person:\n    add:\n      - \"warden\"  # catches 5, false alarms 0; ") {
		t.Fatalf("got %+v", r)
	}
	pasted := filepath.Join(t.TempDir(), "pasted.yaml")
	if err := os.WriteFile(pasted, []byte(suggestRules+r.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	if checked := runIn(t, "", "check", pasted); checked.code != exitOK || strings.Contains(checked.stdout, "error") {
		t.Errorf("check says %+v of\n%s", checked, r.stdout)
	}
	if after := runIn(t, "", "suggest", "--rules", pasted, "--json", lines); !strings.Contains(after.stdout, `"suggestions": []`) {
		t.Errorf("what is there is proposed again: %+v", after)
	}
}

func TestSuggest_json(t *testing.T) {
	rules, lines := suggestFolder(t)
	r := runIn(t, "", "suggest", "--rules", rules, "--json", "-n", "1", lines)
	var found suggest.Result
	if err := json.Unmarshal([]byte(r.stdout), &found); err != nil || r.code != exitOK {
		t.Fatalf("%v: %+v", err, r)
	}
	if len(found.Suggestions) != 1 || !found.Whole || found.From.Conversations < 7 || found.From.Missed < 4 {
		t.Fatalf("got %+v", found)
	}
	if s := found.Suggestions[0]; s.Role != "$person" || s.Catches < 4 || len(s.Examples) != 3 || !strings.HasPrefix(s.Source, lines+":") {
		t.Errorf("got %+v", s)
	}
}

func TestSuggest_whatCannotBeUsed(t *testing.T) {
	rules, lines := suggestFolder(t)
	for _, tt := range []struct {
		args []string
		in   string
		code int
		want string
	}{
		{[]string{"suggest"}, "", exitUsage, "suggest needs files"},
		{[]string{"suggest", "-n", "0", lines}, "", exitUsage, "-n must be 1 to 100, not 0"},
		{[]string{"suggest", "--yaml", "--json", lines}, "", exitUsage, "exclude each other"},
		{[]string{"suggest", "--rules", rules + "x", lines}, "", exitBad, "reading the rule file"},
		{[]string{"suggest", "--rules", rules, lines + "x"}, "", exitBad, "reading"},
		{[]string{"suggest", "--rules", rules, "-"}, `{"text":"hello"}`, exitBad, "there is nothing to learn from"},
	} {
		if r := runIn(t, tt.in, tt.args...); r.code != tt.code || !strings.Contains(r.stderr, tt.want) {
			t.Errorf("%v: %+v, want %s", tt.args, r, tt.want)
		}
	}
}

// Who had no time to look does not know that there is nothing.
func TestSuggest_cutShort_doesNotSayThatThereIsNothing(t *testing.T) {
	for whole, want := range map[bool]bool{true: true, false: false} {
		var out strings.Builder
		writeSuggestions(Env{Stdout: &out}, &suggest.Result{Whole: whole})
		if got := strings.Contains(out.String(), "Nothing to suggest"); got != want {
			t.Errorf("whole %t: %s", whole, out.String())
		}
	}
}
