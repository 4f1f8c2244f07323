package handlers_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	consoleCall = regexp.MustCompile(`\bt(?:r)?\(`)
	consoleWord = regexp.MustCompile(`^\bt(?:r)?\('((?:[^'\\]|\\.)*)'`)
	consoleHole = regexp.MustCompile(`\{\w+\}`)
)

// consoleWords are the English words of the console's scripts. Each call of t and tr begins with a literal, or no test
// could tell that its Chinese is there.
func consoleWords(t *testing.T) map[string]bool {
	t.Helper()
	words := map[string]bool{}
	err := filepath.WalkDir("console/js", func(path string, f fs.DirEntry, err error) error {
		if err != nil || f.IsDir() || filepath.Base(path) == "words.js" {
			return err
		}
		script, err := os.ReadFile(path)
		for n, line := range strings.Split(string(script), "\n") {
			if code := strings.TrimSpace(line); strings.HasPrefix(code, "//") {
				continue
			}
			for _, at := range consoleCall.FindAllStringIndex(line, -1) {
				word := consoleWord.FindStringSubmatch(line[at[0]:])
				if word == nil {
					t.Errorf("%s:%d: the words of t and tr are a literal in single quotes: %s", path, n+1, line[at[0]:])
					continue
				}
				words[strings.ReplaceAll(word[1], `\'`, `'`)] = true
			}
		}
		return err
	})
	if err != nil || len(words) == 0 {
		t.Fatalf("%d words: %v", len(words), err)
	}
	return words
}

func TestConsole_everyWordHasItsChinese(t *testing.T) {
	file, err := os.ReadFile("console/zh.json")
	if err != nil {
		t.Fatal(err)
	}
	chinese := map[string]string{}
	if err := json.Unmarshal(file, &chinese); err != nil {
		t.Fatal(err)
	}
	words := consoleWords(t)
	for word := range words {
		if chinese[word] == "" {
			t.Errorf("zh.json has no Chinese for %q", word)
		}
	}
	for word, in := range chinese {
		if !words[word] {
			t.Errorf("zh.json has %q, which no script says", word)
		}
		holes, want := consoleHole.FindAllString(in, -1), consoleHole.FindAllString(word, -1)
		slices.Sort(holes)
		slices.Sort(want)
		if !slices.Equal(slices.Compact(holes), slices.Compact(want)) {
			t.Errorf("the Chinese of %q has %v in place of %v", word, holes, want)
		}
	}
}
