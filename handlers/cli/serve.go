package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"escalator/bot/rulefile"
	"escalator/handlers/app"
)

// serve runs the service until it is told to stop.
func serve(ctx context.Context, env Env, args []string) error {
	settings, err := loadSettings(args, env.Getenv, env.Stdout)
	if err != nil {
		return err
	}
	ruleFile, err := openRules(env, settings.Rules)
	if err != nil {
		return err
	}
	log, err := app.NewLogger(env.Stderr, settings.LogLevel, settings.LogFormat)
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
	a, err := app.New(settings, ruleFile, log)
	if err != nil {
		return err
	}
	app.CollectSeldom()
	return a.Run(ctx, env.Reload)
}

// openRules reads the rule file for a start: a bad one stops it.
func openRules(env Env, file string) (*rulefile.File, error) {
	f, err := rulefile.Open(file)
	var refused *rulefile.RefusedError
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, &usageError{[]string{fmt.Sprintf("ESCALATOR_RULES: %s does not exist (the one that comes with the program is a good start)", file)}}
	case errors.As(err, &refused):
		refused.Report.Write(env.Stderr, file, refused.Source)
		return nil, exitError(exitUsage)
	default:
		return nil, &usageError{[]string{fmt.Sprintf("ESCALATOR_RULES: %v", err)}}
	}
}
