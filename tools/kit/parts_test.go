package kit

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// On a machine that is not CI's, what the tests need beside Go is named with the command that installs it, and nothing is
// installed.
func TestParts_areNamedAndNotInstalled(t *testing.T) {
	script := read(t, root+"/.ci/parts")
	lists := regexp.MustCompile(`(?s)(?:needed|kit)=\((.*?)\)`).FindAllStringSubmatch(script, -1)
	if len(lists) != 2 {
		t.Fatal(".ci/parts has no two lists of parts")
	}
	dir := t.TempDir()
	fake := func(name, body string) { // as little as .ci/parts looks at
		write(t, filepath.Join(dir, name), "#!/bin/sh\n"+body+"\n")
		if err := os.Chmod(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	const present = "while read -r _; do :; done" // the compiler is given a program: who does not read it breaks the pipe
	called := filepath.Join(dir, "called")
	fake("id", "echo 0")
	fake("apt-get", "echo $* >>"+called)
	parts := strings.Fields(lists[0][1] + lists[1][1])
	for _, part := range parts {
		command, _, _ := strings.Cut(part, ":")
		fake(command, present)
	}
	run := func(args ...string) (out string, ok bool) {
		cmd := exec.CommandContext(t.Context(), "/bin/bash", append([]string{root + "/.ci/parts"}, args...)...)
		cmd.Env = []string{"PATH=" + dir}
		text, err := cmd.CombinedOutput()
		return string(text), err == nil
	}
	if out, ok := run("kit"); !ok || out != "" {
		t.Fatalf("with all parts: %q", out)
	}
	for _, part := range parts {
		command, pkg, _ := strings.Cut(part, ":")
		if command == "cc" || exists("/usr/sbin/"+command) { // the compiler's headers; what is looked for there too
			continue
		}
		if err := os.Remove(filepath.Join(dir, command)); err != nil {
			t.Fatal(err)
		}
		want := "sudo apt-get update && sudo apt-get install -y --no-install-recommends " + pkg
		if out, ok := run("kit"); ok || !strings.Contains(out, "parts: missing: "+pkg) || !strings.Contains(out, want) {
			t.Errorf("without %s: %q, want %q", command, out, want)
		}
		// A laptop without systemd runs the tests of the program all the same.
		if _, ok := run(); ok != slices.Contains(strings.Fields(lists[1][1]), part) {
			t.Errorf("without %s make test may begin: %v", command, ok)
		}
		fake(command, present)
	}
	if exists(called) {
		t.Errorf("it has called apt-get: %s", read(t, called))
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
