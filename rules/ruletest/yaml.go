package ruletest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"escalator/rules"
)

// write writes a test as an entry of `tests:`.
func write(t rules.Test, note string) string {
	var b strings.Builder
	if note != "" {
		b.WriteString("  # " + note + "\n")
	}
	head := flow{{"name", scalar(t.Name)}}
	if t.AtSet {
		head = append(head, pair{"at", t.At.Format(time.RFC3339)})
	}
	if s := t.Steps; len(s) == 1 && s[0].Kind == "user" && s[0].Desk == "" && s[0].Reading == nil && s[0].Expect != nil {
		if words := message(&s[0].Message); !strings.HasPrefix(words, "{") {
			b.WriteString("  - " + append(head, pair{"say", words}, pair{"expect", expected(s[0].Expect)}).String() + "\n")
			return b.String()
		}
	}
	mark := "  - "
	for _, p := range head {
		b.WriteString(mark + p.key + ": " + p.value + "\n")
		mark = "    "
	}
	b.WriteString("    steps:\n")
	for i := range t.Steps {
		b.WriteString("      - " + line(&t.Steps[i]).String() + "\n")
	}
	return b.String()
}

// pair is a key of a mapping with its value, written.
type pair struct{ key, value string }

// flow is a mapping in one line.
type flow []pair

func (f flow) String() string {
	var parts []string
	for _, p := range f {
		parts = append(parts, p.key+": "+p.value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func line(s *rules.Step) (f flow) {
	switch s.Kind {
	case "user", "bot", "agent":
		f = flow{{s.Kind, message(&s.Message)}}
	case "event":
		f = flow{{"event", s.Event.String()}}
	case "desk":
	default: // a wait, or a gap
		f = flow{{"wait", duration(s.Wait)}}
	}
	switch {
	case s.Desk != "":
		f = append(f, pair{"desk", s.Desk})
	case s.Reading != nil:
		f = append(f, pair{"desk", reading(s.Reading)})
	}
	if s.Expect != nil {
		f = append(f, pair{"expect", expected(s.Expect)})
	}
	return f
}

// message writes a text alone where there is nothing else.
func message(m *rules.TestMessage) string {
	if strings.TrimSpace(m.Text) != "" && m.Mark == "" && m.Fields == nil && m.Sends == 0 {
		return scalar(m.Text)
	}
	var f flow
	if m.Text != "" || m.Mark == "" && len(m.Fields) == 0 && m.Sends == 0 {
		f = append(f, pair{"text", scalar(m.Text)})
	}
	if m.Mark != "" {
		f = append(f, pair{"marks", scalar(m.Mark)})
	}
	if m.Sends != 0 {
		f = append(f, pair{"sends", sequence(m.Sends.Names())})
	}
	if len(m.Fields) > 0 {
		var fields flow
		for _, path := range slices.Sorted(maps.Keys(m.Fields)) {
			fields = append(fields, pair{scalar(path), scalar(m.Fields[path])})
		}
		f = append(f, pair{"fields", fields.String()})
	}
	return f.String()
}

// reading writes what Desk tells of agents and queue.
func reading(r *rules.Reading) string {
	var f flow
	switch {
	case r.Agents != nil:
		f = append(f, pair{"agents", sequence(slices.Sorted(maps.Keys(r.Agents)))})
	case r.Free != nil:
		f = append(f, pair{"agents", strconv.Itoa(*r.Free)})
	}
	if r.Queue != nil {
		f = append(f, pair{"queue", strconv.Itoa(*r.Queue)})
	}
	if r.Groups != nil {
		var groups flow
		for _, id := range slices.Sorted(maps.Keys(r.Groups)) {
			groups = append(groups, pair{id, strconv.Itoa(r.Groups[id])})
		}
		f = append(f, pair{"groups", groups.String()})
	}
	if f == nil {
		return "unknown"
	}
	return f.String()
}

// expected writes an expectation; a rule alone by its id.
func expected(x *rules.Expectation) string {
	f := flow{{"rule", scalar(x.Rule)}}
	for _, p := range []pair{{"target", x.Target}, {"outcome", x.Outcome}, {"suppressed", x.Suppressed}, {"reason", x.Reason}} {
		if p.value != "" {
			f = append(f, pair{p.key, scalar(p.value)})
		}
	}
	if len(x.Shadow) > 0 {
		f = append(f, pair{"shadow", sequence(x.Shadow)})
	}
	if len(f) == 1 {
		return f[0].value
	}
	return f.String()
}

func sequence(words []string) string {
	var all []string
	for _, w := range words {
		all = append(all, scalar(w))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

var (
	// plain is what needs no quotes: words that YAML takes for nothing else, with spaces only between them.
	plain = regexp.MustCompile(`^[\p{L}][\p{L}\p{M}\p{N}._/@?!'-]*( [\p{L}\p{M}\p{N}._/@?!'-]+)*$`)
	// special are words that stand for something else in YAML, or once did.
	special = regexp.MustCompile(`(?i)^(null|true|false|yes|no|on|off|y|n)$`)
)

// scalar writes a text so that it is read as it was.
func scalar(s string) string {
	if plain.MatchString(s) && !special.MatchString(s) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// duration writes a length of time as files do.
func duration(d time.Duration) string {
	var b strings.Builder
	for _, u := range []struct {
		length time.Duration
		name   string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if n := d / u.length; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d %= u.length
		}
	}
	return b.String()
}
