package rules

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"escalator/rules/lang"
)

// A problem inside a phrase is shown at the very character, however the phrase is quoted.
func TestLoad_problemInsideAPhrase_hasItsColumn(t *testing.T) {
	for _, c := range []struct {
		phrase string
		column int // within the entry, from 1
	}{
		{"请转 $nowhere", 4},
		{`"请转 $nowhere"`, 5},
		{`'请转 $nowhere'`, 5},
		{`"\"请\" $nowhere"`, 8},
		{`'it''s $nowhere'`, 8},
		{`"\u8bf7 $nowhere"`, 9},
	} {
		line := "    when: {says: [" + c.phrase + "]}"
		src := []byte("version: 1\ntargets: {default: {}}\nrules:\n  - id: a\n" + line + "\n    then: {transfer: default}\n")
		_, r := Load(src, LoadOptions{})
		want := utf8.RuneCountInString("    when: {says: [") + c.column
		if len(r.Errors) != 1 || r.Errors[0].Line != 5 || r.Errors[0].Column != want {
			t.Errorf("%s: want column %d, got %+v", c.phrase, want, r.Errors)
		}
	}
}

func TestReport_longLine_isCutAroundTheColumn(t *testing.T) {
	src := []byte("a: " + strings.Repeat("长", 300) + "! " + strings.Repeat("x", 300))
	var out bytes.Buffer
	Report{Errors: []Problem{{Line: 1, Column: 304, Message: "m", Hint: "h"}}}.Write(&out, lang.English, "f", Files{"f": src})
	lines := strings.Split(out.String(), "\n")
	excerpt, caret := []rune(lines[1]), []rune(lines[2])
	if len(excerpt) > 140 || excerpt[len(caret)-1] != '!' {
		t.Errorf("the caret does not stand under the mark:\n%s", out.String())
	}
}

func TestReport_problemBeyondTheFile_isStillShown(t *testing.T) {
	var out bytes.Buffer
	Report{Errors: []Problem{{Line: 9, Column: 9, Message: "m"}}, Warnings: []Problem{{Line: 1, Column: 99, Message: "w"}}}.Write(&out, lang.English, "f", Files{"f": []byte("a\r\n")})
	if want := "f:9:9: m\nf:1:99: warning: w\n    a\n     ^\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestLoad_tooLarge_isRefused(t *testing.T) {
	_, r := Load(bytes.Repeat([]byte("#\n"), MaxSize), LoadOptions{})
	if r.OK() || !strings.Contains(r.Errors[0].Message.String(), "1 MiB") {
		t.Errorf("%+v", r)
	}
}

func TestLoad_deepNesting_ends(t *testing.T) {
	for _, open := range []string{"[", "{a: ", "- ", "a:\n "} {
		Load([]byte(strings.Repeat(open, 20_000)), LoadOptions{})
	}
	deep := "{turns: {at_least: 1}}"
	for range 500 {
		deep = "{not: " + deep + "}"
	}
	src := fmt.Sprintf("version: 1\ntargets: {default: {}}\nrules: [{id: a, when: %s, then: {keep: true}}]", deep)
	p, r := Load([]byte(src), LoadOptions{})
	if p == nil {
		t.Fatalf("%+v", r.Errors)
	}
	expect(t, "500 times not", p.Decide(&Conversation{}, Turn{At: start}), "keep a")
}

func TestNearest_findsWhatWasMeant(t *testing.T) {
	words := []string{"cooldown", "when", "then", "bot_missed", "transfer", "ask-human"}
	for word, want := range map[string]string{
		"coldown": "cooldown", "Cooldown": "cooldown", "wehn": "when", "botMissed": "bot_missed", "bot missed": "bot_missed",
		"tranfser": "transfer", "ask_human": "ask-human", "xyz": "", "q": "", "ask": "ask-human",
	} {
		if got := nearest(word, words); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]string{
		"10m": "10m", "90s": "1m30s", "1h30m": "1h30m", "2d": "2d", "24h": "24h", "250ms": "250ms", "0s": "0s", "1d12h": "36h",
		"": "0s", "10": "", "m": "", "9999999d": "", "366d": "366d", "366d1s": "", "1h 30m": "",
	} {
		d, ok := ParseDuration(text)
		if got := formatDuration(d); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %s %v, want %q", text, got, ok, want)
		}
	}
}
