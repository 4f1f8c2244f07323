package lang

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is a message in no language yet. A constant is a message without values, and its own key; Say, Join and Raw make the
// others. It is a string so that texts can be compared and empty ones left out; only this package reads it, and a
// test refuses to add texts up or to convert them.
type Text string

// What a text begins with that is no key. Its parts follow, each behind its length.
const (
	made   = '\x01' // a format, and the values that stand in it
	joined = '\x02' // a separator, and the texts that stand between
	raw    = '\x03' // words that are the same in every language
)

// Say puts values into a message, as fmt.Sprintf does. A value that is a text, or an error that holds one (Errorf), is
// read in the language of the message.
func Say(format Text, args ...any) Text {
	if len(args) == 0 {
		return format
	}
	b := appendPart([]byte{made}, string(format))
	for h := range holes(string(format)) {
		if h.arg < len(args) {
			b = appendPart(b, string(value(h.verb, args[h.arg])))
		}
	}
	return Text(b)
}

// Join puts a separator between texts. It is a key too: a list is not joined alike in every language.
func Join(separator Text, texts ...Text) Text {
	switch len(texts) {
	case 0:
		return ""
	case 1:
		return texts[0]
	}
	b := appendPart([]byte{joined}, string(separator))
	for _, t := range texts {
		b = appendPart(b, string(t))
	}
	return Text(b)
}

// List joins words that are the same in every language.
func List(separator Text, words ...string) Text {
	texts := make([]Text, len(words))
	for i, w := range words {
		texts[i] = Raw(w)
	}
	return Join(separator, texts...)
}

// Raw is a text that is the same in every language: words of a file, of a customer or of an error from outside.
func Raw(words string) Text {
	if words == "" {
		return ""
	}
	return Text(string(raw) + words)
}

// Key is a message whose English words stand in a file of the program; the test of the catalogues knows which do.
func Key(words string) Text { return Text(words) }

// value is what stands in a message for an argument.
func value(verb string, arg any) Text {
	switch v := arg.(type) {
	case Text:
		return v
	case said:
		return v.Said()
	case error:
		return Of(v)
	case fmt.Stringer:
	case string:
		if verb == "%s" {
			return Raw(v)
		}
	}
	if verb == "%w" {
		verb = "%v"
	}
	return Raw(fmt.Sprintf(verb, arg))
}

// String is the message in English.
func (t Text) String() string { return t.In(English) }

// MarshalText writes the message in English.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText takes words as they are.
func (t *Text) UnmarshalText(words []byte) error {
	*t = Raw(string(words))
	return nil
}

// In is the message in a language; in English where that does not have it.
func (t Text) In(l Language) string {
	if t == "" {
		return ""
	}
	switch t[0] {
	case raw:
		return string(t[1:])
	case made:
		parts := t.parts()
		return fill(l.of(parts[0]), parts[0], parts[1:], l)
	case joined:
		parts := t.parts()
		texts := make([]string, len(parts)-1)
		for i, part := range parts[1:] {
			texts[i] = Text(part).In(l)
		}
		return strings.Join(texts, l.of(parts[0]))
	}
	return l.of(string(t))
}

// To is the message for a reader of a language; who prints it or writes it as JSON knows none.
func (t Text) To(l Language) Text {
	if l == English {
		return t
	}
	return Raw(t.In(l))
}

// fill puts values into the translation of a format. They stand in the order of the format's holes. What a value is, a
// word of Chinese or a name in Latin letters, is known only here, and so is whether a blank stands beside it.
func fill(format, original string, values []string, l Language) string {
	var b strings.Builder
	from := 0
	add := func(words string) {
		if l == Chinese && meet(b.String(), words) {
			b.WriteByte(' ')
		}
		b.WriteString(words)
	}
	for h := range holes(format) {
		add(strings.ReplaceAll(format[from:h.from], "%%", "%"))
		from = h.to
		i := 0
		for o := range holes(original) {
			if o.arg == h.arg && i < len(values) {
				add(Text(values[i]).In(l))
				break
			}
			i++
		}
	}
	add(strings.ReplaceAll(format[from:], "%%", "%"))
	return b.String()
}

// meet says that a Chinese character and a Latin letter, a digit or a quoted name would touch, which is hard to read.
func meet(before, after string) bool {
	end, _ := utf8.DecodeLastRuneInString(before)
	begin, _ := utf8.DecodeRuneInString(after)
	return unicode.Is(unicode.Han, end) && isLatin(begin) || isLatin(end) && unicode.Is(unicode.Han, begin)
}

func isLatin(r rune) bool {
	return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) || r == '`' || r == '$' || r == '@'
}

// hole is a place of a format where a value goes.
type hole struct {
	from, to int
	arg      int    // the index of the value
	verb     string // how it is written, without its index
}

// holes are the places of a format: %s, %.2f, and %[2]d for the second value.
func holes(format string) iter.Seq[hole] {
	return func(yield func(hole) bool) { visitHoles(format, yield) }
}

func visitHoles(format string, yield func(hole) bool) {
	next := 0
	for i := 0; i+1 < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		if format[i+1] == '%' {
			i++
			continue
		}
		h := hole{from: i, arg: next}
		for i++; i < len(format) && strings.IndexByte("+-#0123456789.[]", format[i]) >= 0; i++ {
		}
		if i == len(format) || (format[i]|0x20) < 'a' || (format[i]|0x20) > 'z' {
			continue // a sign of its own, as in 100%
		}
		h.to, h.verb = i+1, format[h.from:i+1]
		if open := strings.IndexByte(h.verb, '['); open >= 0 {
			end := strings.IndexByte(h.verb, ']')
			if n, err := strconv.Atoi(h.verb[open+1 : max(end, open+1)]); err == nil {
				h.arg, h.verb = n-1, h.verb[:open]+h.verb[end+1:]
			}
		}
		next = h.arg + 1
		if !yield(h) {
			return
		}
	}
}

func appendPart(b []byte, part string) []byte {
	b = strconv.AppendInt(b, int64(len(part)), 10)
	return append(append(b, ':'), part...)
}

// parts takes a text apart again.
func (t Text) parts() (parts []string) {
	for rest := string(t[1:]); rest != ""; {
		size, after, _ := strings.Cut(rest, ":")
		n, _ := strconv.Atoi(size)
		n = min(max(n, 0), len(after))
		parts, rest = append(parts, after[:n]), after[n:]
	}
	return parts
}
