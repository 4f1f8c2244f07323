package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// notTried is why a block of commands of a page is not run here, and how many such blocks there are at most. A page
// says it behind the block's language: ```sh notest-root.
var notTried = map[string]int{
	"notest-root":        5, // changes the machine that it is run on
	"notest-engine":      2, // asks docker, kubectl or helm
	"notest-remote":      4, // asks a machine elsewhere
	"notest-source":      5, // compiles in a working copy, which takes minutes
	"notest-redis":       1,
	"notest-placeholder": 6, // holds a value that only its reader has
	"notest-jq":          1, // needs jq, and a log in a file
}

// docShell is a fenced block of commands: the rest of its first line, and what stands in it.
var docShell = regexp.MustCompile("(?ms)^ *```(?:sh|bash|shell|console)\\b([^\n]*)\n(.*?)^ *```")

// pages are all pages that users read.
func pages(t *testing.T) (names []string) {
	t.Helper()
	names, err := filepath.Glob("../../README*.md")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir("../../docs", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			names = append(names, path)
		}
		return err
	})
	if err != nil || len(names) < 15 {
		t.Fatalf("%d pages were found: %v", len(names), err)
	}
	return names
}

// furnish lays into the folder of a service what somebody has there who follows a page: recordings, labelled messages,
// settings, the examples, the alerts and the program.
func furnish(t *testing.T, s *service) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(s.dir, "recordings"), 0o700); err != nil {
		t.Fatal(err)
	}
	for to, from := range map[string]string{
		"recorded.jsonl": "../cli/testdata/callbacks.jsonl", "recordings/1.jsonl": "../cli/testdata/callbacks.jsonl", "labelled.jsonl": "../cli/testdata/labelled.jsonl",
	} {
		src, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(s.dir, to), src, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	settings := fmt.Sprintf("ESCALATOR_SDKAPPID=1400000000\nESCALATOR_SECRET_KEY=%s\nESCALATOR_API_URL=%s\n", testKey.Reveal(), s.desk.URL())
	err := errors.Join(
		os.CopyFS(filepath.Join(s.dir, "docs", "examples"), os.DirFS("../../docs/examples")),
		os.CopyFS(filepath.Join(s.dir, "deploy", "prometheus"), os.DirFS("../../deploy/prometheus")),
		os.WriteFile(filepath.Join(s.dir, "escalator.env"), []byte(settings), 0o600),
		os.Symlink(binary, filepath.Join(s.dir, "escalator")),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// script joins the blocks of a page that can be run, and says where each begins. A request that is refused ends it.
func script(page string, left map[string]int) (commands string, some bool) {
	var b strings.Builder
	b.WriteString("set -eu\ncurl() { command curl --fail-with-body -sS \"$@\"; }\n")
	for _, at := range docShell.FindAllStringSubmatchIndex(page, -1) {
		if why := strings.TrimSpace(page[at[2]:at[3]]); why != "" {
			left[why]++
			continue
		}
		some = true
		fmt.Fprintf(&b, "echo 'line %d:' >&2\n%s", strings.Count(page[:at[0]], "\n")+1, page[at[4]:at[5]])
	}
	return b.String(), some
}

// paste gives the commands to a shell in the folder of a running service.
func paste(t *testing.T, commands string) {
	t.Helper()
	s := startService(t, "ESCALATOR_ADMIN_TOKEN=admin")
	furnish(t, s)
	commands = strings.NewReplacer("http://127.0.0.1:8081", s.admin, "http://127.0.0.1:9090", s.desk.URL(),
		"https://your.host/callback", s.url, "TOKEN=…", "TOKEN="+testToken).Replace(commands)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", commands)
	cmd.Dir, cmd.WaitDelay = s.dir, time.Second
	cmd.Env = []string{
		"PATH=" + s.dir + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + s.dir, "USER=reader", "TOKEN=admin",
		"ESCALATOR_ADMIN_TOKEN=admin", "ESCALATOR_ADMIN_LISTEN=" + strings.TrimPrefix(s.admin, "http://"),
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestDocs_everyBlockOfCommandsRuns plays a reader who pastes all of a page, from top to bottom, into a shell.
func TestDocs_everyBlockOfCommandsRuns(t *testing.T) {
	t.Parallel()
	left, ran := map[string]int{}, 0
	for _, name := range pages(t) {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if commands, some := script(string(src), left); some {
			ran++
			t.Run(strings.TrimPrefix(name, "../../"), func(t *testing.T) { paste(t, commands) })
		}
	}
	if ran < 6 {
		t.Errorf("blocks of only %d pages were run", ran)
	}
	for why, n := range left {
		if n > notTried[why] {
			t.Errorf("%d blocks are marked %q; %d may be", n, why, notTried[why])
		}
	}
}
