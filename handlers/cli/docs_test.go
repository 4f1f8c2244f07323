package cli

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"escalator/bot/rulefile"
	"escalator/rules"
)

func readDoc(t *testing.T, name string) string {
	t.Helper()
	src, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

// schemaKeys collects every key of the language.
func schemaKeys(node any, keys map[string]bool) {
	switch node := node.(type) {
	case map[string]any:
		properties, _ := node["properties"].(map[string]any)
		for key := range properties {
			keys[key] = true
		}
		for _, child := range node {
			schemaKeys(child, keys)
		}
	case []any:
		for _, child := range node {
			schemaKeys(child, keys)
		}
	}
}

func TestDocs_everyKeyOfTheLanguage_isExplained(t *testing.T) {
	var schema any
	if err := json.Unmarshal(rules.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	schemaKeys(schema, keys)
	if len(keys) < 80 {
		t.Fatalf("only %d keys were found in the schema", len(keys))
	}
	for _, page := range []string{"docs/rules.md", "docs/zh/rules.md"} {
		doc := readDoc(t, page)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if !strings.Contains(doc, "`"+key+"`") && !strings.Contains(doc, "`"+key+":") && !strings.Contains(doc, "`signals."+key+"`") {
				t.Errorf("%s does not explain `%s`", page, key)
			}
		}
	}
}

// docBlock is a fenced block of a page: its language, and what stands in it.
var docBlock = regexp.MustCompile("(?ms)^ *```(yaml|csv)\n(.*?)^ *```")

// docFile is the first line of a block that is a file beside the rule file.
var docFile = regexp.MustCompile(`^# ([a-z]+/[a-z]+\.(?:yaml|csv))`)

// wholeFile makes a rule file of a block that shows some of one.
func wholeFile(src string) string {
	switch {
	case strings.HasPrefix(src, "version: 1"):
		return src
	case strings.HasPrefix(src, "targets:"):
		return "version: 1\n" + src
	default:
		return "version: 1\nlists: {small_talk: [=$greeting]}\ntargets: {default: {}}\nrules:\n" + src
	}
}

// TestDocs_everyRule_loadsAndPassesItsTests takes each block of YAML, with the files that the page lays beside it.
func TestDocs_everyRule_loadsAndPassesItsTests(t *testing.T) {
	for name, least := range map[string]int{"docs/rules.md": 15, "docs/tune.md": 3, "docs/panel.md": 1, "README.md": 1, "docs/console.md": 1, "docs/zh/console.md": 1, "README.zh-CN.md": 1, "docs/zh/rules.md": 12, "docs/zh/tune.md": 1} {
		folder := t.TempDir()
		var files []string
		for _, block := range docBlock.FindAllStringSubmatch(readDoc(t, name), -1) {
			beside := docFile.FindStringSubmatch(block[2])
			if beside == nil {
				files = append(files, wholeFile(block[2]))
				continue
			}
			path := filepath.Join(folder, beside[1])
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(block[2]), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		if len(files) < least {
			t.Errorf("%s: only %d rule files were found", name, len(files))
		}
		for _, src := range files {
			policy, report := rulefile.Collect(filepath.Join(folder, "rules.yaml"), []byte(src)).Load(exampleNow)
			if policy == nil {
				t.Errorf("%s: %v in\n%s", name, report.Errors, src)
				continue
			}
			for _, bad := range failures(t, policy) {
				t.Errorf("%s: %s in\n%s", name, bad, src)
			}
		}
	}
}

// docPages are all pages that users read, as paths from the top.
func docPages(t *testing.T) (names []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "docs/*/*/*.md"} {
		found, err := filepath.Glob("../../" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			names = append(names, strings.TrimPrefix(name, "../../"))
		}
	}
	return names
}

// anchors are the names of a page's headings, as GitHub makes them.
func anchors(page string) map[string]bool {
	names := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(page, -1) {
		plain := regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		names[strings.ReplaceAll(plain, " ", "-")] = true
	}
	return names
}

// TestDocs_everyLinkLeadsSomewhere: pages and their sections are moved about.
func TestDocs_everyLinkLeadsSomewhere(t *testing.T) {
	links := 0
	for _, name := range docPages(t) {
		for _, link := range regexp.MustCompile(`(?:\]\(|src=")([^)":\s…]+)[)"]`).FindAllStringSubmatch(readDoc(t, name), -1) {
			links++
			path, anchor, _ := strings.Cut(link[1], "#")
			to := name
			if path != "" {
				to = filepath.Join(filepath.Dir(name), path)
			}
			if _, err := os.Stat("../../" + to); err != nil {
				t.Errorf("%s links to %s: %v", name, link[1], err)
			} else if anchor != "" && !anchors(readDoc(t, to))[anchor] {
				t.Errorf("%s links to %s, which has no such heading", name, link[1])
			}
		}
	}
	if links < 100 {
		t.Errorf("only %d links were found", links)
	}
}

// TestDocs_everyCommandThatIsNamed_exists: whoever is called at night types what the page says.
func TestDocs_everyCommandThatIsNamed_exists(t *testing.T) {
	known := map[string]bool{"help": true}
	for _, c := range commands() {
		known[c.name] = true
	}
	for _, name := range docPages(t) {
		for _, command := range regexp.MustCompile("(?m)(?:`|^)escalator ([a-z]+)").FindAllStringSubmatch(readDoc(t, name), -1) {
			if !known[command[1]] {
				t.Errorf("%s names escalator %s, which is no command", name, command[1])
			}
		}
	}
}

// TestDocs_everySettingThatIsNamed_exists reads what users copy from.
func TestDocs_everySettingThatIsNamed_exists(t *testing.T) {
	known := map[string]bool{}
	for i := range settingsTable {
		known[settingsTable[i].name()] = true
		known[settingsTable[i].name()+"_FILE"] = settingsTable[i].secret
	}
	for _, name := range append(docPages(t), "Dockerfile", "deploy/compose/single.yaml", "deploy/compose/replicas.yaml", "deploy/escalator.env", "deploy/systemd/escalator.service") {
		for _, setting := range regexp.MustCompile(`ESCALATOR_[A-Z_]+`).FindAllString(readDoc(t, name), -1) {
			if !known[setting] {
				t.Errorf("%s names %s, which is no setting", name, setting)
			}
		}
	}
}
