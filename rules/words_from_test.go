package rules

import (
	"fmt"
	"strings"
	"testing"
)

func TestWordsFrom_joinsWhatButtonsSay(t *testing.T) {
	p := load(t, "words_from: [MsgBody.*.MsgContent.Data.content, CloudCustomData.label]\nrules: [{id: r, when: {says: [转人工]}, then: {transfer: default}}]")
	for _, c := range []struct {
		name, text, want string
		fields           Fields
	}{
		{"no callback", "你好", "你好", nil},
		{"nothing there", "你好", "你好", TestFields{"MsgBody.0.MsgContent.Data.src": "10"}},
		{"a button alone", "", "转人工", TestFields{"MsgBody.0.MsgContent.Data.content": "转人工"}},
		{"beside a text", "你好", "你好\n转人工", TestFields{"MsgBody.1.MsgContent.Data.content": "转人工"}},
		{"a blank text", " ", "转人工", TestFields{"MsgBody.1.MsgContent.Data.content": "转人工"}},
		{"a blank button", "你好", "你好", TestFields{"MsgBody.1.MsgContent.Data.content": " "}},
		{"the same words again", "转人工", "转人工", TestFields{"MsgBody.1.MsgContent.Data.content": "转人工"}},
		{"by place, then by path", "", "b\nc\na", TestFields{"CloudCustomData.label": "a", "MsgBody.2.MsgContent.Data.content": "b", "MsgBody.10.MsgContent.Data.content": "c"}},
		{"another path", "你好", "你好", TestFields{"MsgBody.0.MsgContent.Data.contents": "转人工", "MsgBody.x.MsgContent.Data.content": "转人工", "MsgBody.0.MsgContent.Data.content.0": "转人工"}},
	} {
		if got := p.Words(c.text, c.fields); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := load(t, "rules: [{id: r, when: {says: [转人工]}, then: {transfer: default}}]").Words("a", TestFields{"MsgBody.0.MsgContent.Data.content": "b"}); got != "a" {
		t.Errorf("without words_from: %q", got)
	}
}

func TestWordsFrom_isBounded(t *testing.T) {
	p := load(t, "words_from: [A.*, B.*]\nrules: [{id: r, when: {says: [转人工]}, then: {transfer: default}}]")
	fields := TestFields{"B.0": "late"}
	for i := range maxWordTexts + 5 {
		fields[fmt.Sprint("A.", i)] = fmt.Sprint("text ", i)
	}
	got := strings.Split(p.Words("mine", fields), "\n")
	if len(got) != 1+maxWordTexts || got[maxWordTexts] != "text 31" {
		t.Errorf("%d texts, the last %q", len(got), got[len(got)-1])
	}
}

func TestWordsFrom_mistakes(t *testing.T) {
	const tail = "\ntargets: {default: {}}\nrules: [{id: r, when: {says: [hello]}, then: {transfer: default}}]"
	many := strings.Repeat("A.b, ", maxWordPaths)
	for from, want := range map[string]string{
		"[]":                "is empty",
		"MsgBody":           "must be a list of dotted paths",
		"['*.Text']":        "is not a dotted path",
		"[MsgBody.**.x]":    "is not a dotted path",
		"[MsgBody.*x]":      "is not a dotted path",
		"[MsgBody..x]":      "is not a dotted path",
		"['$.MsgBody']":     "is not a dotted path",
		"[" + many + "A.b]": "at most 16 entries",
	} {
		_, r := Load([]byte("version: 1\nwords_from: "+from+tail), LoadOptions{})
		if len(r.Errors) != 1 || !strings.Contains(r.Errors[0].Message.String(), want) {
			t.Errorf("%s: %+v, want %q", from, r.Errors, want)
		}
	}
	if _, r := Load([]byte("version: 1\nwords_from: ["+strings.TrimSuffix(many, ", ")+"]"+tail), LoadOptions{}); !r.OK() {
		t.Errorf("16 paths: %+v", r.Errors)
	}
}

func TestWordsFrom_lint(t *testing.T) {
	const rules = "]\nrules: [{id: a, when: {says: [hello]}, " + rest + "]"
	for path, want := range map[string]string{
		"MsgBody.*.MsgContent.Data.content": "",
		"CloudCustomData.label":             "",
		"MsgBody.*.MsgContent.Text":         "are its words anyway",
		"MsgBody.0.MsgContent.Text":         "are its words anyway",
		"MsgBody.*.Data.content":            "no callback of Desk has a field",
		"MsgBody.Data.content":              "no callback of Desk has a field",
	} {
		got := lintOf(t, "words_from: ["+path+rules)
		if (len(got) > 0) != (want != "") || len(got) > 0 && (!strings.HasPrefix(got[0], path) || !strings.Contains(got[0], want)) {
			t.Errorf("%s: %v, want %q", path, got, want)
		}
	}
}
