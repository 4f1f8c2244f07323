package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"escalator/rules"
)

// serve runs the service until it is told to stop.
func serve(ctx context.Context, env Env, args []string) error {
	settings, err := loadSettings(args, env.Getenv, env.Stdout)
	if err != nil {
		return err
	}
	policy, err := loadRules(env, settings.Rules)
	if err != nil {
		return err
	}
	log, err := newLogger(env.Stderr, settings.LogLevel, settings.LogFormat)
	if err != nil {
		return err
	}
	for _, w := range unknownVariables(env.Environ) {
		log.Warn(w)
	}
	if len(settings.CallbackTokens) == 0 {
		log.Warn("ESCALATOR_CALLBACK_TOKEN is not set: anyone who knows the callback URL can forge messages; " +
			"set a token in the console and here, or at least put a secret segment into ESCALATOR_CALLBACK_PATH")
	}
	app, err := newApp(settings, policy, log)
	if err != nil {
		return err
	}
	return app.serve(ctx)
}

// loadRules reads the rule file for a start: a bad one stops it.
func loadRules(env Env, file string) (*rules.Policy, error) {
	src, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &usageError{[]string{fmt.Sprintf("ESCALATOR_RULES: %s does not exist (the one that comes with the program is a good start)", file)}}
	}
	if err != nil {
		return nil, &usageError{[]string{fmt.Sprintf("ESCALATOR_RULES: %v", err)}}
	}
	policy, report := rules.Load(src, rules.LoadOptions{Now: time.Now()})
	if policy == nil {
		report.Write(env.Stderr, file, src)
		return nil, exitError(exitUsage)
	}
	return policy, nil
}
