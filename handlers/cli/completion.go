package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"escalator/rules/lang"
)

const completionUsage = `bash|zsh|fish

Prints a script that completes commands and flags in a shell:

  bash  escalator completion bash > /etc/bash_completion.d/escalator
  zsh   escalator completion zsh > "${fpath[1]}/_escalator"
  fish  escalator completion fish > ~/.config/fish/completions/escalator.fish`

// completion prints the completion for a shell.
func completion(_ context.Context, env Env, args []string) error {
	shell, err := oneArgument(newFlags("completion"), env, args, completionUsage)
	if err != nil {
		return err
	}
	write := map[string]func(io.Writer, []described){"bash": completeBash, "zsh": completeZsh, "fish": completeFish}[shell]
	if write == nil {
		return &usageError{[]lang.Text{lang.Say("there is no completion for %q: bash, zsh or fish", shell)}}
	}
	write(env.Stdout, describeAll(env))
	return nil
}

func completeBash(w io.Writer, all []described) {
	fmt.Fprint(w, `# bash completion for escalator
_escalator() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= words= values= files= i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --env-file) ((i++)) ;;
        -*) ;;
        *) command=${COMP_WORDS[i]}; break ;;
        esac
    done
    case $command in
`)
	names := make([]string, len(all))
	for i := range all {
		d := &all[i]
		names[i] = d.name
		var flags, values []string
		for _, f := range d.flags {
			flags = append(flags, dashed(f.name))
			if f.value != "" {
				values = append(values, dashed(f.name))
			}
		}
		fmt.Fprintf(w, "    %s) words=%q values=%q files=%q ;;\n", d.name, strings.Join(append(d.words(), flags...), " "), strings.Join(values, " "), map[bool]string{true: "1"}[d.files()])
	}
	fmt.Fprintf(w, "    *) words=%q values=\"--env-file --lang\" ;;\n    esac\n", strings.Join(names, " ")+" --help --version --env-file --lang")
	fmt.Fprint(w, `    COMPREPLY=()
    if [[ " $values " == *" $prev "* ]]; then
        COMPREPLY=($(compgen -f -- "$cur"))
    else
        COMPREPLY=($(compgen -W "$words" -- "$cur"))
        [[ $files && $cur != -* ]] && COMPREPLY+=($(compgen -f -- "$cur"))
    fi
}
complete -o filenames -o bashdefault -F _escalator escalator
`)
}

// dashed is a flag as it is typed.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

func completeZsh(w io.Writer, all []described) {
	fmt.Fprint(w, "#compdef escalator\n\n_escalator() {\n    local -a commands\n    commands=(\n")
	for i := range all {
		fmt.Fprintf(w, "        %s\n", quoted(all[i].name+":"+strings.ReplaceAll(all[i].summary.String(), ":", `\:`)))
	}
	fmt.Fprint(w, `    )
    if ((CURRENT == 2)); then
        _describe command commands
        return
    fi
    local command=$words[2]
    shift words
    ((CURRENT--))
    case $command in
`)
	escape := strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, ":", `\:`)
	for i := range all {
		d := &all[i]
		specs := []string{}
		for _, f := range d.flags {
			spec := dashed(f.name) + "[" + escape.Replace(short(f.help)) + "]"
			if f.value != "" {
				spec += ":" + escape.Replace(f.value) + ":_files"
			}
			specs = append(specs, quoted(spec))
		}
		switch words := d.words(); {
		case words != nil:
			specs = append(specs, quoted("1:what:("+strings.Join(words, " ")+")"))
		case d.files():
			specs = append(specs, quoted("*:file:_files"))
		}
		fmt.Fprintf(w, "    %s) _arguments %s ;;\n", d.name, strings.Join(specs, " "))
	}
	fmt.Fprint(w, "    esac\n}\n\n_escalator \"$@\"\n")
}

func completeFish(w io.Writer, all []described) {
	fmt.Fprint(w, "# fish completion for escalator\ncomplete -c escalator -f\n")
	for i := range all {
		fmt.Fprintf(w, "complete -c escalator -n __fish_use_subcommand -a %s -d %s\n", all[i].name, fishQuoted(all[i].summary.String()))
	}
	for i := range all {
		d := &all[i]
		when := "complete -c escalator -n '__fish_seen_subcommand_from " + d.name + "'"
		for _, f := range d.flags {
			kind, takes := "-l", ""
			if len(f.name) == 1 {
				kind = "-s"
			}
			if f.value != "" {
				takes = " -r -F"
			}
			fmt.Fprintf(w, "%s %s %s%s -d %s\n", when, kind, f.name, takes, fishQuoted(short(f.help)))
		}
		if words := d.words(); words != nil {
			fmt.Fprintf(w, "%s -a %s\n", when, fishQuoted(strings.Join(words, " ")))
		} else if d.files() {
			fmt.Fprintf(w, "%s -F\n", when)
		}
	}
}

// quoted is a text in the quotes of a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// fishQuoted is quoted for fish, where a backslash escapes between quotes.
func fishQuoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
