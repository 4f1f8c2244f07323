package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
)

const manUsage = `

Prints the manual page escalator(1): escalator man | man -l -`

// man prints the manual page.
func man(_ context.Context, env Env, args []string) error {
	if err := flagsOnly(newFlags("man"), env, args, manUsage); err != nil {
		return err
	}
	version, _ := buildVersion()
	r := &roff{env.Stdout}
	fmt.Fprintf(r.w, ".TH ESCALATOR 1 \"\" %s \"User Commands\"\n", roffQuoted("escalator "+version))
	r.section("NAME", "escalator \\- takes chatbot conversations on Tencent Cloud Desk to a person")
	r.section("SYNOPSIS", "")
	r.macro(".B", "escalator")
	r.text("[\\-\\-env\\-file FILE] [\\-\\-lang LANGUAGE] [COMMAND] [flags] [arguments]")
	r.section("DESCRIPTION", "")
	r.text(roffText("Escalator watches the conversations of a chatbot on Tencent Cloud Desk and takes one to a person when the rules of a file say so. Without a command it runs the service."))
	r.section("COMMANDS", "")
	for _, d := range describeAll(env) {
		r.command(&d)
	}
	r.section("ENVIRONMENT", "")
	r.text(roffText("Every setting is an environment variable and, secrets excepted, a flag of escalator serve. A secret may stand in a file that NAME_FILE names."))
	for i := range settingsTable {
		row := &settingsTable[i]
		help := row.help.String()
		if row.def != "" {
			help += " (default " + row.def + ")"
		}
		r.item(row.name(), "", help)
	}
	r.item("NO_COLOR", "", "no colours, whatever the terminal")
	r.section("EXIT STATUS", "")
	r.item("0", "", "good")
	r.item("1", "", "a fault, or no as the answer")
	r.item("2", "", "the command line or the configuration cannot be used")
	return nil
}

// roff writes the macros of man(7).
type roff struct{ w io.Writer }

func (r *roff) section(name, text string) {
	fmt.Fprintf(r.w, ".SH %s\n", name)
	if text != "" {
		r.text(text)
	}
}

func (r *roff) macro(name, text string) { fmt.Fprintf(r.w, "%s %s\n", name, roffQuoted(text)) }

// text writes a line that is roff already.
func (r *roff) text(line string) { fmt.Fprintln(r.w, line) }

// item writes a paragraph behind a tag, in bold, and its value.
func (r *roff) item(tag, value, help string) {
	fmt.Fprintf(r.w, ".TP\n.BR %s %s\n", roffQuoted(tag), roffQuoted(strings.TrimRight(" "+value, " ")))
	r.text(roffText(help))
}

func (r *roff) command(d *described) {
	fmt.Fprintf(r.w, ".SS %s\n", roffQuoted("escalator "+strings.TrimSpace(d.name+" "+d.usage)))
	if d.about == "" {
		r.text(roffText(d.summary.String()))
	} else {
		r.about(d.about)
	}
	if d.name == "serve" {
		r.text(roffText("Its flags are the settings below: ESCALATOR_API_URL is --api-url."))
		return
	}
	for _, f := range d.flags {
		if f.name != "env-file" && (f.name != "lang" || d.name == "packs") {
			r.item(dashed(f.name), f.value, f.helpWithDefault().String())
		}
	}
}

// about writes what the help of a command says: paragraphs, and lines that are set in,
// which stay as they are.
func (r *roff) about(about string) {
	filled := true
	for _, line := range paragraphs(strings.Trim(about, "\n")) {
		if prose := !strings.HasPrefix(line, " "); line != "" && prose != filled {
			filled = prose
			fmt.Fprintln(r.w, map[bool]string{true: ".fi", false: ".nf"}[filled])
		}
		if line == "" {
			fmt.Fprintln(r.w, ".PP")
			continue
		}
		r.text(roffText(line))
	}
	if !filled {
		fmt.Fprintln(r.w, ".fi")
	}
}

// roffText escapes a line: what begins with . or ' would be a macro, and not every
// formatter reads UTF-8.
func roffText(line string) string {
	var b strings.Builder
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		b.WriteString(`\&`)
	}
	for _, c := range line {
		switch {
		case c == '\\':
			b.WriteString(`\e`)
		case c == '-':
			b.WriteString(`\-`)
		case c > '~':
			fmt.Fprintf(&b, `\[u%04X]`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// roffQuoted is an argument of a macro.
func roffQuoted(s string) string { return `"` + strings.ReplaceAll(roffText(s), `"`, `""`) + `"` }
