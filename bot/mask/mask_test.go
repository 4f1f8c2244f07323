package mask

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestText_hidesWhatGivesACustomerAway(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"我要转人工", "我要转人工"},
		{"", ""},
		{"订单 20240131998877 没到", "订单 *** 没到"},
		{"call me at 138-1234-5678 please", "call me at *** please"},
		{"电话（86）138 1234 5678。", "电话（***。"},
		{"call +86 (138) 1234.5678", "call +***"},
		{"投诉12315", "投诉***"},
		{"ab 1234 5", "ab ***"},
		{"ring 555-1234", "ring ***"},
		{"06 12 34 56 78", "***"},
		{"born 1990-01-01", "born ***"},
		{"31.2304, 121.4737", "***"},

		// Digits are what is a digit in normal form.
		{"１３８１２３４５６７８", "***"},
		{"①③⑧①②③④⑤⑥⑦⑧", "***"},
		{"❶❸❽❶❷❸❹❺❻❼❽", "***"},
		{"١٣٨١٢٣٤٥٦٧٨", "***"},
		{"१३८१२३४५६७८", "***"},
		{"𝟏𝟑𝟖𝟏𝟐𝟑𝟒𝟓", "***"},
		{"1️⃣3️⃣8️⃣1️⃣", "***" + "\ufe0f\u20e3"},
		{"1⑶8⒈2 ⑴ ③", "***"},
		{"微信138①②③④⑤⑥⑦⑧号", "微信***号"},

		// One or two separators, of any kind.
		{"138,123,456,78", "***"},
		{"138、123、456、78", "***"},
		{"1_3_8_1_2_3_4", "***"},
		{"138*123*456*78", "***"},
		{"138·123·456·78", "***"},
		{"138 / 123 / 4", "138 / 123 / 4"},
		{"138/123/456", "***"},
		{"138\n123\n456", "***"},
		{"138\r\n123\r\n456", "***"},
		{"138，123，456", "***"},
		{"138\u200b\u200b\u200b1234", "***"},
		{"1\u200b3\u2060\ufeff\u200d8\x001", "***"},
		{"138—123—456", "***"},
		{"138😀123😀456", "***"},
		{"138\u3000123\u00a0456", "***"},

		{"mail li.lei+x@example.com now", "mail *** now"},
		{"邮箱是li@example.com请查", "邮箱是***请查"},
		{"邮箱是li＠example.com请查", "邮箱是***请查"},
		{"ｌｉ＠ｅｘａｍｐｌｅ．ｃｏｍ", "***"},
		{"li﹫example.com", "***"},
		{"jürgen.groß@example.de, 你好", "***, 你好"},
		{"l\u200bi@\u200bexample.com", "***"},
		{"two @ signs @@ here", "two @ signs @@ here"},
		{"half price @ 5.30", "half price @ 5.30"},

		// As people, links and forms write an address.
		{"write to li @ example.com please", "write to *** please"},
		{"li@ example.com", "***"},
		{"li\u00a0@\u00a0example.com", "***"},
		{"https://x.example/?mail=li.lei%40example.com&n=1", "https://x.example/?mail=***&n=1"},
		{"li&#64;example.com", "***"},
		{"li&#x40;example.com", "***"},
		{"li&commat;example.com", "***"},
		{"o'brien@example.ie", "***"},
		{"홍길동@example.com", "***"},
		{"سارة@example.com", "***"},
		{"我叫李雷@example.com谢谢", "我叫李雷***谢谢"},
		{`"li lei"@example.com`, `"li lei"***`},
		{"li.lei@例子.中国", "***"},
		{"50%40 off", "50%40 off"},
		{"只要50%40件", "只要50%40件"},

		// As HTML writes digits.
		{"&#49;&#51;&#56;&#49;&#50;&#51;&#52;", "***"},
		{"call &#x31;&#x33;&#x38; &#x31;&#x32; now", "call *** now"},
		{"Tom &amp; Jerry &#39;25&#39;", "Tom &amp; Jerry &#39;25&#39;"},
		{"回复＠客服", "回复＠客服"},
	} {
		if got := Masked.Text(c.in); got != c.want {
			t.Errorf("Masked.Text(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestText_leavesShortNumbers_byteForByte(t *testing.T) {
	for _, same := range []string{
		"3 pieces, 12 euro, 999", "an order of 3", "24 7", "24/7", "1 2 3", "1, 2, 3, 4, 5, 6", "①②③", "1️⃣ 2️⃣ 3️⃣",
		"12.50", "¥1,299.00", "$100 $200 $300", "100元，200元，300元", "19.99€", "50%", "¥99.9", "1,299.00",
		"5-3", "24.12.25", "5月3日", "１２月２４日", "12/24", "18:30", "from 9:00 to 18:00", "9:00-18:00", "10:30:15", "09：00－21：00",
		"1. apples\n2. pears\n3. plums\n4. nuts\n5. figs\n6. dates\n7. grapes", "第1步，第2步", "5 min, 10 min, 15 min, 20 min",
		"iPhone 15 Pro 256", "m² ㎡ ½", "\xff1\xfe2", "a\u200bb 12\u200b3", "ﬁne № 12", "٣ قطع",
	} {
		if got := Masked.Text(same); got != same {
			t.Errorf("Masked.Text(%q) = %q", same, got)
		}
	}
}

// What is passed over quickly is what the slow way leaves as it is.
func TestText_quickly_isTextSlowly(t *testing.T) {
	pieces := rapid.SampledFrom([]string{
		"你好", "，", "。", "a", "é", " ", "1", "３", "③", "٣", "@", "＠", "﹫", "%40", "&#64;", "&#49;", "％", "＆", "x.example", "例子.中国", "\xe5", "\xff", "\u200b", "한", "ﬁ", "½", "1️⃣", "𝟏",
	})
	rapid.Check(t, func(r *rapid.T) {
		s := strings.Join(rapid.SliceOfN(pieces, 0, 12).Draw(r, "pieces"), "")
		if slow := hideNumbers(hideMail(s)); Masked.Text(s) != slow {
			r.Errorf("Masked.Text(%q) = %q, slowly %q", s, Masked.Text(s), slow)
		}
	})
}

// No character by itself is passed over that could be a part of what is hidden.
func TestText_quickly_seesEveryDigitAndSign(t *testing.T) {
	for r := range rune(0x20000) {
		for _, s := range []string{strings.Repeat(string(r), maxDigits), "li" + string(r) + "x.example"} {
			if slow := hideNumbers(hideMail(s)); Masked.Text(s) != slow {
				t.Errorf("Masked.Text(%q) = %q, slowly %q", s, Masked.Text(s), slow)
			}
		}
	}
}

func TestText_obeysTheMode(t *testing.T) {
	const words = "call 13812345678"
	if got := Full.Text(words); got != words {
		t.Errorf("full: %q", got)
	}
	if got := None.Text(words); got != "" {
		t.Errorf("none: %q", got)
	}
	if got := Mode("").Text(words); got != "call ***" {
		t.Errorf("an unknown mode must mask: %q", got)
	}
}

func TestMark_showsNamesInEveryMode_andWordsAsWords(t *testing.T) {
	for _, c := range []struct {
		mode     Mode
		in, want string
	}{
		{Masked, "fallback", "fallback"},
		{None, "fallback", "fallback"},
		{None, "u13812345678", "u***"},
		{Full, "u13812345678", "u***"},
		{None, "call me", ""},
		{None, "转人工", ""},
		{Masked, "call 13812345678", "call ***"},
		{None, strings.Repeat("a", 65), ""},
		{Full, "call me", "call me"},
	} {
		if got := c.mode.Mark(c.in); got != c.want {
			t.Errorf("%s: Mark(%q) = %q, want %q", c.mode, c.in, got, c.want)
		}
	}
}

// long is a number that must not be seen, in normal form and without what shows
// nothing: written down once more, by other means than the code has.
var long = regexp.MustCompile(`[\p{Nd}\p{No}]{4}|[\p{Nd}\p{No}](?:[^\p{L}\p{Nl}\p{Sc}\p{Nd}\p{No}:]{0,2}[\p{Nd}\p{No}]){6}`)

func seen(r rune) rune {
	if unicode.In(r, unicode.Cf, unicode.Mn, unicode.Me) || unicode.In(r, unicode.Cc) && !unicode.IsSpace(r) {
		return -1
	}
	return r
}

// checkText holds what is true of any text.
func checkText(t interface {
	Fatalf(format string, args ...any)
}, s string,
) {
	got := Masked.Text(s)
	if found := long.FindString(strings.Map(seen, norm.NFKC.String(got))); found != "" {
		t.Fatalf("%q became %q, which shows %q", s, got, found)
	}
	if again := Masked.Text(got); again != got {
		t.Fatalf("masking twice differs: %q, %q", got, again)
	}
	if utf8.ValidString(s) && !utf8.ValidString(got) {
		t.Fatalf("%q became %q: a character was cut", s, got)
	}
	rest := s
	if strings.Contains(s, "*") { // one of ours is not told from one of theirs
		rest = got
	}
	for i, piece := range strings.Split(got, hidden) {
		at := strings.Index(rest, piece)
		if at < 0 || i == 0 && at > 0 {
			t.Fatalf("%q became %q: what is not hidden changed", s, got)
		}
		rest = rest[at+len(piece):]
	}
	if planted := Masked.Text(s + " secret.name＠example.com"); strings.Contains(planted, "name＠example") {
		t.Fatalf("an address shows in %q", planted)
	}
}

func TestText_showsNoLongNumber_howeverItIsWritten(t *testing.T) {
	pieces := rapid.SampledFrom([]string{
		"1", "23", "4", "５", "⑥", "⑫", "❼", "٨", "९", "𝟎", "⑴", "⒈", "½", "㎡", "㏠", "²",
		" ", ",", "、", "_", "*", "·", "-", ".", "/", "\n", "\r\n", "\u200b", "\ufeff", "（", "）", "…", "：", ":", "¥", "元", "a", "@", "＠", "***", "é", "e\u0301", "😀", "\xff",
	})
	rapid.Check(t, func(t *rapid.T) {
		checkText(t, strings.Join(rapid.SliceOfN(pieces, 0, 40).Draw(t, "pieces"), ""))
	})
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"13812345678", "a@b.cn", "1-2-3-4", "@", "\xff1234", "1 2 3 4 5 6 7", "１２３４", "①②③④", "㍘㍘㍘", "ﷺ1234"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkText(t, s) })
}

// processorTime is what this process has used: unlike the clock it does not run while others use the machine.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func TestText_takesTimeInProportion(t *testing.T) {
	for _, unit := range []string{"1", "1 ", "a", "a@", "@", "1,,,", "①", "ﷺ", "\u200b", "1\u200b", "\xff", "a ", "1.2@", "a%40", "a @ ", "@a.", "&#49;", "%", "&"} {
		timeOf := func(n int) time.Duration {
			s := strings.Repeat(unit, n/len(unit))
			best := time.Hour
			for range 3 {
				began := processorTime(t)
				Masked.Text(s)
				best = min(best, processorTime(t)-began)
			}
			return best
		}
		// Eight times as much takes about eight times as long; a square would be 64.
		if small, large := timeOf(1<<12), timeOf(1<<15); large > 32*small+20*time.Millisecond {
			t.Errorf("%q: %s, and %s for eight times as much", unit, small, large)
		}
	}
}
