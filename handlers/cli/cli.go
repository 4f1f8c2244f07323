package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"

	"escalator/handlers/app"
	"escalator/rules"
	"escalator/rules/lang"
)

// Exit codes of all commands (CONTRACT.md 1).
const (
	exitOK    = 0
	exitBad   = 1 // a fault, or "no" as the answer
	exitUsage = 2 // the command line or the configuration cannot be used
)

// Env is the world that a command runs in.
type Env struct {
	Lang           lang.Language // of messages for people
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Environ        []string
	Reload         <-chan os.Signal // each value asks for a reload of the rules
	ShippedRules   []byte           // the rule file that comes with the program

	// describe takes the flags and the usage of a command, which then ends without doing
	// anything; nil: it is to do its work.
	describe func(fs *flag.FlagSet, usage lang.Text)
}

// command is one sub-command.
type command struct {
	name    string
	args    lang.Text
	summary lang.Text
	run     func(ctx context.Context, env Env, args []string) error
}

// commands are all sub-commands, in the order of --help. It is a function
// because help is one of them.
func commands() []command {
	return []command{
		{"serve", "[flags]", "run the service (also: no command)", serve},
		{"demo", "[--once]", "run the service against a built-in Desk, without an account or settings", demo},
		{"desk", "[flags]", "run the Desk emulator alone", runDesk},
		{"check", "[FILE] [--strict] [--json]", "validate a rule file", check},
		{"test", "[FILE] [--json]", "run the tests in a rule file", test},
		{"explain", "TEXT…", "show what a message would do, and why", explain},
		{"replay", "FILE… [--against OLD.yaml]", "run recorded traffic or dialogues through the rules", replayFiles},
		{"eval", "FILE… [--positive LABEL]", "score the rules on labelled messages", eval},
		{"suggest", "FILE… [-n N] [--yaml]", "propose phrases that would have caught what the rules missed", suggestPhrases},
		{"report", "FILE… [--records FILE | --desk]", "show what became of the customers for whom the rules called a person", reportOutcomes},
		{"packs", "[NAME] [--lang LANGUAGE]", "print the built-in phrase packs", listPacks},
		{"schema", "", "print the JSON Schema of rules.yaml", schema},
		{"rules", "[history|diff|rollback]", "show the rules of the running service; history, diff and rollback", liveRules},
		{"mute", "RULE --for TIME --why WHY", "silence a rule of the running service for a while", muteRule},
		{"unmute", "RULE", "end a rule's mute", unmuteRule},
		{"reload", "", "have the running service read its rule file now", reloadRules},
		{"decisions", "[--follow] [flags]", "list the decisions of the running service, or follow them", showDecisions},
		{"conversation", "SESSION", "show what the running service did in a conversation, and why", showConversation},
		{"outbox", "[flags]", "list the transfers of the running service: on their way, and given up", listOutbox},
		{"retry", "SESSION | --code CODE", "retry transfers that were given up", retryTransfer},
		{"dismiss", "SESSION", "end a transfer for good", dismissTransfer},
		{"status", "[--all]", "show the state of the running service: readiness, stores, Desk, clock, settings", showStatus},
		{"drain", "[--for TIME] [--end]", "take the running service out of rotation before it is stopped", drainService},
		{"forget", "USER", "delete what the running service keeps about a user", forgetUser},
		{"notify", "--test TEAM", "send a test message to a staff team", notifyTest},
		{"doctor", "[--json] [--rules FILE]", "check an installation without starting the service", doctor},
		{"health", "", "check that the running service is alive", health},
		{"completion", "bash|zsh|fish", "print a shell completion script", completion},
		{"man", "", "print the manual page", man},
		{"version", "", "print version, commit and Go version", version},
		{"help", "[COMMAND]", "print this help, or that of a command", help},
	}
}

// exitError ends a command with a code and without a message of its own: what
// there was to say has been printed.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// Run runs the command that args name and returns the exit code.
func Run(ctx context.Context, args []string, env Env) int {
	out := &output{Writer: env.Stdout}
	env.Stdout = out
	args, env, err := withLanguage(args, env)
	if err == nil {
		err = runCommand(ctx, args, env)
	}
	code := exitCode(env.Stderr, env.Lang, err)
	switch err := out.failure(); {
	case err == nil || code != exitOK:
	case errors.Is(err, syscall.EPIPE): // who closed it knows
		return exitBad
	default:
		return exitCode(env.Stderr, env.Lang, lang.Errorf("the output is incomplete: %w", err))
	}
	return code
}

func runCommand(ctx context.Context, args []string, env Env) error {
	args, env, err := withEnvFile(args, env)
	if err != nil {
		return err
	}
	name := "serve"
	if len(args) > 0 {
		switch args[0] {
		case "-h", "-help", "--help":
			name, args = "help", args[1:]
		case "-v", "-version", "--version":
			name, args = "version", args[1:]
		default:
			if !strings.HasPrefix(args[0], "-") {
				name, args = args[0], args[1:]
			}
		}
	}
	c, err := findCommand(name)
	if err != nil {
		return err
	}
	return c.run(ctx, env, args)
}

// findCommand finds a command by its name.
func findCommand(name string) (*command, error) {
	var names []string
	for _, c := range commands() {
		if c.name == name {
			return &c, nil
		}
		names = append(names, c.name)
	}
	if guess := rules.DidYouMean(name, names); guess != "" {
		return nil, &usageError{[]lang.Text{lang.Say("unknown command %q: %s (escalator --help lists the commands)", name, guess)}}
	}
	return nil, &usageError{[]lang.Text{lang.Say("unknown command %q (escalator --help lists the commands)", name)}}
}

// exitCode prints an error the way its kind asks for.
func exitCode(w io.Writer, l lang.Language, err error) int {
	var code exitError
	var usage *usageError
	var setting *app.SettingError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		for _, p := range usage.problems {
			complain(w, l, p)
		}
		return exitUsage
	case errors.As(err, &setting):
		complain(w, l, lang.Of(err))
		return exitUsage
	default:
		complain(w, l, lang.Of(err))
		return exitBad
	}
}

// complain prints what is wrong. It may quote a file, or an argument.
func complain(w io.Writer, l lang.Language, problem lang.Text) {
	say(w, l, lang.Say("escalator: %s", problem))
}

// help prints the commands, or what one of them takes.
func help(ctx context.Context, env Env, args []string) error {
	rest, err := parse(newFlags("help"), env, args, "[COMMAND]")
	if err != nil {
		return err
	}
	switch len(rest) {
	case 0:
	case 1:
		c, err := findCommand(rest[0])
		if err != nil {
			return err
		}
		return c.run(ctx, env, []string{"--help"})
	default:
		return &usageError{[]lang.Text{lang.Say("%s takes one %s (escalator %s --help)", "help", "COMMAND", "help")}}
	}
	p := newPage(env)
	p.line("", "Escalator hands chatbot conversations on Tencent Cloud Desk over to a person when its rules say so.")
	p.blank()
	p.line("", "Commands:")
	for _, c := range commands() {
		p.line(lang.Raw(padded("  "+c.name, 16)), c.summary)
	}
	p.blank()
	p.line("", "escalator help COMMAND shows the help of a command. Settings are environment variables, or lines of a file (--env-file FILE); escalator help serve lists them.")
	return nil
}

// parse reads the flags of a command, which fs declares, and what else there
// is. Flags may stand before, between and after the other arguments, but not
// after "--".
func parse(fs *flag.FlagSet, env Env, args []string, usage lang.Text) (rest []string, err error) {
	fs.SetOutput(io.Discard)
	if env.describe != nil {
		env.describe(fs, usage)
		return nil, flag.ErrHelp
	}
	for {
		err = fs.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			printUsage(env, fs, usage)
			return nil, err
		}
		if err != nil {
			return nil, &usageError{[]lang.Text{lang.Say("%s (escalator %s --help)", flagError(fs, err), fs.Name())}}
		}
		if done := len(args) - fs.NArg(); fs.NArg() == 0 || done > 0 && args[done-1] == "--" {
			return append(rest, fs.Args()...), nil
		}
		rest = append(rest, fs.Arg(0))
		args = fs.Args()[1:]
	}
}

// invalidValue is what the package flag says of a value: the value, the flag, and what its Set returned, as words only.
var invalidValue = regexp.MustCompile(`^invalid (?:boolean )?value ("(?:[^"\\]|\\.)*") for (?:flag )?-([a-z-]+): (.*)$`)

// flagError says what is wrong with a flag, and what was meant where that can be guessed.
func flagError(fs *flag.FlagSet, err error) lang.Text {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		if name, ok := strings.CutPrefix(err.Error(), "flag needs an argument: -"); ok {
			return lang.Say("flag needs an argument: --%s", name)
		}
		if m := invalidValue.FindStringSubmatch(err.Error()); m != nil {
			if m[3] == "parse error" || m[3] == "value out of range" {
				return lang.Say("--%s cannot be %s", m[2], m[1])
			}
			return lang.Say("--%s: %s", m[2], lang.Recognize(m[3]))
		}
		return lang.Of(err)
	}
	name = dashed(strings.TrimPrefix(name, "-"))
	var names []string
	fs.VisitAll(func(f *flag.Flag) { names = append(names, dashed(f.Name)) })
	return joinSome(": ", lang.Say("there is no flag %s", name), rules.DidYouMean(name, names))
}

// printUsage prints what a command takes.
func printUsage(env Env, fs *flag.FlagSet, usage lang.Text) {
	p := newPage(env)
	line, about, _ := strings.Cut(p.in(usage), "\n")
	p.hang("", 4, lang.Say("Usage: escalator %s %s", fs.Name(), line))
	for _, l := range paragraphs(about) {
		indent := 0
		if blanks := len(l) - len(strings.TrimLeft(l, " ")); blanks > 0 {
			indent = blanks + 2
		}
		p.hang("", indent, lang.Raw(l))
	}
	fs.VisitAll(func(f *flag.Flag) {
		f.Usage = p.in(lang.Key(f.Usage))
		d := describeFlag(f)
		p.line("", lang.Raw(strings.TrimRight("  "+dashed(d.name)+" "+d.value, " ")))
		p.line("      ", d.helpWithDefault())
	})
}

// flagsOnly is parse for a command that takes flags only: what else there is
// was meant for something, and is not passed over in silence.
func flagsOnly(fs *flag.FlagSet, env Env, args []string, usage lang.Text) error {
	rest, err := parse(fs, env, args, usage)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return &usageError{[]lang.Text{lang.Say("%s takes no argument, but was given %q (escalator %s --help)", fs.Name(), rest[0], fs.Name())}}
	}
	return nil
}

// oneArgument is parse for a command that takes exactly one argument.
func oneArgument(fs *flag.FlagSet, env Env, args []string, usage lang.Text) (string, error) {
	rest, err := parse(fs, env, args, usage)
	if err != nil {
		return "", err
	}
	if len(rest) != 1 {
		what := strings.Fields(usage.String())[0]
		return "", &usageError{[]lang.Text{lang.Say("%s takes one %s (escalator %s --help)", fs.Name(), what, fs.Name())}}
	}
	return rest[0], nil
}

func newFlags(name string) *flag.FlagSet { return flag.NewFlagSet(name, flag.ContinueOnError) }
