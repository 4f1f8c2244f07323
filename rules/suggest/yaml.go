package suggest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"escalator/rules/packs"
	"escalator/rules/text"
)

// word is what is added: the phrase, or the word of a role.
func (s *Suggestion) word() string {
	if len(s.Words) > 0 {
		return s.Words[0]
	}
	return s.Phrase
}

// comment is what stands behind an entry, so that whoever reads the file later knows why it is there.
func (s *Suggestion) comment() string {
	words := fmt.Sprintf("catches %d, false alarms %d", s.Catches, s.FalseAlarms)
	if s.Source != "" {
		words += "; " + text.Printable(s.Source)
	}
	if s.form.file != "" {
		words += "; a line of " + text.Printable(s.form.file)
	}
	return "# " + words
}

// line is the suggestion as a line of `lists`.
func (s *Suggestion) line() string {
	entries := "[" + strconv.Quote(s.word()) + "]"
	switch {
	case s.form.weights:
		entries = "{" + strconv.Quote(s.word()) + ": 1}"
	case changes(s.List):
		entries = "{add: " + entries + "}"
	}
	return s.List + ": " + entries + "  " + s.comment()
}

// entry is the suggestion as an entry of its list.
func (s *Suggestion) entry() string {
	if s.form.weights {
		return strconv.Quote(s.word()) + ": 1  " + s.comment()
	}
	return "- " + strconv.Quote(s.word()) + "  " + s.comment()
}

// changes says that a list is a built-in one, which is not written but changed.
func changes(list string) bool {
	name, _, _ := strings.Cut(list, ".")
	return slices.Contains(packs.Names, name)
}

// YAML writes suggestions as the part of a rule file to which they belong, each with a comment.
func YAML(all []Suggestion) string {
	var b strings.Builder
	b.WriteString("lists:\n")
	var done []string
	for i := range all {
		list := all[i].List
		if slices.Contains(done, list) {
			continue
		}
		done = append(done, list)
		indent := "    "
		b.WriteString("  " + list + ":\n")
		if changes(list) {
			b.WriteString("    add:\n")
			indent += "  "
		}
		for j := range all {
			if all[j].List == list {
				b.WriteString(indent + all[j].entry() + "\n")
			}
		}
	}
	return b.String()
}
