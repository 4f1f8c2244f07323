package text

import (
	"testing"

	"pgregory.net/rapid"
)

// expressions are of the kinds that packs and people write.
var expressions = []string{
	`[?!]{4,}`, `!{3,}`, `[！!]{2,}好`, `[\x{1F44D}\x{2705}]+ *$`, `(请|快)?给我转(吧|啊)*`, `[,.!?;] ?(живого )?(оператора|человека|менеджера)[!.]*$`,
	`(a|b)c[de]f+g`, `[k-m]{2}s+`, `straße|ΣΊΣΥΦΟΣ`, `(?:x|)y[a-z]z`, `^(i )?(choose|pick|option:?) (an? )?(human|agent)`, `a+b{2,3}c?d`,
}

// A pattern that is not tried for want of a literal must not have matched.
func TestPattern_literals_hideNoMatch(t *testing.T) {
	for _, src := range expressions {
		m := benchMatcher(t, []string{"/" + src + "/"})
		re := m.phrases[0].re
		if len(re.literals) == 0 {
			t.Errorf("%s: no literals", src)
		}
		texts := rapid.StringMatching("(?i:" + src + ")")
		rapid.Check(t, func(t *rapid.T) {
			normal := []byte(Normalize(texts.Draw(t, "text")))
			var f fingerprint
			f.set(normal)
			if re.re.Match(normal) && !re.mayMatch(normal, &f) {
				t.Errorf("%s matches %q, which holds none of %q", src, normal, re.literals)
			}
		})
	}
}

func TestPattern_literals_areThoseThatSayMost(t *testing.T) {
	for src, want := range map[string]string{`(快|马上)(给我)?转(吧|啊)*`: "转", `ab+c?de`: "ab", `(please )?call (him|her)`: "call ", `[ab][cd]x`: "acx"} {
		m := benchMatcher(t, []string{"/" + src + "/"})
		if got := m.phrases[0].re.literals; len(got) == 0 || got[0] != want {
			t.Errorf("%s: %q, want %q first", src, got, want)
		}
	}
}
