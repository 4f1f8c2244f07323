package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"escalator/rules/lang"
	"escalator/rules/text"
)

// langFlag is the flag that every command takes. Behind the name of packs it is that command's own.
const langFlag = "--lang"

// withLanguage takes --lang out of the arguments. Without it the language is that of the terminal: LC_ALL, LC_MESSAGES or
// LANG, whichever is set first.
func withLanguage(args []string, env Env) ([]string, Env, error) {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if env.Getenv == nil {
			break
		}
		if value := env.Getenv(name); value != "" {
			env.Lang, _ = lang.Parse(value)
			break
		}
	}
	command := ""
	for i := 0; i < len(args); i++ {
		name, value, assigned := strings.Cut(args[i], "=")
		rest := args[i+1:]
		switch {
		case name == "--" || command == "packs":
			return args, env, nil
		case (name == envFileFlag || name == envFileFlag[1:]) && !assigned:
			i++ // the name of the file
			continue
		case name != langFlag && name != langFlag[1:]:
			if command == "" && !strings.HasPrefix(name, "-") {
				command = name
			}
			continue
		case !assigned && len(rest) > 0:
			value, rest = rest[0], rest[1:]
		}
		l, ok := lang.Parse(value)
		if !ok {
			return args, env, &usageError{[]lang.Text{lang.Say("--lang takes zh or en, not %q", value)}}
		}
		env.Lang = l
		return slices.Concat(args[:i], rest), env, nil
	}
	return args, env, nil
}

// print writes a line, or several, to standard output.
func (e Env) print(format lang.Text, args ...any) { say(e.Stdout, e.Lang, lang.Say(format, args...)) }

// tell writes a line, or several, to standard error.
func (e Env) tell(format lang.Text, args ...any) { say(e.Stderr, e.Lang, lang.Say(format, args...)) }

// say writes a message in a language. What files and customers put into it cannot move the cursor. On a terminal it is
// broken into its lines, but for what is set in: that is to be copied. A file gets lines that can be searched.
func say(w io.Writer, l lang.Language, words lang.Text) {
	columns := terminalOf(w)
	p := &page{env: Env{Stdout: w, Lang: l}, width: max(columns, narrowest)}
	for line := range strings.SplitSeq(words.In(l), "\n") {
		if columns > 0 && !strings.HasPrefix(line, " ") {
			p.line("", lang.Raw(line))
			continue
		}
		fmt.Fprintln(w, strings.TrimRight(text.Printable(line), " "))
	}
}
