package cli

import (
	"cmp"
	"errors"
	"flag"
	"io/fs"
	"time"

	"escalator/bot/rulefile"
	"escalator/rules"
	"escalator/rules/lang"
)

// readRules loads the rule file of a command that reads rules. Mistakes are
// printed as check prints them.
func readRules(env Env, file string) (*rules.Policy, error) {
	src, err := readSource(env, file)
	if err != nil {
		return nil, lang.Errorf("reading the rule file: %w", err)
	}
	_, policy, err := compile(env, file, src)
	return policy, err
}

// compile loads a rule file with what it takes in.
func compile(env Env, file string, src []byte) (set rules.Set, policy *rules.Policy, err error) {
	set = rulefile.Collect(file, src)
	policy, report := set.Load(time.Time{})
	if policy == nil {
		report.Write(env.Stderr, env.Lang, file, set.Files)
		return set, nil, exitError(exitBad)
	}
	return set, policy, nil
}

// readRulesOrShipped is readRules, but in a folder without a rule file the one
// that comes with the program is taken.
func readRulesOrShipped(env Env, file string) (*rules.Policy, error) {
	_, policy, err := ruleSetOrShipped(env, file)
	return policy, err
}

// ruleSetOrShipped is readRulesOrShipped for who needs the files too.
func ruleSetOrShipped(env Env, file string) (set rules.Set, policy *rules.Policy, err error) {
	src, err := readSource(env, file)
	if file == defaultRuleFile && errors.Is(err, fs.ErrNotExist) {
		env.tell("no %s here: these are the rules that come with the program", file)
		src, err = env.ShippedRules, nil
	}
	if err != nil {
		return set, nil, lang.Errorf("reading the rule file: %w", err)
	}
	return compile(env, file, src)
}

// ruleFile is the rule file of a command that is given none: ESCALATOR_RULES, else
// rules.yaml, as for the service.
func ruleFile(env Env) string {
	if env.Getenv != nil {
		return cmp.Or(env.Getenv("ESCALATOR_RULES"), defaultRuleFile)
	}
	return defaultRuleFile
}

// rulesFlag declares the flag for the rule file.
func rulesFlag(fs *flag.FlagSet, env Env) *string {
	return fs.String("rules", ruleFile(env), "rule file; without it ESCALATOR_RULES")
}
