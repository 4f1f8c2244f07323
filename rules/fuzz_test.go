package rules

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"escalator/rules/lang"
)

// A rule file is written by people, and a bad one must never take the service down.
func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob("testdata/errors/*.yaml")
	for _, file := range append(files, "testdata/example.yaml", "testdata/lint.yaml") {
		f.Add(readFile(f, file))
	}
	for _, s := range []string{"{", "? ", "- - -", "a: &a [*a]", "version: 1\nrules: !!set {a, b}\n", "\x00", "%YAML 9.9\n--- a", "rules:\n - *x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		p, r := Load(src, LoadOptions{Now: start})
		if (p == nil) == r.OK() {
			t.Fatalf("policy %v with errors %+v", p, r.Errors)
		}
		lines := 1 + bytes.Count(src, []byte("\n"))
		for _, e := range append(r.Errors, r.Warnings...) {
			if e.Line < 1 || e.Column < 1 || e.Line > lines+1 || e.Message == "" {
				t.Fatalf("a problem without a place: %+v", e)
			}
			if bytes.Contains([]byte(e.Message), []byte("internal fault")) {
				t.Fatalf("a panic: %s", e.Message)
			}
		}
		r.Write(&bytes.Buffer{}, lang.English, "rules.yaml", Files{"rules.yaml": src})
		if p == nil {
			return
		}
		var c Conversation
		for i, text := range []string{"转人工", "I want a human", "退款！！！"} {
			p.Explain(&c, Turn{Text: text, At: start.Add(time.Duration(i) * time.Minute)})
			p.Decide(&c, Turn{Kind: BotTurn, Text: text, At: start.Add(time.Duration(i) * time.Minute)})
		}
		p.Decide(&c, Turn{Kind: TimerTurn, At: start.Add(time.Hour)})
	})
}

// Whatever a customer writes, the decision is made, its places lie within the text, and Explain says the same.
func FuzzDecide(f *testing.F) {
	p := busyPolicy(f)
	example := mustLoad(f, readFile(f, "testdata/example.yaml"))
	for _, s := range []string{"转人工", "怎么 转 人 工 不用了", "骗子！！！骗子", "好的", "\xff\xfe", "I dont want a human 🤖🤖", "人工\u200b智能", ""} {
		f.Add(s, "fallback", int64(0), uint8(0))
	}
	f.Fuzz(func(t *testing.T, text, mark string, seconds int64, kind uint8) {
		for _, p := range []*Policy{p, example} {
			var a, b Conversation
			for i := range 3 {
				turn := Turn{Kind: TurnKind(kind % 5), Text: text, Mark: mark, At: start.Add(time.Duration(seconds%1e9) * time.Duration(i) * time.Second)}
				d := p.Decide(&a, turn)
				explained, _ := p.Explain(&b, turn)
				if d.words() != explained.words() {
					t.Fatalf("decided %s, explained %s", d.words(), explained.words())
				}
				for _, m := range d.Matched {
					if m.Start < 0 || m.End > len(text) || text[m.Start:m.End] != m.Text {
						t.Fatalf("%+v does not lie in %q", m, text)
					}
				}
				p.NextTimer(&a)
			}
		}
	})
}
