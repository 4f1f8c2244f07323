package cli

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"escalator/rules/lang"
)

// pageOf is a page of so many columns, and what is printed on it.
func pageOf(columns int) (*page, *bytes.Buffer) {
	var out bytes.Buffer
	return newPage(Env{Stdout: &out, Getenv: func(string) string { return strconv.Itoa(columns) }}), &out
}

func TestPage_linesEndAtSpaces_orBesideWideCharacters(t *testing.T) {
	for _, c := range []struct {
		label, words, want string
	}{
		{"to be ", "or not to be, that is the question here", "to be or not to be, that is the question\n      here\n"},
		{"说 ", "我要转人工客服我要转人工客服我要转人工客服", "说 我要转人工客服我要转人工客服我要转人\n   工客服\n"},
		{"", "see https://example.com/a/very/long/address/that/has/no/space", "see\nhttps://example.com/a/very/long/address/\nthat/has/no/space\n"},
		{"a ", "", "a\n"},
		{"x ", "ESC \x1b[31m BEL \a CSI \u009b2J and CR \r", "x ESC \\x1b[31m BEL \\a CSI \\u009b2J and\n  CR \\r\n"},
		{"", "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", strings.Repeat("e\u0301", 21) + "\n"},
	} {
		p, out := pageOf(40)
		p.line(lang.Raw(c.label), lang.Raw(c.words))
		if diff := cmp.Diff(c.want, out.String()); diff != "" {
			t.Errorf("%q: %s", c.words, diff)
		}
	}
}

func TestPage_noLineIsTooLong_andNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(narrowest, 120).Draw(t, "columns")
		words := rapid.StringOfN(rapid.RuneFrom([]rune("ab 转人工🙂\x1b\u0301.")), 0, 300, -1).Draw(t, "words")
		p, out := pageOf(columns)
		p.line("  a: ", lang.Raw(words))
		for line := range strings.Lines(out.String()) {
			if n := columnsOf(strings.TrimSuffix(line, "\n")); n > columns {
				t.Fatalf("%d columns: %q", n, line)
			}
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got, want := squeeze(out.String()), "a:"+squeeze(strings.ReplaceAll(words, "\x1b", `\x1b`)); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}

func TestPage_width_isTheOneOfTheEnvironment_else80(t *testing.T) {
	for columns, want := range map[string]int{"": 80, "100": 100, "wide": 80, "-1": 80, "0": 80, "3": narrowest} {
		env := Env{Stdout: &bytes.Buffer{}, Getenv: func(name string) string {
			return map[string]string{"COLUMNS": columns}[name]
		}}
		if got := width(env); got != want {
			t.Errorf("COLUMNS=%s: %d, want %d", columns, got, want)
		}
	}
}
