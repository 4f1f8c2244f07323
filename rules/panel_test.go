package rules

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

const panelRules = "panel: {fields: {会员: CloudCustomData.level, Order no.: CloudCustomData.order}}\n" + askRule

func TestPanel_showsTheLastValueOfTheSession(t *testing.T) {
	p := load(t, panelRules)
	k := newTalk(t, p)
	show := func(what, level, order string) {
		t.Helper()
		want := []PanelField{{"会员", level}, {"Order no.", order}}
		if diff := cmp.Diff(want, p.PanelFields(&k.c)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	show("nothing yet", "", "")
	k.turn(Turn{Kind: StartTurn, Fields: TestFields{"CloudCustomData.level": "silver"}})
	show("from the start", "silver", "")
	k.turn(Turn{Text: "where is it", Fields: TestFields{"CloudCustomData.order": "A-77"}})
	k.turn(Turn{Kind: BotTurn, Text: "which one?", Fields: TestFields{"CloudCustomData.order": "none of the customer's"}})
	k.turn(Turn{Text: "転", Fields: TestFields{"CloudCustomData.level": "gold"}})
	k.user("转人工")
	show("each from another message", "gold", "A-77")

	data, err := k.c.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var copied Conversation
	copied.CopyFrom(&k.c)
	k.c = Conversation{}
	if err := k.c.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	show("after a restart", "gold", "A-77")
	k.c.CopyFrom(&copied)
	show("of a copy", "gold", "A-77")

	k.observe(EventSessionBegin)
	show("in another session", "", "")
}

func TestPanel_valuesAreBounded(t *testing.T) {
	p := load(t, panelRules)
	k := newTalk(t, p)
	k.turn(Turn{Text: "hi", Fields: TestFields{"CloudCustomData.level": strings.Repeat("会", 100)}})
	if v := p.PanelFields(&k.c)[0].Value; len(v) > maxFieldLength || len(v) < maxFieldLength-3 || !utf8.ValidString(v) {
		t.Errorf("%d bytes: %q", len(v), v)
	}
	for i := range 3 * maxPanelFields { // files come and go
		k.c.own().ownRare().keepForPanel(fmt.Sprint("path.", i), "v")
	}
	if n := len(k.c.memory.rare.panelFields); n > maxPanelFields {
		t.Errorf("%d values are kept", n)
	}
}

func TestPanel_withoutIt_nothingIsKept(t *testing.T) {
	k := newTalk(t, load(t, askRule))
	k.turn(Turn{Text: "hi", Fields: TestFields{"CloudCustomData.level": "gold"}})
	if k.c.memory != nil || k.p.PanelFields(&k.c) != nil {
		t.Errorf("%+v", k.c.memory)
	}
}

func TestPanel_mistakes(t *testing.T) {
	var many strings.Builder
	for i := range maxPanelFields + 1 {
		fmt.Fprintf(&many, "n%d: CloudCustomData.a%d, ", i, i)
	}
	for panel, want := range map[string]string{
		"{}":                                 "`fields`",
		"{fields: {}}":                       "is empty",
		"{fields: [CloudCustomData.level]}":  "must be a mapping",
		"{fields: {A: CloudCustomData..x}}":  "is not a dotted path",
		"{fields: {A: MsgBody.*.x}}":         "is not a dotted path",
		"{fields: {A: [a, b]}}":              "must be a dotted path",
		"{show: {A: CloudCustomData.level}}": "fields",
		"{fields: {A: CloudCustomData.a, A: CloudCustomData.b}}":             "`A`",
		"{fields: {" + strings.Repeat("x", 41) + ": CloudCustomData.level}}": "name for people",
		"{fields: {" + many.String() + "}}":                                  "at most 16 fields",
	} {
		_, r := Load([]byte("version: 1\npanel: "+panel+"\ntargets: {default: {}}\n"+askRule), LoadOptions{})
		if len(r.Errors) == 0 || !strings.Contains(r.Errors[0].Message.String()+r.Errors[0].Hint.String(), want) {
			t.Errorf("%s: %+v, want %q", panel, r.Errors, want)
		}
	}
}

func TestPanel_lint(t *testing.T) {
	for path, want := range map[string]string{
		"CloudCustomData.level": "",
		"ChannelType":           "",
		"NewField":              "",
		"level":                 "no callback of Desk has a field",
		"CloudCustomdata.level": "no callback of Desk has a field",
	} {
		got := lintOf(t, "panel: {fields: {L: "+path+"}}\nrules: [{id: a, when: {says: [hello]}, "+rest+"]")
		if (len(got) > 0) != (want != "") || len(got) > 0 && !strings.Contains(got[0], want) {
			t.Errorf("%s: %v, want %q", path, got, want)
		}
	}
}

func TestPanel_belongsIntoTheRuleFileItself(t *testing.T) {
	_, r := Set{Main: "rules.yaml", Files: Files{
		"rules.yaml": []byte("version: 1\ninclude: [more.yaml]\ntargets: {default: {}}\n" + askRule),
		"more.yaml":  []byte("panel: {fields: {A: CloudCustomData.level}}\n"),
	}}.Load(start)
	if len(r.Errors) != 1 || !strings.Contains(r.Errors[0].Message.String(), "`panel` belongs in the rule file itself") {
		t.Errorf("%+v", r.Errors)
	}
}
