package kit

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Somebody who has Go, a clone and an empty folder comes to a first decision of their own with the two commands of
// docs/install.md (the first of which clones), and to a whole service with one more.
func TestNewcomer_isTwoCommandsFromTheFirstOwnDecision(t *testing.T) {
	block := regexp.MustCompile("(?s)## From source.*?```sh[^\n]*\n(.*?)```").FindStringSubmatch(read(t, root+"/docs/install.md"))
	if block == nil {
		t.Fatal("docs/install.md shows no commands")
	}
	commands := strings.Split(strings.TrimSpace(block[1]), "\n")
	if len(commands) != 2 || !strings.HasPrefix(commands[0], "git clone ") {
		t.Fatalf("docs/install.md shows %q", commands)
	}
	dir := clone(t)
	goPlace, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	only := t.TempDir() // a PATH on which there is Go and nothing else
	if err := os.Symlink(goPlace, filepath.Join(only, "go")); err != nil {
		t.Fatal(err)
	}
	environ := []string{"PATH=" + only, "HOME=" + t.TempDir(), "GOFLAGS=-buildvcs=false"}
	for _, cache := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB"} {
		environ = append(environ, cache+"="+strings.TrimSpace(mustRun(t, "go", "env", cache)))
	}
	for command, want := range map[string]string{commands[1]: "→ transfer", "go run . demo --once": "transfer"} {
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", command)
		cmd.Dir, cmd.Env = dir, environ
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, want %q\n%s", command, err, want, out)
		}
	}
}

// clone is a copy of what the program is built from, in an empty folder: what .dockerignore lets in.
func clone(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for line := range strings.Lines(read(t, root+"/.dockerignore")) {
		name, kept := strings.CutPrefix(strings.TrimSpace(line), "!")
		if !kept {
			continue
		}
		matches, err := filepath.Glob(filepath.Join(root, name))
		if err != nil || len(matches) == 0 {
			t.Fatalf(".dockerignore lets in %s, which is not there: %v", name, err)
		}
		for _, from := range matches {
			info, err := os.Stat(from)
			switch {
			case err != nil:
				t.Fatal(err)
			case !info.IsDir():
				write(t, filepath.Join(dir, filepath.Base(from)), read(t, from))
			default:
				if err := os.CopyFS(filepath.Join(dir, filepath.Base(from)), os.DirFS(from)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return dir
}
