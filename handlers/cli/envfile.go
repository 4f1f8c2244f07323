package cli

import (
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"escalator/rules/lang"
)

// maxEnvFile bounds a file of settings.
const maxEnvFile = 1 << 20

// envFileFlag is the flag that every command takes.
const envFileFlag = "--env-file"

// withEnvFile takes --env-file out of the arguments and reads the file. What the
// environment says beats it.
func withEnvFile(args []string, env Env) ([]string, Env, error) {
	file, rest, err := cutEnvFile(args)
	if err != nil || file == "" {
		return rest, env, err
	}
	settings, err := readEnvFile(file)
	if err != nil {
		return rest, env, err
	}
	getenv := env.Getenv
	env.Getenv = func(name string) string {
		if v := getenv(name); v != "" {
			return v
		}
		return settings[name]
	}
	for name := range settings { // the names only: to warn of one that means nothing
		env.Environ = append(slices.Clip(env.Environ), name+"=")
	}
	return rest, env, nil
}

func cutEnvFile(args []string) (file string, rest []string, err error) {
	for i, arg := range args {
		name, value, assigned := strings.Cut(arg, "=")
		switch {
		case arg == "--":
			return "", args, nil
		case name != envFileFlag && name != envFileFlag[1:]:
			continue
		case assigned:
			rest = append(append(rest, args[:i]...), args[i+1:]...)
		case i+1 < len(args):
			value = args[i+1]
			rest = append(append(rest, args[:i]...), args[i+2:]...)
		}
		if value == "" {
			return "", args, &usageError{[]lang.Text{lang.Say("%s takes the name of a file", envFileFlag)}}
		}
		return value, rest, nil
	}
	return "", args, nil
}

// readEnvFile reads NAME=VALUE lines as shells, systemd and docker write them. No
// error shows a value.
func readEnvFile(file string) (map[string]string, error) {
	f, err := os.Open(file) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, &usageError{[]lang.Text{lang.Say("%s: %v", envFileFlag, err)}}
	}
	defer func() { _ = f.Close() }()
	src, err := io.ReadAll(io.LimitReader(f, maxEnvFile+1))
	switch {
	case err != nil:
		return nil, &usageError{[]lang.Text{lang.Say("%s: %v", envFileFlag, err)}}
	case len(src) > maxEnvFile:
		return nil, &usageError{[]lang.Text{lang.Say("%s: %s is larger than %d MiB", envFileFlag, file, maxEnvFile>>20)}}
	}
	settings, line := map[string]string{}, 0
	var problems []lang.Text
	for text := range strings.Lines(strings.TrimPrefix(string(src), "\ufeff")) {
		line++
		name, value, err := envLine(strings.TrimSpace(text))
		switch _, twice := settings[name]; {
		case err != nil:
			problems = append(problems, lang.Say("%s:%d: %v", file, line, err))
		case twice:
			problems = append(problems, lang.Say("%s:%d: %s is set twice", file, line, name))
		case name != "":
			settings[name] = value
		}
	}
	if len(problems) > 0 {
		return nil, &usageError{problems}
	}
	return settings, nil
}

// envLine reads one line; a comment has no name.
func envLine(text string) (name, value string, err error) {
	if text == "" || text[0] == '#' {
		return "", "", nil
	}
	if word, rest, found := strings.Cut(text, " "); found && word == "export" {
		text = strings.TrimSpace(rest)
	}
	name, value, found := strings.Cut(text, "=")
	if !found || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		return "", "", lang.Errorf("this is not NAME=VALUE, without blanks before the =")
	}
	value = strings.TrimSpace(value)
	if value == "" || value[0] != '"' && value[0] != '\'' {
		return name, withoutComment(value), nil
	}
	inner, rest, closed := strings.Cut(value[1:], value[:1])
	if rest = strings.TrimSpace(rest); !closed || rest != "" && rest[0] != '#' {
		return "", "", lang.Errorf("the quotes of %s do not close at its end", name)
	}
	return name, inner, nil
}

// withoutComment cuts a comment that stands behind a value, with a blank before it.
func withoutComment(value string) string {
	for i, r := range value {
		if r == '#' && (i == 0 || value[i-1] == ' ' || value[i-1] == '\t') {
			return strings.TrimSpace(value[:i])
		}
	}
	return value
}
