package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"escalator/bot/rulefile"
	"escalator/handlers/app"
)

// serve runs the service until it is told to stop.
func serve(ctx context.Context, env Env, args []string) error {
	settings, err := loadSettings(args, env.Getenv, env.Stdout)
	if err != nil {
		return err
	}
	ruleFile, err := openRules(env, rulefile.Options{
		Path: settings.Rules, Kept: filepath.Join(settings.DataDir, "rules"), LastGood: settings.RulesStart == rulesLastGood,
	})
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

// rulesLastGood is the value of ESCALATOR_RULES_START that goes on with an accepted version.
const rulesLastGood = "last-good"

// openRules reads the rule file for a start: without good rules there is none.
func openRules(env Env, o rulefile.Options) (*rulefile.File, error) {
	f, err := rulefile.Open(o)
	var refused *rulefile.RefusedError
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, &usageError{[]string{fmt.Sprintf("ESCALATOR_RULES: %s does not exist (the one that comes with the program is a good start)", o.Path)}}
	case errors.As(err, &refused):
		refused.Report.Write(env.Stderr, o.Path, refused.Source)
		err = errors.New(refused.Why)
		for _, t := range refused.Failed {
			fmt.Fprintf(env.Stderr, "%s:%d: test %q: %s\n", o.Path, t.Line, t.Name, t.Message)
		}
	}
	problem := fmt.Sprintf("ESCALATOR_RULES: %v", err)
	if o.LastGood {
		problem += "; and " + o.Kept + " holds no accepted version that could be taken instead"
	}
	return nil, &usageError{[]string{problem}}
}
