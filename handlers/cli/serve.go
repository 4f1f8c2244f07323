package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"escalator/bot/rulefile"
	"escalator/handlers/app"
	"escalator/rules"
	"escalator/rules/lang"
)

// serve runs the service until it is told to stop. Until then a signal ends the process
// at once, whatever hangs. What is wrong is told to standard error for a moment only: who
// reads it may have stalled.
func serve(ctx context.Context, env Env, args []string) error {
	told := &hasty{to: env.Stderr}
	return exitError(exitCode(told, env.Lang, serveUntilStopped(ctx, env, told, args)))
}

func serveUntilStopped(ctx context.Context, env Env, told io.Writer, args []string) error {
	settings, err := loadSettings(args, env)
	if err != nil {
		return err
	}
	app.CollectSeldom() // from here on: reading the rules leaves as much behind as a day
	ruleFile, err := openRules(env.Lang, told, rulefile.Options{
		Path: settings.Rules, Kept: filepath.Join(settings.DataDir, "rules"), LastGood: settings.RulesStart == rulesLastGood,
	})
	if err != nil {
		return err
	}
	settings.Version, settings.Commit = buildVersion()
	settings.Supervisor = supervisor(env.Getenv)
	log, err := app.NewLog(env.Stderr, settings.LogLevel, logFormat(env, settings.LogFormat))
	if err != nil {
		return err
	}
	log.Adopt()
	signal.Ignore(syscall.SIGPIPE) // who reads the log may leave; the service stays
	_, unknown := unknownVariables(env.Environ)
	for _, w := range unknown {
		log.Warn(w.String())
	}
	if len(settings.CallbackTokens) == 0 {
		log.Warn("ESCALATOR_CALLBACK_TOKEN is not set: anyone who knows the callback URL can forge messages; " +
			"set a token in the console and here, or at least put a secret segment into ESCALATOR_CALLBACK_PATH")
	}
	a, err := app.New(settings, ruleFile, log)
	if err == nil {
		ctx, stop := untilSignal(ctx)
		defer stop()
		if a.Run(ctx, env.Reload) != nil {
			err = exitError(exitBad) // the log has it
		}
	}
	flush, cancel := context.WithTimeout(context.Background(), settings.ShutdownGrace/40)
	defer cancel()
	log.Close(flush)
	return err
}

// supervisor reads what systemd tells a service of Type=notify. A watchdog that is meant
// for another process, whose environment was inherited, is none of ours.
func supervisor(getenv func(string) string) app.Supervisor {
	s := app.Supervisor{Socket: getenv("NOTIFY_SOCKET")}
	if pid := getenv("WATCHDOG_PID"); s.Socket != "" && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		usec, _ := strconv.ParseUint(getenv("WATCHDOG_USEC"), 10, 32+10) // some months at most
		s.Watchdog = time.Duration(usec) * time.Microsecond
	}
	return s
}

// logFormat is how the log is written to standard error: for people on a terminal, with
// colours where it wants them.
func logFormat(env Env, setting string) string {
	switch {
	case setting == "json":
		return setting
	case colourful(env, env.Stderr):
		return "color"
	case setting == "auto" && terminalOf(env.Stderr) == 0:
		return "json"
	default:
		return "text"
	}
}

// rulesLastGood is the value of ESCALATOR_RULES_START that goes on with an accepted version.
const rulesLastGood = "last-good"

// openRules reads the rule file for a start: without good rules there is none.
func openRules(l lang.Language, told io.Writer, o rulefile.Options) (*rulefile.File, error) {
	f, err := rulefile.Open(o)
	var refused *rulefile.RefusedError
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, &usageError{[]lang.Text{lang.Say("ESCALATOR_RULES: %s does not exist (the one that comes with the program is a good start)", o.Path)}}
	case errors.As(err, &refused):
		refused.Report.Write(told, l, o.Path, refused.Source)
		err = lang.Errorf("%s", refused.Why)
		for _, t := range refused.Failed {
			say(told, l, lang.Say("%s:%d: test %q: %s", rules.Beside(o.Path, t.File), t.Line, t.Name, t.Message))
		}
	}
	problem := lang.Say("ESCALATOR_RULES: %v", err)
	if o.LastGood {
		problem = lang.Say("%s; and %s holds no accepted version that could be taken instead", problem, o.Kept)
	}
	return nil, &usageError{[]lang.Text{problem}}
}
