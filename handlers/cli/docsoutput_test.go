package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// docShown is a block of a Chinese page that is a file of the reader's folder (```yaml rules.yaml) or shows what a command
// prints there (```text, and "$ escalator …" as its first line).
var docShown = regexp.MustCompile("(?ms)^ *```(\\S+)([^\n]*)\n(.*?)^ *```")

// docWords are the arguments of a line of a shell, in which double quotes alone are used.
var docWords = regexp.MustCompile(`"[^"]*"|\S+`)

// wantOutput is the output that a page shows, as a pattern: a line that is … stands for any number of lines.
func wantOutput(shown string) *regexp.Regexp {
	pattern := regexp.QuoteMeta(strings.TrimRight(shown, "\n"))
	pattern = regexp.MustCompile(`(?m)^…\n`).ReplaceAllString(pattern, `(?:.*\n)*?`)
	pattern = regexp.MustCompile(`(?m)\n…$`).ReplaceAllString(pattern, `(?:\n.*)*?`)
	return regexp.MustCompile(`\A` + pattern + `\s*\z`)
}

// lay writes a file of the page, or puts a part of one below the key that stands behind the name: rules.yaml#tests. The
// first part leaves the whole file behind as rules.old.yaml, which a page that changes it tells its reader to do.
func lay(t *testing.T, name, content string) {
	t.Helper()
	name, key, isPart := strings.Cut(name, "#")
	if isPart {
		src, err := os.ReadFile(name)
		before, after, ok := strings.Cut(string(src), "\n"+key+":\n")
		if err != nil || !ok {
			t.Fatalf("%s has no line %s: %v", name, key, err)
		}
		if _, err := os.Stat("rules.old.yaml"); err != nil {
			lay(t, "rules.old.yaml", string(src))
		}
		content = before + "\n" + key + ":\n" + content + after
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDocs_chinesePages_showWhatCommandsPrint plays a reader in an empty folder who makes the page's files and types its commands.
func TestDocs_chinesePages_showWhatCommandsPrint(t *testing.T) {
	for name, least := range map[string]int{"README.zh-CN.md": 1, "docs/zh/tune.md": 10} {
		t.Run(name, func(t *testing.T) {
			page, shipped := readDoc(t, name), readDoc(t, "rules.yaml")
			t.Chdir(t.TempDir())
			if err := os.WriteFile("rules.yaml", []byte(shipped), 0o600); err != nil {
				t.Fatal(err)
			}
			commands := 0
			for _, block := range docShown.FindAllStringSubmatch(page, -1) {
				if file := strings.TrimSpace(block[2]); strings.Contains(file, ".") {
					lay(t, file, block[3])
				}
				line, shown, ok := strings.Cut(block[3], "\n")
				line, typed := strings.CutPrefix(line, "$ escalator ")
				if !ok || !typed || block[1] != "text" || strings.Contains(block[2], "service") {
					continue
				}
				commands++
				args := []string{"--lang", "zh"}
				for _, word := range docWords.FindAllString(line, -1) {
					args = append(args, strings.Trim(word, `"`))
				}
				r := runIn(t, "", args...)
				got, want := countsOfPacks.ReplaceAllString(r.stdout+r.stderr, "?"), countsOfPacks.ReplaceAllString(shown, "?")
				if !wantOutput(want).MatchString(got) {
					t.Errorf("escalator %s: the page shows (-), and it prints (+)\n%s", line, cmp.Diff(want, got))
				}
			}
			if commands < least {
				t.Errorf("only %d commands with their output were found", commands)
			}
		})
	}
}
