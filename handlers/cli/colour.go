package cli

import (
	"io"
	"os"
)

// colour is the number by which a terminal is told of one.
type colour string

const (
	uncoloured colour = ""
	faint      colour = "2"
	red        colour = "31"
	green      colour = "32"
	yellow     colour = "33"
)

// terminalOf returns how many columns the terminal has that is written to; 0: it is none.
func terminalOf(w io.Writer) int {
	if o, ok := w.(*output); ok {
		w = o.Writer
	}
	if f, ok := w.(*os.File); ok {
		return terminalWidth(f)
	}
	return 0
}

// colourful reports whether colours are of use there: on a terminal that knows them,
// unless somebody said no (https://no-color.org).
func colourful(env Env, w io.Writer) bool {
	if env.Getenv == nil || env.Getenv("NO_COLOR") != "" {
		return false
	}
	term := env.Getenv("TERM")
	return term != "" && term != "dumb" && terminalOf(w) > 0
}

// paint gives a text a colour where the page has any. The text must be printable.
func (p *page) paint(c colour, text string) string {
	if !p.colours || c == uncoloured || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}
