package handlers_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v4"
)

// logged are the messages of the lines that the source writes at level warning or error, by themselves or in a flood,
// and the source. A message of which only the beginning is known ends with "…".
func logged(t *testing.T) (messages []string, source string) {
	t.Helper()
	var text strings.Builder
	for _, root := range []string{"../bot", "."} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && strings.HasSuffix(path, "test"): // plays Desk, or tests stores
				return fs.SkipDir
			case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			src, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text.Write(src)
			if strings.HasPrefix(path, "cli/") && path != "cli/serve.go" { // commands have no log
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, src, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if message := loggedBy(call); message != "" {
						messages = append(messages, message)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(messages)
	return slices.Compact(messages), text.String()
}

// loggedBy is the message that a call writes: that of x.Warn and x.Error, and that of x.Log unless its level is a low one.
func loggedBy(call *ast.CallExpr) string {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 {
		return ""
	}
	last := call.Args[len(call.Args)-1]
	switch method.Sel.Name {
	case "Warn", "Error":
		return beginning(last)
	case "Log":
		if level, ok := call.Args[max(0, len(call.Args)-2)].(*ast.SelectorExpr); !ok || level.Sel.Name != "InfoLevel" && level.Sel.Name != "DebugLevel" {
			return beginning(last)
		}
	case "tell": // File.tell of the rule file, with why
		if text := beginning(call.Args[0]); len(call.Args) == 2 && strings.HasPrefix(text, "rule file ") {
			return text
		}
	}
	return ""
}

// beginning is what is known of a text.
func beginning(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return text
	case *ast.BinaryExpr:
		if text := beginning(e.X); text != "" {
			return strings.TrimSuffix(text, "…") + "…"
		}
	case *ast.Ident:
		return "?" + e.Name
	case *ast.CallExpr:
		return "?call"
	}
	return ""
}

// handedOn are the messages that are no literals where they are written. A new place of that kind is listed under the name
// of its variable, with what it may say.
var handedOn = map[string][]string{
	"?msg":    {"log lines were dropped while the log's reader stalled"}, // and of those whose callers are found: quiet.Lines, File.tell
	"?advice": {"unknown event: ", "unknown callback command: "},
	"?w": {
		"this Redis has no append-only file", "this Redis drops keys when it is full", "the clock here and that of Redis differ",
	},
	"?call": {"ESCALATOR_… is not a setting of this version"},
}

// heading is an entry of the runbook's second part: what the lines begin with.
var heading = regexp.MustCompile("(?m)^#### (.*)$")

// Every line that calls somebody is explained, and nothing is explained that no line says.
func TestRunbook_hasAnEntryForEveryLine(t *testing.T) {
	page, err := os.ReadFile("../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, h := range heading.FindAllStringSubmatch(string(page), -1) {
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(h[1], -1) {
			known = append(known, name[1])
		}
	}
	told := map[string]bool{}
	explained := func(message string) {
		for _, k := range known {
			if begins, open := strings.CutSuffix(k, "…"); k == message || open && strings.HasPrefix(message, begins) {
				told[k] = true
				return
			}
		}
		t.Errorf("docs/runbook.md has no entry for the line %q", message)
	}
	messages, source := logged(t)
	for _, message := range messages {
		says, known := handedOn[message]
		switch {
		case known:
			for _, m := range says {
				if explained(m); !strings.Contains(source, strings.TrimPrefix(m, "ESCALATOR_…")) {
					t.Errorf("no line says %q any more", m)
				}
			}
		case strings.HasPrefix(message, "?"):
			t.Errorf("a line says what stands in %s: list what that may be", message[1:])
		case message != "decision":
			explained(message)
		}
	}
	for _, k := range known {
		if !told[k] {
			t.Errorf("docs/runbook.md explains %q, which no line says", k)
		}
	}
}

// Every alert has its entry under the heading that its link leads to, and no entry lacks its alert.
func TestRunbook_hasAnEntryForEveryAlert(t *testing.T) {
	page, err := os.ReadFile("../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile("../deploy/prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var alerts struct {
		Groups []struct {
			Rules []struct {
				Alert       string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(src, &alerts); err != nil {
		t.Fatal(err)
	}
	entries := map[string]bool{}
	for _, h := range regexp.MustCompile(`(?m)^### (Escalator\w+)$`).FindAllStringSubmatch(string(page), -1) {
		entries[h[1]] = true
	}
	for _, group := range alerts.Groups {
		for _, rule := range group.Rules {
			if rule.Alert == "" {
				continue
			}
			if !entries[rule.Alert] {
				t.Errorf("docs/runbook.md has no entry for the alert %s", rule.Alert)
			}
			delete(entries, rule.Alert)
			if link := "docs/runbook.md#" + strings.ToLower(rule.Alert); rule.Annotations["runbook_url"] != link {
				t.Errorf("%s leads to %s, and not to %s", rule.Alert, rule.Annotations["runbook_url"], link)
			}
		}
	}
	for name := range entries {
		t.Errorf("docs/runbook.md has an entry for %s, which is no alert", name)
	}
}
