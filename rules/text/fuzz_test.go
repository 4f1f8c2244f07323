package text

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// hard are texts that went wrong once, or might.
var hard = []string{
	"", " ", "a", "人工", "e\u0301", "\u0301", "¨", "a¨b", "ㅋㅠㅋㅠ", "ﷺ", "i\u0307", "I\u0307", "ΐς", "\u0345α", "ᾳ",
	"\xff", "\xf0\x9f", "👨‍👩‍👧‍👦🏽", "🇨🇳", "שלום עולם", "مرحبا بالعالم", "don't", "x't's", "'t", "l''t", "h.u.m.a.n", "转 人 工",
	"\r\n\r\n", "\u2028x\u2029", "ﾃﾞ", "か\u3099", "\u1100\u1161\u11a8", "각", "가\u11a8", "a\u200d\u0301", "1️⃣", "Ǆ", "ŉ", "ſ", "K", "Å",
	"<p>a<b>b</b>&lt;&#39;t</p>", "> a\nb", "「a」\n---\nb", "see https://a.b/c a@b.cd x.pdf", "aaabbb", "don'ttt", "all'lll", "alll'l'll", "转 人工 人", "مـُـوظف", "e<i>\u0301</i>",
	strings.Repeat("a\u0301", 40), "a" + strings.Repeat("\u0301", 100), strings.Repeat("一", 2100), strings.Repeat("a b c! ", 400),
}

func FuzzNormalize(f *testing.F) {
	for _, s := range hard {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := Normalize(s)
		if !utf8.ValidString(n) {
			t.Fatalf("Normalize(%q) = %q is not UTF-8", s, n)
		}
		if strings.Contains(n, "  ") || strings.Trim(n, " \n") != n {
			t.Fatalf("Normalize(%q) = %q has white space too much", s, n)
		}
		if utf8.RuneCountInString(n) > maxHead+maxTail {
			return // cut again, or grown by NFKC
		}
		if strings.ContainsAny(n, "<&") {
			return // HTML is resolved once: &amp;lt; is &lt;
		}
		if again := Normalize(n); again != n {
			t.Fatalf("Normalize(%+q) = %+q, and again %+q", s, n, again)
		}
	})
}

func FuzzMessageReset(f *testing.F) {
	for _, s := range hard {
		f.Add(s, s)
	}
	var warm Message
	f.Fuzz(func(t *testing.T, before, s string) {
		warm.Reset(before)
		warm.Reset(s)
		checkMessage(t, &warm, s)
		var cold Message
		cold.Reset(s)
		if diff := cmp.Diff(cold.tokens, warm.tokens, cmp.AllowUnexported(Token{})); diff != "" && len(cold.tokens)+len(warm.tokens) > 0 {
			t.Fatalf("a warm message differs (-cold +warm):\n%s", diff)
		}
		if cold.Normal() != warm.Normal() || cold.Scripts() != warm.Scripts() {
			t.Fatalf("a warm message of %q differs", s)
		}
		var customer Message
		customer.ResetCustomer(s)
		checkMessage(t, &customer, s)
		if len(customer.tokens) > len(cold.tokens)+strings.Count(s, "'") {
			t.Fatalf("of %q a customer said more than there is", s)
		}
	})
}

// checkMessage checks what holds of every message.
func checkMessage(t *testing.T, m *Message, s string) {
	t.Helper()
	end, normEnd, clause, before := 0, 0, 0, 0
	for i := range m.Tokens() {
		from, to := m.OrigSpan(i, i+1)
		nFrom, nTo := int(m.Tokens()[i].NormStart), int(m.Tokens()[i].NormEnd)
		if from < end && !sameSegment(m, i) || to < from || to > len(s) {
			t.Fatalf("token %d of %q: bytes %d to %d after %d", i, s, from, to, end)
		}
		if nFrom < normEnd || nTo <= nFrom || nTo > len(m.Normal()) {
			t.Fatalf("token %d of %q: normal bytes %d to %d after %d", i, s, nFrom, nTo, normEnd)
		}
		if !utf8.ValidString(m.Word(i)) || m.Word(i) == "" {
			t.Fatalf("token %d of %q is %q", i, s, m.Word(i))
		}
		tok := m.Tokens()[i]
		if int(tok.clause) < clause || int(tok.before) < before || tok.hash != hashOn(hashSeed, m.word(i)) {
			t.Fatalf("token %d of %q: %+v", i, s, tok)
		}
		end, normEnd, clause, before = to, nTo, int(tok.clause), int(tok.before)
	}
	if n := len(m.Tokens()); n > 40*(maxHead+maxTail) {
		t.Fatalf("%d tokens of %d bytes", n, len(s))
	}
}

// sameSegment reports whether tokens i-1 and i come from one character of the
// original, as the two letters of a ligature do.
func sameSegment(m *Message, i int) bool {
	return i > 0 && m.tokens[i].Start <= m.tokens[i-1].End
}

func FuzzBuilderAdd(f *testing.F) {
	for _, s := range []string{"转人工", "(a|b)? c .. d*", "=人工", "/a{2,}/", "((((", "a**", "(a", "=", "/", "//", "（a｜b）？c", ".. a", "l'agent", "don't", "a|b", "/(?i)[轉]x/", "/\\pL+'s/"} {
		f.Add(s, "some text 转人工 a c d aa 人工", false)
	}
	f.Fuzz(func(t *testing.T, src, message string, noTypos bool) {
		var b Builder
		_, err := b.Add(src, Options{NoTypos: noTypos})
		if err != nil {
			var se *SyntaxError
			if !errors.As(err, &se) || se.Offset < 0 || se.Offset > len(src) || se.Message == "" {
				t.Fatalf("Add(%q) = %#v", src, err)
			}
			return
		}
		m, err := b.Build()
		if err != nil {
			t.Fatalf("Build of %q: %v", src, err)
		}
		var msg Message
		msg.Reset(message)
		for _, h := range m.Find(&msg, nil) {
			if h.First > h.Last || int(h.Last) > len(msg.Tokens()) {
				t.Fatalf("%q in %q: %+v", src, message, h)
			}
		}
	})
}

func FuzzFind(f *testing.F) {
	f.Add("转人工", "(talk|speak) to (a)? human", "agent .. refund*", "please TALK to a humna, 转 人 工", uint8(0))
	f.Add("a .. b", "=a (b)?", "a b", "a. b, a-b", uint8(3))
	f.Add("(can|could) (you|i) (please)? help", "(我|你) (要|想) .. (退|换)", "the (agent|refund*) (to)? you", "could you halp, the aggent yooou 我想退 can i", uint8(0))
	f.Add("(a|b c|d) (a|b c|d) (a|b c|d)", "(a|b c|d)? (a|b c|d) e", "x (a|b c|d)", "x d b c a e, x a a d", uint8(1))
	f.Fuzz(func(t *testing.T, p1, p2, p3, message string, flags uint8) {
		if len(message) > 200 || len(p1)+len(p2)+len(p3) > 120 {
			return
		}
		var b Builder
		var polite, telling PhraseSet
		for i, p := range []string{p1, p2, p3} {
			id, err := b.Add(p, Options{NoTypos: flags>>i&1 != 0})
			if err == nil && flags>>(3+i)&1 != 0 {
				polite.Add(id)
			}
			if err == nil && flags>>(6+i%2)&1 == 0 {
				telling.Add(id)
			}
		}
		b.SetMeaning(Meaning{Polite: polite, OfBot: telling})
		m, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		ref := newReference(&b, polite)
		for _, ph := range ref.phrases {
			if ph.seq.shape().tokens > 12 || ph.re != nil {
				return // backtracking takes too long; expressions are not of the reference
			}
		}
		var msg Message
		msg.Reset(message)
		want, got := ref.find(&msg), m.Find(&msg, nil)
		if len(got) == 0 && !b.matters(&msg, want) || len(want)+len(got) == 0 {
			return
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q %q %q in %q (-reference +Find):\n%s", p1, p2, p3, message, diff)
		}
	})
}

func TestNormalize_everyCharacter_isIdempotent(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	all := make([]rune, 0, utf8.MaxRune)
	for r := rune(0); r <= 0x323af; r++ {
		if utf8.ValidRune(r) {
			all = append(all, r)
		}
	}
	check := func(s string) {
		t.Helper()
		n := Normalize(s)
		if again := Normalize(n); again != n || !utf8.ValidString(n) {
			t.Fatalf("Normalize(%+q) = %+q, and again %+q", s, n, again)
		}
	}
	for _, r := range all {
		check(string(r))
		check("a" + string(r) + "一")
	}
	for range 200_000 {
		var b strings.Builder
		for range 1 + rng.IntN(6) {
			limit := []int{0x80, 0x400, 0x2000, 0x3400, len(all)}[rng.IntN(5)]
			b.WriteRune(all[rng.IntN(limit)])
		}
		check(b.String())
	}
}
