package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf16"

	"escalator/bot/rulefile"
	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/text"
)

// defaultRuleFile is what commands read when they are given no file.
const defaultRuleFile = "rules.yaml"

// check validates a rule file: all errors at once, then warnings, then what it
// holds.
func check(_ context.Context, env Env, args []string) error {
	fs := newFlags("check")
	strict := fs.Bool("strict", false, "warnings count as errors")
	asJSON := fs.Bool("json", false, "print one JSON document")
	rest, err := parse(fs, env, args, "[FILE] [--strict] [--json]")
	if err != nil {
		return err
	}
	file, err := oneFile(env, rest)
	if err != nil {
		return err
	}
	src, err := readSource(env, file)
	if err != nil {
		return lang.Errorf("reading the rule file: %w", err)
	}
	set := rulefile.Collect(file, src)
	policy, report := set.Load(time.Now())
	ok := policy != nil && (!*strict || len(report.Warnings) == 0)
	if *asJSON {
		err = writeJSON(env.Stdout, checkResult{OK: ok, Errors: orEmpty(report.Errors), Warnings: orEmpty(report.Warnings)})
	} else {
		report.Write(env.Stdout, env.Lang, file, set.Files)
		if policy != nil {
			writeSummary(env, file, policy)
		}
	}
	if err == nil && !ok {
		err = exitError(exitBad)
	}
	return err
}

// checkResult is what --json prints.
type checkResult struct {
	OK       bool            `json:"ok"`
	Errors   []rules.Problem `json:"errors"`
	Warnings []rules.Problem `json:"warnings"`
}

// oneFile returns the file that a command was given, or the one that the service reads.
func oneFile(env Env, rest []string) (string, error) {
	switch len(rest) {
	case 0:
		return ruleFile(env), nil
	case 1:
		return rest[0], nil
	default:
		return "", &usageError{[]lang.Text{lang.Say("one file at a time, not %d", len(rest))}}
	}
}

// writeSummary tells what a good file was understood to say.
func writeSummary(env Env, file string, p *rules.Policy) {
	s := p.Summary()
	env.print("%s: ok, version %s", file, p.Version())
	env.print("  mode %s; rules %d (enforce %d, shadow %d, off %d), tests %d", s.Mode, s.Rules, s.Enforcing, s.Shadow, s.Off, s.Tests)
	env.print("  targets %d, routes %d, lists %d, calendars %d, phrases %d", s.Targets, s.Routes, s.Lists, s.Calendars, s.Phrases)
	if s.Files > 1 {
		env.print("  read from %d files", s.Files)
	}
	for _, pack := range s.Packs {
		line := lang.Text("  pack $%s: %d phrases in %d languages")
		if pack.Changed {
			line = "  pack $%s: %d phrases in %d languages, changed by this file"
		}
		env.print(line, pack.Name, pack.Phrases, len(pack.Languages))
	}
}

// writeJSON prints one indented document. What a terminal would obey is escaped in its strings too: JSON itself asks
// for that with the oldest control characters only.
func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return lang.Errorf("printing JSON: %w", err)
	}
	var out strings.Builder
	for _, r := range b.String() {
		if r == '\n' || text.Printable(string(r)) == string(r) {
			out.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&out, `\u%04x`, unit)
		}
	}
	if _, err := io.WriteString(w, out.String()); err != nil {
		return lang.Errorf("printing JSON: %w", err)
	}
	return nil
}

// orEmpty makes an absent list print as [] and not as null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
