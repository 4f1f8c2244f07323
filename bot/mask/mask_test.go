package mask

import (
	"strings"
	"testing"
	"unicode"
)

func TestText_hidesWhatGivesACustomerAway(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"我要转人工", "我要转人工"},
		{"", ""},
		{"订单 20240131998877 没到", "订单 *** 没到"},
		{"call me at 138-1234-5678 please", "call me at *** please"},
		{"电话（86）138 1234 5678。", "电话（86）***。"},
		{"call +86 (138) 1234.5678", "call +***"},
		{"mail li.lei+x@example.com now", "mail *** now"},
		{"邮箱是li@example.com请查", "邮箱是***请查"},
		{"two @ signs @@ here", "two @ signs @@ here"},
		{"3 pieces, 12 euro, 999", "3 pieces, 12 euro, 999"},
		{"１３８１２３４５６７８", "***"},
		{"投诉12315", "投诉***"},
	} {
		if got := Masked.Text(c.in); got != c.want {
			t.Errorf("Masked.Text(%q) = %q, want %q", c.in, got, c.want)
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

func FuzzText(f *testing.F) {
	for _, s := range []string{"13812345678", "a@b.cn", "1-2-3-4", "@", "\xff1234", "1 2 3 4 5", "１２３４"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Masked.Text(s)
		run := 0
		for _, r := range got {
			if run++; !unicode.IsDigit(r) {
				run = 0
			}
			if run >= minDigits {
				t.Fatalf("%q shows a number in %q", s, got)
			}
		}
		if again := Masked.Text(got); again != got {
			t.Fatalf("masking twice differs: %q, %q", got, again)
		}
		if planted := Masked.Text(s + " secret.name@example.com"); strings.Contains(planted, "name@example") {
			t.Fatalf("an address shows in %q", planted)
		}
	})
}
