package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadTurns_tellsWhoSpeaks(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"hello", "there", "bot: hi", "so?", "agent:x", " "}, "user=hello there|bot=hi|user=so?|agent=x"},
		{[]string{"user：转人工", "BOT ： 抱歉", "Customer: hi", "assistant: yes"}, "user=转人工|bot=抱歉|user=hi|bot=yes"},
		{[]string{"mark: fallback", "bot: sorry"}, "bot[fallback]=sorry"},
		{[]string{"bot: sorry", "mark: fallback", "user: hi", "mark: a", "mark: b"}, "bot=sorry|bot[fallback]=|user=hi|bot[a]=|bot[b]="},
		{[]string{"hi", "wait: 5m", "desk: no_agent", "event: closed"}, "user=hi|wait=5m|desk=no_agent|event=closed"},
		{[]string{"订单：12345", "https://a.com/x: 1", "not: this", "user: users: hi"}, "user=订单：12345 https://a.com/x: 1 not: this|user=users: hi"},
	} {
		said, err := readTurns(Env{}, c.args, nil)
		var got []string
		for _, s := range said {
			mark := ""
			if s.Mark != "" {
				mark = "[" + s.Mark + "]"
			}
			got = append(got, s.Role+mark+"="+s.Text)
		}
		if diff := cmp.Diff(c.want, strings.Join(got, "|")); diff != "" || err != nil {
			t.Errorf("%q: %v %s", c.args, err, diff)
		}
	}
}

func TestReadTurns_standardInput_isOneTurnALine(t *testing.T) {
	said, err := readTurns(Env{Stdin: strings.NewReader("\ufeff我要退款\n\nhello\nbot：抱歉\n")}, []string{"-"}, map[string]string{"a": "1"})
	if err != nil || len(said) != 3 || said[0].Text != "我要退款" || said[1].Text != "hello" || said[2].Role != "bot" {
		t.Fatalf("%+v %v", said, err)
	}
	if said[0].Fields["a"] != "1" || said[1].Fields["a"] != "1" || said[2].Fields != nil {
		t.Errorf("fields are those of the customer's messages: %+v", said)
	}
}

func TestExplain_wrongWords_endWith2_andSayWhatIsRight(t *testing.T) {
	t.Chdir("testdata")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"usr: hi"}, `"usr:": did you mean user:? If the customer says so, write "user: usr: hi"`},
		{[]string{"agnet: hi"}, "did you mean agent:?"},
		{[]string{"wait: 5x"}, `wait: "5x" is not a duration; write for example 30s, 5m or 1h30m`},
		{[]string{"wait: 0s"}, "is not a duration"},
		{[]string{"hi", "desk: nobody"}, `desk: "nobody" is not an answer of Desk (valid: no_agent, assigned, queued, failed, unknown)`},
		{[]string{"hi", "desk: no-agent"}, "did you mean no_agent?"},
		{[]string{"hi", "desk: no_agent"}, "no transfer was made before"},
		{[]string{"event: closd"}, "did you mean closed?"},
		{[]string{"mark:"}, `mark: needs a name, for example "mark: fallback"`},
		{[]string{"hi", "--field", "level"}, `"level" is not of the form PATH=VALUE, such as CloudCustomData.level=gold`},
		{[]string{"hi", "--field", "=x"}, "is not of the form"},
		{[]string{"hi", "--at", "25:00"}, `"25:00" is not a time like 23:00`},
		{[]string{"hi", "--at", "9:00", "--now"}, "--at and --now exclude each other"},
		{[]string{"--test", "the wrd"}, `there is no test "the wrd": did you mean the word?`},
		{[]string{"--test", "zzzzzz"}, "there are the word, another word, a song"},
		{[]string{"--test", "the word", "hi"}, "a recording or a test has its own turns"},
		{[]string{"--test", "the word", "--now"}, "a test has its own time, fields and customer"},
		{[]string{"--test", "the word", "--recording", "a", "--session", "b"}, "explain one of them"},
		{[]string{"--as-test", "x", "--test", "the word"}, "a test is made from turns alone"},
		{[]string{"--as-test", "x", "hi", "--json"}, "a test is made from turns alone"},
		{[]string{"--as-test", " ", "hi"}, "the test needs a name"},
		{[]string{"--as-test", "the word", "hi", "--rules=rules.yaml"}, "there is a test \"the word\" already"},
		{[]string{"--recording", "dialogues.jsonl"}, "--recording FILE and --session ID go together"},
		{[]string{"--recording", "a", "--session", "b", "--field", "a=b"}, "a recording has its own fields"},
	} {
		r := runIn(t, "", append([]string{"explain"}, c.args...)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, c.want) || r.stdout != "" {
			t.Errorf("%q: %+v, want %s", c.args, r, c.want)
		}
	}
}

// What is printed is put under tests: as it is, and passes.
func TestExplain_asTest_printsATestThatPasses(t *testing.T) {
	t.Chdir(t.TempDir())
	const file = "version: 1\ntargets: {default: {}}\nrules:\n  - {id: r, when: {says: [转人工]}, then: {transfer: default}}\n" +
		"tests:\n  - {name: one, say: 转人工, expect: r}\n"
	if err := os.WriteFile("rules.yaml", []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runIn(t, "", "explain", "--as-test", "no: 2 👋", "--field", "CloudCustomData.level=gold", "你好: \"hi\"", "mark: fallback", "bot: 抱歉", "wait: 5m", "user: 转人工", "desk: queued", "user: 转人工")
	const want = `  - name: "no: 2 👋"
    steps:
      - {user: {text: "你好: \"hi\"", fields: {CloudCustomData.level: gold}}, expect: none}
      - {bot: {text: 抱歉, marks: fallback}}
      - {wait: 5m}
      - {user: {text: 转人工, fields: {CloudCustomData.level: gold}}, expect: {rule: r, target: default}}
      - {desk: queued}
      - {user: {text: 转人工, fields: {CloudCustomData.level: gold}}, expect: {rule: r, suppressed: already_queued}}
`
	if diff := cmp.Diff(want, r.stdout); diff != "" || r.code != 0 {
		t.Errorf("%+v %s", r, diff)
	}
	if err := os.WriteFile("rules.yaml", []byte(file+r.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := runIn(t, "", "test"); r.code != 0 || !strings.Contains(r.stdout, "2 passed, 0 failed") {
		t.Errorf("%+v", r)
	}
}

func TestExplain_aConversationThatIsNotThere_endsWith1_andOthersAreNamed(t *testing.T) {
	t.Chdir("testdata")
	for session, want := range map[string]string{"s2": "did you mean s1?", "elsewhere": "there are s1"} {
		r := runIn(t, "", "explain", "--rules=rules.yaml", "--recording", "callbacks.jsonl", "--session", session)
		if r.code != exitBad || !strings.Contains(r.stderr, want) || r.stdout != "" {
			t.Errorf("%s: %+v, want %s", session, r, want)
		}
	}
}

// TestExplain_at_isInTheZoneOfTheCalendars asks a calendar of another zone than that of the default time.
func TestExplain_at_isInTheZoneOfTheCalendars(t *testing.T) {
	t.Chdir(t.TempDir())
	const head = "version: 1\ntargets: {default: {}}\nrules:\n  - {id: r, when: {says: [hi]}, then: {transfer: default}}\n"
	for name, calendars := range map[string]string{
		"none.yaml": "", "one.yaml": "calendars: {a: {tz: Europe/Berlin, open: [mon-fri 09:00-18:00]}}\n",
		"two.yaml": "calendars: {a: {tz: Europe/Berlin, open: [mon 09:00-18:00]}, b: {tz: UTC, open: [mon 09:00-18:00]}}\n",
	} {
		if err := os.WriteFile(name, []byte(head+calendars), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ file, at, want string }{
		{"none.yaml", "23:00", "Mon 2026-01-05 23:00:00 +08:00"},
		{"two.yaml", "23:00", "Mon 2026-01-05 23:00:00 +08:00"},
		{"one.yaml", "23:00", "Mon 2026-01-05 23:00:00 +01:00"},
		{"one.yaml", "9：05", "Mon 2026-01-05 09:05:00 +01:00"},
		{"one.yaml", "2026-07-01 23:00", "Wed 2026-07-01 23:00:00 +02:00"},
		{"one.yaml", "2026-07-01T23:00:07Z", "Wed 2026-07-01 23:00:07 +00:00"},
	} {
		if r := runIn(t, "", "explain", "hi", "--rules", c.file, "--at", c.at); !strings.Contains(r.stdout, c.want) {
			t.Errorf("%s at %s: %+v, want %s", c.file, c.at, r, c.want)
		}
	}
}

// TestExplain_lastAgent_isNamedBeforeTheTarget plays two sessions of one customer.
func TestExplain_lastAgent_isNamedBeforeTheTarget(t *testing.T) {
	t.Chdir(t.TempDir())
	const file = "version: 1\ntargets: {default: {}}\nrules:\n  - {id: r, when: {says: [hi]}, then: {transfer: default, prefer_last_agent: 7d}}\n"
	if err := os.WriteFile("rules.yaml", []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runIn(t, "", "explain", "user: hi", "desk: assigned", "event: closed", "user: hi")
	if want := "try agent (had the customer last) → default"; strings.Count(r.stdout, want) != 1 {
		t.Errorf("%+v, want %q once", r, want)
	}
}

// TestExplain_whatTheRuleChangesOfItsTargets_isTold: a rule's priority counts in the whole chain, its agents at the first
// target only.
func TestExplain_whatTheRuleChangesOfItsTargets_isTold(t *testing.T) {
	t.Chdir(t.TempDir())
	const file = "version: 1\ntargets: {default: {}, sales: {group: 5, else: default}}\nrules:\n" +
		"  - {id: r, when: {says: [hi]}, then: {transfer: sales, priority: 0, agents: [li@x, wu@x]}}\n" +
		"  - {id: s, when: {says: [bye]}, then: {transfer: default}}\n"
	if err := os.WriteFile("rules.yaml", []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := runIn(t, "", "explain", "hi"); !strings.Contains(r.stdout, "try sales, only li@x, wu@x, priority 0 → default, priority 0\n") {
		t.Errorf("%+v", r)
	}
	if r := runIn(t, "", "explain", "bye"); strings.Contains(r.stdout, "try ") {
		t.Errorf("a target that stands as written is named twice: %+v", r)
	}
}

func TestExplain_everyLineFitsTheTerminal_andObeysNoCustomer(t *testing.T) {
	t.Chdir("testdata")
	for _, words := range []string{
		"please \x1b[2J\x07\r\u009b31m refund \u202e " + strings.Repeat("a", 200), strings.Repeat("请给我退款，", 60), "a\u0301" + strings.Repeat("退", 300),
	} {
		r := runIn(t, "", "explain", "--rules=service.yaml", words)
		for line := range strings.Lines(r.stdout) {
			line = strings.TrimSuffix(line, "\n")
			if columnsOf(line) > usualWidth || strings.ContainsAny(line, "\x1b\a\r\u009b\u202e") {
				t.Errorf("%.40q: %q", words, line)
			}
		}
	}
}

func TestExplain_saysWhoOfTheStaffIsTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.yaml")
	rules := `version: 1
notify: {support: {slack: {url_file: url}}, sales: {slack: {url_file: url}}}
targets: {default: {}}
rules: [{id: gold, when: {says: [treasure]}, then: {transfer: default, notify: [support, sales]}}]
`
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := runIn(t, "", "explain", "--rules", file, "treasure"); !strings.Contains(got.stdout, "tell support, sales\n") {
		t.Error(got)
	}
	if got := runIn(t, "", "explain", "--rules", file, "good morning"); strings.Contains(got.stdout, "tell") {
		t.Error(got)
	}
}
