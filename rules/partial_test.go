package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

// The thousandths were computed by another program, from the words of the specification.
func TestShare_whoIsIn(t *testing.T) {
	for _, c := range []struct {
		kind, name, who string
		thousandth      share
	}{
		{"share", "vip", "u1", 582},
		{"share", "vip", "u2", 524},
		{"share", "vip", "u3", 382},
		{"share", "new-refund", "用户1", 91},
		{"share", "ask-human", "session-9", 288},
		{"share", "a", "b", 103},
		{"ai_provider", "@trial", "u1", 735},
		{"ai_provider", "@trial", "u3", 10},
	} {
		if c.thousandth.holds(c.kind, c.name, c.who) || !(c.thousandth+1).holds(c.kind, c.name, c.who) {
			t.Errorf("%s of %s: %s is not the %dth", c.kind, c.name, c.who, c.thousandth)
		}
	}
	if !share(1).holds("share", "vip", "") {
		t.Error("whom nobody knows is not in")
	}
}

func TestShare_isAboutSoManyCustomers_andALargerOneKeepsThem(t *testing.T) {
	in := map[share]int{}
	for i := range 20_000 {
		who := fmt.Sprint("customer ", i)
		for _, s := range []share{1, 100, 505, 1000} {
			if s.holds("share", "vip", who) {
				in[s]++
			} else if in[s] > 0 && share(1).holds("share", "vip", who) {
				t.Fatalf("%s left when the share grew to %s", who, s)
			}
		}
	}
	for s, n := range in {
		if want := int(s) * 20; n < want-want/5-20 || n > want+want/5+20 {
			t.Errorf("%s: %d of 20000", s, n)
		}
	}
}

const partialRules = `calendars: {office: {tz: Asia/Shanghai, open: [mon-fri 09:00-21:00]}}
rules:
  - {id: vip, owner: Li, share: 55%, when: {says: [gold]}, then: {transfer: default}}
  - {id: fair, from: 2027-02-06, until: 2027-02-07, when: {all: [{says: [fair]}, {any: [{hours: office}, {not: {hours: office}}]}]}, then: {transfer: default}}
  - {id: noon, from: 2027-02-06T12:00:00+08:00, until: 2027-02-06T13:00:00+08:00, when: {says: [noon]}, then: {transfer: default}}
  - {id: ask, when: {says: [gold, fair, noon]}, then: {keep: true}, cooldown: 0s}
`

func TestPartialRules_areAsOff_whereTheyAreNotForTheCustomerOrTheTime(t *testing.T) {
	p := load(t, partialRules)
	for _, c := range []struct {
		says, at, user, session string
		want, off               string
	}{
		{"gold", "2027-02-01T10:00:00+08:00", "u2", "", "vip", ""},
		{"gold", "2027-02-01T10:00:00+08:00", "u1", "", "ask", "off for this customer, who is not in its share of 55%"},
		{"gold", "2027-02-01T10:00:00+08:00", "", "u1", "ask", "off for this customer, who is not in its share of 55%"},
		{"gold", "2027-02-01T10:00:00+08:00", "u2", "u1", "vip", ""}, // the customer counts, not the session
		{"gold", "2027-02-01T10:00:00+08:00", "", "", "vip", ""},
		{"fair", "2027-02-05T15:59:59Z", "", "", "ask", "off until 2027-02-06 00:00 +08:00"},
		{"fair", "2027-02-05T16:00:00Z", "", "", "fair", ""},
		{"fair", "2027-02-07T23:59:59+08:00", "", "", "fair", ""},
		{"fair", "2027-02-08T00:00:00+08:00", "", "", "ask", "off since 2027-02-08 00:00 +08:00"},
		{"noon", "2027-02-06T11:59:59+08:00", "", "", "ask", "off until 2027-02-06 12:00 +08:00"},
		{"noon", "2027-02-06T12:00:00+08:00", "", "", "noon", ""},
		{"noon", "2027-02-06T13:00:00+08:00", "", "", "ask", "off since 2027-02-06 13:00 +08:00"},
	} {
		turn := Turn{Text: c.says, At: start, Wall: at(t, c.at), UserID: c.user, SessionID: c.session}
		var tried Tried
		turn.Tried = &tried
		d, trace := p.Explain(&Conversation{}, turn)
		if d.Rule != c.want {
			t.Errorf("%s at %s of %q %q: %s decided", c.says, c.at, c.user, c.session, d.Rule)
		}
		i := slices.IndexFunc(trace.Rules, func(r RuleTrace) bool { return r.ID == map[string]string{"gold": "vip"}[c.says] || r.ID == c.says })
		told, kept := trace.Rules[i], inFull.Of(&tried, nil)[i]
		if off := c.off != ""; (told.Result == "off") != off || off && (told.Why.String() != c.off || kept.Result != "off" || kept.Why != c.off) {
			t.Errorf("%s at %s of %q %q: told %s: %s, kept %+v", c.says, c.at, c.user, c.session, told.Result, told.Why, kept)
		}
		if told.ID == "vip" && told.Owner != "Li" {
			t.Errorf("the owner is %q", told.Owner)
		}
	}
}

func TestPartialRules_aShadowOfAShare_imaginesNothingForOthers(t *testing.T) {
	p := load(t, "rules: [{id: vip, mode: shadow, share: 55%, when: {says: [gold]}, then: {transfer: default}}]")
	for user, want := range map[string]Outcome{"u1": OutcomeNone, "u2": OutcomeShadow} {
		if d := p.Decide(&Conversation{}, Turn{Text: "gold", At: start, UserID: user}); d.Outcome != want {
			t.Errorf("%s: %s", user, d.Outcome)
		}
	}
}

func TestPartialRules_costNoMemory(t *testing.T) {
	p := load(t, partialRules)
	if n := testing.AllocsPerRun(100, func() { p.rules[0].absent(start, "u1") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestPartialRules_areDescribed(t *testing.T) {
	infos := load(t, partialRules).Rules()
	from, until := at(t, "2027-02-06T00:00:00+08:00"), at(t, "2027-02-08T00:00:00+08:00")
	if v := infos[0]; v.Owner != "Li" || v.Share != "55%" || v.From != nil || v.Until != nil {
		t.Errorf("%+v", v)
	}
	if v := infos[1]; !v.From.Equal(from) || !v.Until.Equal(until) || v.Share != "" || v.Owner != "" {
		t.Errorf("%+v", v)
	}
}

func TestPartialRules_whatIsWrong(t *testing.T) {
	for _, c := range []struct{ key, want string }{
		{"share: 0%", `"0%" is not a share from 0.1% to 100%`},
		{"share: 0.0%", `"0.0%" is not a share from 0.1% to 100%`},
		{"share: 0.05%", `"0.05%" is not a share from 0.1% to 100%`},
		{"share: 100.1%", `"100.1%" is not a share from 0.1% to 100%`},
		{"share: 101%", `"101%" is not a share from 0.1% to 100%`},
		{"share: 10", `"10" is not a share from 0.1% to 100%`},
		{"share: -1%", `"-1%" is not a share from 0.1% to 100%`},
		{"share: 0.1%", ""},
		{"share: 100%", ""},
		{"share: 100.0%", ""},
		{"share: 33.3%", ""},
		{"from: tomorrow", `"tomorrow" is not a date or a time`},
		{"from: 2027-02-30", "there is no such date or time as 2027-02-30"},
		{"until: 2027-02-06T25:00:00Z", "there is no such date or time as 2027-02-06T25:00:00Z"},
		{"from: 2027-02-07, until: 2027-02-06", "`until` is not after `from`"},
		{"from: 2027-02-06, until: 2027-02-06", ""},
		{"from: 2027-02-06T10:00:00Z, until: 2027-02-06T10:00:00Z", "`until` is not after `from`"},
		{"owner: ''", "`owner` must not be empty"},
	} {
		_, r := Load([]byte(fileHead+"rules: [{id: a, "+c.key+", when: {says: [gold]}, then: {transfer: default}}]"), LoadOptions{})
		if c.want == "" && !r.OK() || c.want != "" && (len(r.Errors) != 1 || r.Errors[0].Message.String() != c.want || r.Errors[0].Hint == "") {
			t.Errorf("%s: %+v", c.key, r.Errors)
		}
	}
}

func TestLint_rulesThatAreOver(t *testing.T) {
	const file = fileHead + "rules: [{id: fair, until: 2027-02-07, when: {says: [fair]}, then: {transfer: default}}]\n" +
		"tests: [{name: a, say: fair, expect: fair}, {name: b, say: hello, expect: none}]\n"
	for now, want := range map[string][]string{
		"2027-02-07T23:59:59Z": nil,
		"2027-02-08T00:00:00Z": {"rules.yaml:3:27: rule `fair` is over: it has been off since 2027-02-08 00:00 +00:00"},
	} {
		_, r := Load([]byte(file), LoadOptions{Now: at(t, now)})
		if diff := cmp.Diff(want, told(r.Warnings)); diff != "" {
			t.Error(now, diff)
		}
	}
	_, r := Load([]byte(strings.Replace(file, "}]\ntests", "} # ok: it comes back next year\n  ]\ntests", 1)), LoadOptions{Now: at(t, "2027-03-01T00:00:00Z")})
	if len(r.Errors)+len(r.Warnings) > 0 {
		t.Errorf("silenced: %v %v", told(r.Errors), told(r.Warnings))
	}
}

// A rule that is not there for everybody forestalls none.
func TestLint_partialRules_leaveOthersReachable(t *testing.T) {
	for key, forestalls := range map[string]bool{"share: 100%": true, "share: 10%": false, "from: 2027-01-01": false, "until: 2099-01-01": false} {
		_, r := Load([]byte(fileHead+"rules:\n  - {id: a, "+key+", when: {says: [gold]}, then: {transfer: default}}\n  - {id: b, when: {says: [gold], turns: {at_least: 2}}, then: {keep: true}}\n"), LoadOptions{})
		if got := strings.Contains(strings.Join(told(r.Warnings), "\n"), "rule `b` is never reached"); got != forestalls {
			t.Errorf("%s: %v", key, told(r.Warnings))
		}
	}
}

func TestProvider_byEntryAndCustomer(t *testing.T) {
	p := load(t, `ai_provider: {default: desk, "@shop": self, "@trial": {self: 70%, else: omit}}`+"\nrules: [{id: a, when: {says: [gold]}, then: {transfer: default}}]")
	for _, c := range []struct{ entry, who, want string }{
		{"@shop", "u1", "self"}, {"@trial", "u1", "omit"}, {"@trial", "u3", "self"}, {"@trial", "", "self"}, {"@other", "u3", "desk"}, {"", "u3", "desk"}, {"default", "u3", "desk"},
	} {
		if got := p.Provider(c.entry, c.who); got != c.want {
			t.Errorf("%q of %q: %q", c.entry, c.who, got)
		}
	}
	p = load(t, `ai_provider: {"@shop": self}`+"\nrules: [{id: a, when: {says: [gold]}, then: {transfer: default}}]")
	if got := p.Provider("@other", "u1"); got != "" {
		t.Errorf("an entry that the file does not name: %q", got)
	}
	for value, want := range map[string]string{
		"own":                      `"own" is not desk, self or omit`,
		"{self: 0%, else: desk}":   `"0%" is not a share from 0.1% to 100%`,
		"{self: 10%}":              "`@shop` lacks `else`",
		"{self: 10%, else: nobod}": `"nobod" is not desk, self or omit`,
	} {
		_, r := Load([]byte(fileHead+`ai_provider: {"@shop": `+value+"}\nrules: [{id: a, when: {says: [gold]}, then: {transfer: default}}]"), LoadOptions{})
		if len(r.Errors) != 1 || r.Errors[0].Message.String() != want || r.Errors[0].Hint == "" {
			t.Errorf("%s: %+v", value, r.Errors)
		}
	}
}
