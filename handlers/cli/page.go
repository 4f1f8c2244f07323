package cli

import (
	"fmt"
	"strconv"
	"strings"

	"escalator/rules/lang"
	"escalator/rules/text"
)

// Widths of a page in columns.
const (
	usualWidth  = 80 // where nothing is known of the terminal
	narrowest   = 40 // narrower than this lines are not made, whatever the terminal says
	widestLabel = 24 // of a column of names; longer ones push their line to the right
)

// page prints lines that fit into the terminal. What customers, files and arguments hold of
// control characters is escaped.
type page struct {
	env     Env
	width   int
	colours bool
}

func newPage(env Env) *page { return &page{env, width(env), colourful(env, env.Stdout)} }

// width is how many columns the terminal has: COLUMNS, else what the terminal says, else 80.
func width(env Env) int {
	if env.Getenv != nil {
		if n, err := strconv.Atoi(env.Getenv("COLUMNS")); err == nil && n > 0 {
			return max(n, narrowest)
		}
	}
	if n := terminalOf(env.Stdout); n > 0 {
		return max(n, narrowest)
	}
	return usualWidth
}

// line prints words behind a label. What does not fit goes on in further lines, below the first word.
func (p *page) line(label, words lang.Text) { p.hang(label, columnsOf(p.in(label)), words) }

// hang prints words behind a label, with further lines set in by so many columns.
func (p *page) hang(label lang.Text, indent int, words lang.Text) {
	shown := text.Printable(p.in(label))
	p.lay(shown, columnsOf(shown), indent, p.in(words))
}

// lay is hang for a label that may have colours, and takes so many columns.
func (p *page) lay(label string, columns, indent int, words string) {
	indent = min(indent, p.width/2)
	var cells []cell
	for _, r := range words {
		cells = append(cells, cellOf(r))
	}
	for first := true; first || len(cells) > 0; first = false {
		room := p.width - indent
		if first {
			room = p.width - columns
		}
		n, next := fit(cells, max(room, 1))
		fmt.Fprintln(p.env.Stdout, strings.TrimRight(label+joined(cells[:n]), " "))
		cells, label = cells[next:], strings.Repeat(" ", indent)
	}
}

func (p *page) blank() { fmt.Fprintln(p.env.Stdout) }

// cell is one character as it is shown.
type cell struct {
	shown   string
	columns int
	space   bool
	wide    bool
	ends    bool // a line may end behind it
	closes  bool // no line may begin with it
	opens   bool // no line may end behind it
}

func cellOf(r rune) cell {
	shown := text.Printable(string(r))
	if shown != string(r) {
		return cell{shown: shown, columns: len(shown)}
	}
	c := cell{shown: shown, columns: text.Columns(r), space: r == ' '}
	c.wide = c.columns == 2
	c.closes = strings.ContainsRune("，。、；：？！）”」』》)", r)
	c.opens = strings.ContainsRune("（“「『《(", r)
	c.ends = c.space || c.wide && !c.opens || r == '|'
	return c
}

// fit says how many cells go into a line, and where the next line begins. A line ends at a space, beside a
// wide character or behind the | of a phrase, where it has one.
func fit(cells []cell, room int) (n, next int) {
	used, broken := 0, 0
	for i, c := range cells {
		if used+c.columns > room {
			switch {
			case c.space:
				broken = i
			case broken == 0:
				broken = max(i, 1)
			}
			next = broken
			for next < len(cells) && cells[next].space {
				next++
			}
			return broken, next
		}
		used += c.columns
		if next := i + 1; next == len(cells) || !cells[next].closes && !c.opens && (c.ends || cells[next].wide) {
			broken = next
		}
	}
	return len(cells), len(cells)
}

func joined(cells []cell) string {
	var b strings.Builder
	for _, c := range cells {
		b.WriteString(c.shown)
	}
	return b.String()
}

// columnsOf is how many columns a text takes.
func columnsOf(s string) int {
	n := 0
	for _, r := range s {
		n += cellOf(r).columns
	}
	return n
}

// in is a message in the language of the reader.
func (p *page) in(t lang.Text) string { return t.In(p.env.Lang) }

// padded is a message with blanks up to so many columns.
func (p *page) padded(t lang.Text, columns int) lang.Text { return lang.Raw(padded(p.in(t), columns)) }

// padded fills a text with blanks up to so many columns.
func padded(s string, columns int) string {
	s = text.Printable(s)
	return s + strings.Repeat(" ", max(0, columns-columnsOf(s)))
}
