package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"escalator/rules/text"
)

// countsOfPacks are what changes with the packs, in Chinese.
var countsOfPacks = regexp.MustCompile(`版本 [0-9a-f]{12}|\d+ 条短语，\d+ 种语言|短语 \d+ 条`)

// TestGolden_inBothLanguages compares what people read with testdata/*.en.golden and *.zh.golden.
func TestGolden_inBothLanguages(t *testing.T) {
	explain := []string{"explain", "--rules", "good.yaml"}
	for name, args := range map[string][]string{
		"help":             {"help"},
		"help-explain":     {"help", "explain"},
		"mistakes":         {"check", "mistakes.yaml"},
		"check-good":       {"check", "good.yaml"},
		"test-good":        {"test", "good.yaml"},
		"explain-asks":     append(explain, "我要转人工"),
		"explain-refuses":  append(explain, "先别转人工"),
		"explain-nothing":  append(explain, "你好"),
		"explain-stuck":    append(explain, "user: 怎么改地址", "mark: fallback", "user: 修改地址", "mark: fallback", "user: 地址错了", "mark: fallback"),
		"explain-answered": append(explain, "user: 转人工", "desk: no_agent", "wait: 5m", "user: 转人工"),
		"doctor-settings":  {"doctor"},
		"unknown-command":  {"chek"},
	} {
		for _, language := range []string{"en", "zh"} {
			file := "testdata/language/" + name + "." + language + ".golden"
			t.Run(name+" "+language, func(t *testing.T) {
				t.Chdir("testdata")
				got := countsOfPacks.ReplaceAllString(runIn(t, "", append([]string{"--lang", language}, args...)...).String(), "…")
				t.Chdir("..")
				if *update {
					if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Error(diff)
				}
				if name == "mistakes" { // it shows lines of the file as they are
					return
				}
				for line := range strings.Lines(got) {
					if n := columnsOf(strings.TrimSuffix(line, "\n")); n > usualWidth && !strings.Contains(line, "escalator: ") && !strings.HasPrefix(name, "check") {
						t.Errorf("%d columns: %s", n, line)
					}
					if r := []rune(strings.TrimLeft(line, " ")); strings.ContainsRune("，。；：）", r[0]) && text.Columns(r[0]) == 2 || strings.HasSuffix(line, "（\n") {
						t.Errorf("a line is broken at the wrong sign: %s", line)
					}
				}
			})
		}
	}
}

func TestLanguage_isThatOfTheTerminal_unlessOneIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		args string
		env  map[string]string
		want string // what the output holds
	}{
		{"help", map[string]string{"LANG": "zh_CN.UTF-8"}, "命令："},
		{"help", map[string]string{"LANG": "zh_TW"}, "命令："},
		{"help", map[string]string{"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "Commands:"},
		{"help", map[string]string{"LANG": "de_DE"}, "Commands:"},
		{"help", nil, "Commands:"},
		{"--lang zh help", map[string]string{"LANG": "en_US"}, "命令："},
		{"help --lang=en", map[string]string{"LANG": "zh_CN"}, "Commands:"},
		{"help --lang de", nil, `--lang takes zh or en, not "de"`},
		{"packs thanks --lang ja", map[string]string{"LANG": "zh_CN"}, "ja，来自 rules/packs/ja.yaml"},
		{"--lang zh packs thanks --lang ja", nil, "ja，来自 rules/packs/ja.yaml"},
		{"packs thanks --lang zh", nil, "zh, from rules/packs/zh.yaml"},
	} {
		var out strings.Builder
		Run(t.Context(), strings.Fields(c.args), Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Getenv: func(name string) string { return c.env[name] }})
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("%q with %v: %s", c.args, c.env, out.String())
		}
	}
}

func TestLanguage_ofJSONIsEnglish(t *testing.T) {
	t.Chdir("testdata")
	for _, command := range []string{"check mistakes.yaml --json", "test good.yaml --json", "explain --rules good.yaml --json 转人工"} {
		args := strings.Fields(command)
		if en, zh := runIn(t, "", args...), runIn(t, "", append([]string{"--lang", "zh"}, args...)...); en.stdout != zh.stdout || en.stdout == "" {
			t.Error(cmp.Diff(en.stdout, zh.stdout))
		}
	}
}

// What a lead mistypes, and what the system then says, is told without a word of English but names.
func TestErrors_inChinese_holdNoEnglish(t *testing.T) {
	for want, args := range map[string][]string{
		`--at："25:00" 不是 23:00、`: {"explain", "--at", "25:00", "转人工"},
		`--field："等级" 不是`:        {"explain", "--field", "等级", "转人工"},
		`--n 不能是 "三"`:            {"suggest", "-n", "三", "a.jsonl"},
		"参数需要值：--at":             {"explain", "转人工", "--at"},
		"读取 周一.jsonl：没有这个文件或目录（open 周一.jsonl）": {"eval", "周一.jsonl", "--rules", "testdata/good.yaml"},
		"--env-file：没有这个文件或目录（open 没有.env）":    {"serve", "--env-file", "没有.env"},
		"服务没有响应：连接被拒绝（":                        {"health", "--admin-listen", "127.0.0.1:1"},
		"没有这个测试：\"没有\"；":                       {"explain", "--rules", "testdata/good.yaml", "--test", "没有"},
	} {
		if out := runIn(t, "", append([]string{"--lang", "zh"}, args...)...).String(); !strings.Contains(out, want) {
			t.Errorf("%q: %s\nwithout %s", args, out, want)
		}
	}
}
