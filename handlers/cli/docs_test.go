package cli

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"escalator/rules"
	"escalator/rules/ruletest"
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
	doc := readDoc(t, "docs/rules.md")
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !strings.Contains(doc, "`"+key+"`") && !strings.Contains(doc, "`"+key+":") && !strings.Contains(doc, "`signals."+key+"`") {
			t.Errorf("docs/rules.md does not explain `%s`", key)
		}
	}
}

// TestDocs_everyRuleFile_loadsAndPassesItsTests takes each block that is a
// whole file.
func TestDocs_everyRuleFile_loadsAndPassesItsTests(t *testing.T) {
	for _, name := range []string{"docs/rules.md", "docs/tune.md", "README.md"} {
		files := 0
		for i, block := range strings.Split(readDoc(t, name), "```yaml\n")[1:] {
			src, _, _ := strings.Cut(block, "```")
			if !strings.HasPrefix(src, "version: 1") {
				continue
			}
			files++
			policy, report := rules.Load([]byte(src), rules.LoadOptions{})
			if policy == nil {
				t.Errorf("%s, yaml block %d: %v", name, i+1, report.Errors)
				continue
			}
			for _, test := range ruletest.Run(policy).Tests {
				if !test.OK {
					t.Errorf("%s, yaml block %d: %s: %s", name, i+1, test.Name, test.Message)
				}
			}
		}
		if files == 0 && name != "README.md" {
			t.Errorf("%s holds no whole rule file", name)
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
	for _, name := range []string{
		"README.md", "Dockerfile", "deploy/compose.yaml", "docs/replicas.md", "docs/installations.md", "docs/reliability.md", "docs/security.md", "docs/tune.md",
	} {
		for _, setting := range regexp.MustCompile(`ESCALATOR_[A-Z_]+`).FindAllString(readDoc(t, name), -1) {
			if !known[setting] {
				t.Errorf("%s names %s, which is no setting", name, setting)
			}
		}
	}
}
