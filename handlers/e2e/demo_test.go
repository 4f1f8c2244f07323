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
)

var update = flag.Bool("update", false, "write the golden file of the demo anew")

// What differs from one demo to the next.
var changing = regexp.MustCompile(`\d+ ms|127\.0\.0\.1:\d+|token=\w+`)

func steady(told string) string {
	return changing.ReplaceAllStringFunc(told, func(found string) string {
		switch {
		case strings.HasSuffix(found, " ms"):
			return "N ms"
		case strings.HasPrefix(found, "token="):
			return "token=TOKEN"
		default:
			return "ADDRESS"
		}
	})
}

const demoGolden = "testdata/demo.golden"

// In an empty folder, without any setting; go test ./handlers/e2e -run TestDemo -update writes its output anew.
func TestDemo_playsItsScriptWithoutAnySetting(t *testing.T) {
	code, out, errOut := command(t, nil, "demo", "--once")
	if code != 0 || errOut != "" {
		t.Fatalf("exit %d\n%s\n%s", code, out, errOut)
	}
	got := steady(out)
	if *update {
		if err := os.WriteFile(demoGolden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(demoGolden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the demo is another one (-golden +now):\n%s", diff)
	}
	if strings.Contains(got, "longer than it should") {
		t.Error("a scene does not end")
	}
}

// Without --once it serves after the script: what somebody sends by hand is told, until a signal ends it.
func TestDemo_servesOnAfterItsScript(t *testing.T) {
	out, prints := newOutput(t)
	cmd := exec.Command(binary, "demo")
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = t.TempDir(), []string{"HOME=/nonexistent"}, prints, prints
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
	curl := regexp.MustCompile(`curl -s '(http://[^']+)' \\\n +-d '([^']+)'`).FindStringSubmatch(out.String())
	if curl == nil {
		t.Fatalf("no command to copy:\n%s", out)
	}
	if status, answer := request(t, "POST", curl[1], curl[2]); status != 200 || !strings.Contains(answer, `"AIProvider":0`) {
		t.Errorf("a message of one's own: %d %s", status, answer)
	}
	eventually(t, "a transfer of one's own", func() bool {
		return strings.Count(out.String(), "a person takes it") > strings.Count(string(want), "a person takes it")
	})
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
