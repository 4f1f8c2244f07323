package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"escalator/rules/text"
)

var update = flag.Bool("update", false, "write the golden file of the demo anew")

// What differs from one demo to the next.
var changing = regexp.MustCompile(`\d+ ms|\d+ 毫秒|127\.0\.0\.1:\d+|token=\w+|/\S*escalator-demo-\d+`)

func steady(told string) string {
	return changing.ReplaceAllStringFunc(told, func(found string) string {
		switch {
		case strings.HasSuffix(found, " ms"):
			return "N ms"
		case strings.HasPrefix(found, "token="):
			return "token=TOKEN"
		case strings.HasSuffix(found, " 毫秒"):
			return "N 毫秒"
		case strings.Contains(found, "escalator-demo-"):
			return "FOLDER"
		default:
			return "ADDRESS"
		}
	})
}

const demoGolden = "testdata/demo.golden"

// In an empty folder, without any setting; go test ./handlers/e2e -run TestDemo -update writes its output anew.
func TestDemo_playsItsScriptWithoutAnySetting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ golden, language string }{{demoGolden, "en"}, {"testdata/demo-zh.golden", "zh"}} {
		t.Run(c.language, func(t *testing.T) {
			code, out, errOut := command(t, []string{"COLUMNS=80"}, "demo", "--once", "--lang", c.language)
			if code != 0 || errOut != "" {
				t.Fatalf("exit %d\n%s\n%s", code, out, errOut)
			}
			got := steady(out)
			if *update {
				if err := os.WriteFile(c.golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(c.golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the demo is another one (-golden +now):\n%s", diff)
			}
			if strings.Contains(got, "longer than it should") {
				t.Error("a scene does not end")
			}
			for line := range strings.Lines(out) {
				columns := 0
				for _, r := range strings.TrimSuffix(line, "\n") {
					columns += text.Columns(r)
				}
				if columns > 80 && !strings.Contains(line, "token=") {
					t.Errorf("%d columns: %s", columns, line)
				}
			}
		})
	}
}

// Without --once it serves after the script: what somebody sends by hand is told, until a signal ends it.
func TestDemo_servesOnAfterItsScript(t *testing.T) {
	t.Parallel()
	out, prints := newOutput(t)
	cmd := exec.Command(binary, "demo")
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = t.TempDir(), []string{"HOME=/nonexistent", "COLUMNS=80"}, prints, prints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = prints.Close()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	eventually(t, "the end of the script", func() bool { return strings.Contains(out.String(), "Ctrl-C ends the demo.") })
	want, err := os.ReadFile(demoGolden)
	if err != nil || !strings.HasPrefix(steady(out.String()), string(want)) {
		t.Errorf("the script is another one than with --once (%v):\n%s", err, out)
	}
	panel := regexp.MustCompile(`(http://\S+/panel)#token=(\w+)&sessionid=(\S+)`).FindStringSubmatch(out.String())
	if panel == nil {
		t.Fatalf("no address of the panel:\n%s", out)
	}
	if status, page := request(t, "GET", panel[1], ""); status != 200 || !strings.Contains(page, "<html") {
		t.Errorf("the panel: %d %s", status, page)
	}
	console := regexp.MustCompile(`Console: (http://\S+)/console/#token=(\w+)`).FindStringSubmatch(out.String())
	if console == nil {
		t.Fatalf("no address of the console:\n%s", out)
	}
	if status, page := request(t, "GET", console[1]+"/console/", ""); status != 200 || !strings.Contains(page, "<html") {
		t.Errorf("the console: %d %s", status, page)
	}
	if status, answer := request(t, "GET", console[1]+"/api/rules", ""); status != 401 {
		t.Errorf("without the token: %d %s", status, answer)
	}
	if status, answer := request(t, "POST", console[1]+"/api/session", `{"token":"`+console[2]+`"}`); status != 200 {
		t.Errorf("signing in with the link's token: %d %s", status, answer)
	}
	curl := regexp.MustCompile(`curl -s '(http://[^']+)' -d '([^']+)'`).FindStringSubmatch(out.String())
	if curl == nil {
		t.Fatalf("no command to copy:\n%s", out)
	}
	if status, answer := request(t, "POST", curl[1], curl[2]); status != 200 || !strings.Contains(answer, `"AIProvider":0`) {
		t.Errorf("a message of one's own: %d %s", status, answer)
	}
	eventually(t, "a transfer of one's own", func() bool {
		return strings.Count(out.String(), "a person takes it") > strings.Count(string(want), "a person takes it")
	})
	for _, c := range []struct{ body, told string }{
		{curl[2], "does nothing: li@example.com has the conversation"},
		{strings.Replace(strings.Replace(curl[2], "my-session", "another", 1), "I want a human", "What is new?", 1), "by hand   What is new?   (session another)\n    escalator stays with the bot: no rule holds\n    escalator answers AIProvider 1: Desk's bot is to reply"},
		{"{", "by hand   {   (session -)\n    escalator refuses it: 400, the body is not a JSON object"},
	} {
		request(t, "POST", curl[1], c.body)
		eventually(t, c.told, func() bool { return strings.Contains(out.String(), c.told) })
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the end: %v\n%s", err, out)
	}
	left, _ := os.ReadDir(cmd.Dir)
	if len(left) != 0 {
		t.Errorf("it leaves %v behind", fmt.Sprint(left))
	}
}
