package cli

import (
	"context"

	"escalator/rules"
	"escalator/rules/ruletest"

	"escalator/rules/lang"
)

// test runs the tests that a rule file holds.
func test(ctx context.Context, env Env, args []string) error {
	fs := newFlags("test")
	asJSON := fs.Bool("json", false, "print one JSON document")
	rest, err := parse(fs, env, args, "[FILE] [--json]")
	if err != nil {
		return err
	}
	file, err := oneFile(env, rest)
	if err != nil {
		return err
	}
	policy, err := readRules(env, file)
	if err != nil {
		return err
	}
	report, err := ruletest.Run(ctx, policy)
	if err != nil {
		return err
	}
	if *asJSON {
		err = writeJSON(env.Stdout, report)
	} else {
		writeTests(env, file, report)
	}
	if err == nil && report.Failed > 0 {
		err = exitError(exitBad)
	}
	return err
}

// writeTests prints what went wrong, what is known to be missing, and the sum.
func writeTests(env Env, file string, report ruletest.Report) {
	p := newPage(env)
	for _, t := range report.Tests {
		switch {
		case !t.OK:
			p.line("FAIL  ", lang.Say("%s:%d: %s", rules.Beside(file, t.File), t.Line, t.Name))
			p.line("      ", t.Message)
		case t.Todo:
			p.line("todo  ", lang.Say("%s:%d: %s", rules.Beside(file, t.File), t.Line, t.Name))
			p.line("      ", t.Message)
		default:
			p.line("ok    ", lang.Raw(t.Name))
		}
	}
	p.line("", lang.Say("%s: %d passed, %d failed", file, report.Passed, report.Failed))
	if len(report.Tests) == 0 {
		p.line("", "the file has no tests: write some under `tests:`, one that fires and one that stays silent for each rule")
	}
}
