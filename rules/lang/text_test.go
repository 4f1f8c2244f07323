package lang

import (
	"encoding/json"
	"errors"
	"io"
	"testing"
)

func TestMain(m *testing.M) {
	chinese = func() map[string]string {
		return map[string]string{
			"rule %s holds":       "规则 %s 命中",
			"%d of %s: %s":        "%[2]s：%[3]s，第 %[1]d 个",
			"nobody":              "没有人",
			", ":                  "、",
			"100%":                "百分之百",
			"%d%% of %s":          "%[2]s 的 %[1]d%%",
			"reading %s: %w":      "读取 %s 时出错：%w",
			"it is too large":     "太大",
			"not %s":              "不是%s",
			"%s lacks %s":         "%s缺少%s的值",
			"%[1]s: %[2]s":        "%[2]s（%[1]s）",
			"permission denied":   "没有权限",
			"code of %s: %d (%s)": "%s 的错误码 %d（%s）",
		}
	}
	m.Run()
}

func TestText_isReadInEveryLanguage(t *testing.T) {
	for name, c := range map[string]struct {
		text   Text
		en, zh string
	}{
		"a constant":               {"nobody", "nobody", "没有人"},
		"a constant with a %":      {"100%", "100%", "百分之百"},
		"a value":                  {Say("rule %s holds", "nobody"), "rule nobody holds", "规则 nobody 命中"},
		"values in another order":  {Say("%d of %s: %s", 3, "a", Text("nobody")), "3 of a: nobody", "a：没有人，第 3 个"},
		"a text within a text":     {Say("rule %s holds", Say("rule %s holds", "x")), "rule rule x holds holds", "规则 规则 x 命中 命中"},
		"a %":                      {Say("%d%% of %s", 5, "us"), "5% of us", "us 的 5%"},
		"a list":                   {Join(", ", "nobody", Raw("nobody")), "nobody, nobody", "没有人、nobody"},
		"a list of one":            {List(", ", "a"), "a", "a"},
		"no list":                  {Join(", "), "", ""},
		"nothing":                  {"", "", ""},
		"raw words":                {Raw("nobody"), "nobody", "nobody"},
		"what is not translated":   {Say("a %q", "b"), `a "b"`, `a "b"`},
		"a format's digits":        {Say("%.2f %05d", 1.5, 42), "1.50 00042", "1.50 00042"},
		"a name beside Chinese":    {Say("not %s", "Desk"), "not Desk", "不是 Desk"},
		"a figure beside Chinese":  {Say("%s lacks %s", "`then`", "2"), "`then` lacks 2", "`then` 缺少 2 的值"},
		"Chinese beside Chinese":   {Say("not %s", Text("nobody")), "not nobody", "不是没有人"},
		"what the system says":     {Say("reading %s: %w", "a", errors.New("open a: permission denied")), "reading a: open a: permission denied", "读取 a 时出错：没有权限（open a）"},
		"what nobody knows":        {Of(errors.New("open a: so what")), "open a: so what", "open a: so what"},
		"values like its own form": {Say("rule %s holds", "3:a\x01\x02"), "rule 3:a\x01\x02 holds", "规则 3:a\x01\x02 命中"},
	} {
		if en, zh := c.text.String(), c.text.In(Chinese); en != c.en || zh != c.zh {
			t.Errorf("%s: %q, %q; want %q, %q", name, en, zh, c.en, c.zh)
		}
	}
}

func TestText_inJSONIsEnglish(t *testing.T) {
	type answer struct {
		Message Text `json:"message"`
		Hint    Text `json:"hint,omitempty"`
	}
	out, err := json.Marshal(answer{Message: Say("rule %s holds", "a")})
	if err != nil || string(out) != `{"message":"rule a holds"}` {
		t.Fatal(string(out), err)
	}
	var back answer
	if err := json.Unmarshal(out, &back); err != nil || back.Message.In(Chinese) != "rule a holds" {
		t.Error(back, err)
	}
}

func TestErrorf_isReadInEveryLanguage_andHoldsWhatItWraps(t *testing.T) {
	large := Errorf("it is too large")
	err := Errorf("reading %s: %w", "a.csv", large)
	if err.Error() != "reading a.csv: it is too large" || !errors.Is(err, large) {
		t.Error(err)
	}
	if zh := Of(err).In(Chinese); zh != "读取 a.csv 时出错：太大" {
		t.Error(zh)
	}
	if zh := Of(Errorf("reading %s: %w", "a.csv", io.EOF)).In(Chinese); zh != "读取 a.csv 时出错：EOF" {
		t.Error(zh)
	}
	if got := Of(io.EOF).In(Chinese); got != "EOF" {
		t.Error(got)
	}
	if got := Of(nil); got != "" {
		t.Error(got)
	}
}

func TestParse(t *testing.T) {
	for name, want := range map[string]Language{"zh": Chinese, "zh_CN.UTF-8": Chinese, "zh-TW": Chinese, "ZH": Chinese, "zh@pinyin": Chinese, "en_US": English, "C": English, "C.UTF-8": English, "POSIX": English} {
		if l, ok := Parse(name); l != want || !ok {
			t.Errorf("%s: %v %v", name, l, ok)
		}
	}
	for _, name := range []string{"", "de", "zhang", "fr_FR.UTF-8", "."} {
		if l, ok := Parse(name); l != English || ok {
			t.Errorf("%s: %v %v", name, l, ok)
		}
	}
}

func TestAccepted(t *testing.T) {
	for header, want := range map[string]Language{
		"": English, "zh": Chinese, "zh-CN,zh;q=0.9,en;q=0.8": Chinese, "en-US,en;q=0.9,zh;q=0.8": English,
		"de,zh;q=0.5": Chinese, "de": English, "en;q=0.2, zh;q=0.3": Chinese, "zh;q=0": English, "zh;q=x": English, "*": English,
	} {
		if got := Accepted(header); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

func TestReadPO(t *testing.T) {
	got := readPO("# a comment\nmsgid \"\"\nmsgstr \"head\"\n\nmsgid \"a \\\"b\\\"\"\nmsgstr \"甲\"\n\nmsgid \"\"\n\"two \"\n\"lines\\n\"\nmsgstr \"\"\n\"两\"\n\"行\"\n")
	if len(got) != 2 || got[`a "b"`] != "甲" || got["two lines\n"] != "两行" {
		t.Errorf("%q", got)
	}
}

func TestText_toAReader_staysAsItIs(t *testing.T) {
	text := Say("rule %s holds", "a")
	if en, zh := text.To(English), text.To(Chinese); en != text || zh.String() != "规则 a 命中" || zh.In(Chinese) != "规则 a 命中" || Text("").To(Chinese) != "" {
		t.Error(en, zh)
	}
}
