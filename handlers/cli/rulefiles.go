package cli

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"time"

	"escalator/rules"
	"escalator/rules/replay"
)

// readRules loads the rule file of a command that reads rules. Mistakes are
// printed as check prints them.
func readRules(env Env, file string) (*rules.Policy, error) {
	src, err := os.ReadFile(file) //nolint:gosec // the user names the file
	if err != nil {
		return nil, fmt.Errorf("reading the rule file: %w", err)
	}
	return compile(env, file, src)
}

func compile(env Env, file string, src []byte) (*rules.Policy, error) {
	policy, report := rules.Load(src, rules.LoadOptions{})
	if policy == nil {
		report.Write(env.Stderr, file, src)
		return nil, exitError(exitBad)
	}
	return policy, nil
}

// readRulesOrShipped is readRules, but in a folder without a rule file the one
// that comes with the program is taken.
func readRulesOrShipped(env Env, file string) (*rules.Policy, error) {
	if file == defaultRuleFile {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(env.Stderr, "no %s here: these are the rules that come with the program\n", file)
			return compile(env, file, env.ShippedRules)
		}
	}
	return readRules(env, file)
}

// ruleFile is the rule file of a command that is given none: ESCALATOR_RULES, else
// rules.yaml, as for the service.
func ruleFile(env Env) string {
	if env.Getenv != nil {
		return cmp.Or(env.Getenv("ESCALATOR_RULES"), defaultRuleFile)
	}
	return defaultRuleFile
}

// rulesFlag and atFlag declare the flags that several commands have.
func rulesFlag(fs *flag.FlagSet, env Env) *string {
	return fs.String("rules", ruleFile(env), "rule file; without it ESCALATOR_RULES")
}

func atFlag(fs *flag.FlagSet) *time.Time {
	at := replay.DefaultTime
	fs.Func("at", "time at which it is said, like "+at.Format(time.RFC3339)+" (the default)", func(s string) (err error) {
		if at, err = time.Parse(time.RFC3339, s); err != nil {
			return fmt.Errorf("%q is no time like %s", s, replay.DefaultTime.Format(time.RFC3339))
		}
		return nil
	})
	return &at
}
