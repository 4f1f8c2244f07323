package cli

import (
	"context"
	"flag"
	"io"
	"regexp"
	"strings"

	"escalator/rules/lang"
)

// described is a command with what it takes, for completion and the manual page.
type described struct {
	command
	usage string // one line
	about string // what else its help says; may be empty
	flags []describedFlag
}

// describedFlag is a flag: its value is "" where it takes none.
type describedFlag struct{ name, value, help, def string }

// describeAll describes all commands. Each one declares its flags by itself: nothing here
// can differ from what it takes.
func describeAll(env Env) (all []described) {
	for _, c := range commands() {
		d := described{command: c}
		take := func(fs *flag.FlagSet, usage lang.Text) {
			line, about, _ := strings.Cut(usage.String(), "\n")
			d.usage, d.about = strings.TrimSpace(line), about
			fs.VisitAll(func(f *flag.Flag) { d.flags = append(d.flags, describeFlag(f)) })
		}
		if c.name == "serve" {
			d.usage, d.flags = "[flags]", settingFlags()
		} else {
			_ = c.run(context.Background(), Env{Stdout: io.Discard, Stderr: io.Discard, Getenv: env.Getenv, describe: take}, nil)
		}
		d.flags = append(d.flags, describedFlag{"env-file", "FILE", "read settings from NAME=VALUE lines", ""})
		if c.name != "packs" { // which has a --lang of its own
			d.flags = append(d.flags, describedFlag{"lang", "LANGUAGE", "language of the messages: zh or en", ""})
		}
		all = append(all, d)
	}
	return all
}

// valueNames are what Go calls the values of flags that have no better name.
var valueNames = map[string]string{"string": "VALUE", "value": "VALUE", "int": "N", "uint": "N", "float": "P", "duration": "TIME"}

func describeFlag(f *flag.Flag) describedFlag {
	value, help := flag.UnquoteUsage(f)
	d := describedFlag{f.Name, strings.ToUpper(value), help, f.DefValue}
	if name := valueNames[value]; name != "" {
		d.value = name
	}
	return d
}

func (f *describedFlag) helpWithDefault() lang.Text {
	if f.def == "" || f.def == "false" || f.def == "0" {
		return lang.Raw(f.help)
	}
	return lang.Say("%s (default %s)", f.help, f.def)
}

// paragraphs splits a text of a help into lines as long as they come: those that are set
// in stay as they are, the others are joined.
func paragraphs(about string) (lines []string) {
	joined := false
	for line := range strings.Lines(about) {
		line = strings.TrimSuffix(line, "\n")
		alone := line == "" || line[0] == ' '
		if joined && !alone {
			lines[len(lines)-1] += " " + line
		} else {
			lines = append(lines, line)
		}
		joined = !alone
	}
	return lines
}

// settingFlags are the flags of serve.
func settingFlags() (all []describedFlag) {
	for i := range settingsTable {
		if row := &settingsTable[i]; !row.secret {
			all = append(all, describedFlag{row.flag(), "VALUE", row.help.String(), row.def})
		}
	}
	return all
}

// alternatives are the words of which the arguments of a command name one, such as
// [history|diff|rollback].
var alternatives = regexp.MustCompile(`^\[?([a-z]+(?:\|[a-z]+)+)\]?`)

// words are what may follow the name of a command, nil where that are files.
func (d *described) words() (words []string) {
	if m := alternatives.FindStringSubmatch(d.args.String()); m != nil {
		return strings.Split(m[1], "|")
	}
	if d.name == "help" {
		for _, c := range commands() {
			words = append(words, c.name)
		}
	}
	return words
}

// files says whether a command takes files.
func (d *described) files() bool { return strings.Contains(d.args.String(), "FILE") }

// short is the beginning of a help that fits into a line of a completion.
func short(help string) string {
	short, _, _ := strings.Cut(help, ";")
	short, _, _ = strings.Cut(short, ": ")
	return short
}
