package lang

import (
	_ "embed" // the catalogues
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Language is one in which messages can be read.
type Language uint8

// The languages. The zero value is English.
const (
	English Language = iota
	Chinese

	// Languages is how many there are.
	Languages
)

// Parse finds a language by its name, such as zh, zh_CN.UTF-8, zh-TW or en; not ok for one that messages do not have.
func Parse(name string) (l Language, ok bool) {
	name, _, _ = strings.Cut(strings.ToLower(name), ".")
	if main := strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' || r == '@' }); len(main) > 0 {
		switch main[0] {
		case "zh":
			return Chinese, true
		case "en", "c", "posix":
			return English, true
		}
	}
	return English, false
}

// Accepted is the language of those messages have that a browser wants most, by its Accept-Language; English if it wants none.
func Accepted(header string) Language {
	best, most := English, 0.0
	for item := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(item), ";")
		l, ok := Parse(name)
		q := 1.0
		if _, number, weighed := strings.Cut(params, "q="); weighed {
			var err error
			if q, err = strconv.ParseFloat(strings.TrimSpace(number), 64); err != nil {
				q = 0
			}
		}
		if ok && q > most {
			best, most = l, q
		}
	}
	return best
}

// of is the translation of a key, the key itself where there is none.
func (l Language) of(key string) string {
	if l == Chinese {
		if words, ok := chinese()[key]; ok {
			return words
		}
	}
	return key
}

//go:embed zh.po
var zhPO string

var chinese = sync.OnceValue(func() map[string]string { return readPO(zhPO) })

// readPO reads a catalogue: msgid and msgstr by turns, each a quoted string, or several that belong together.
func readPO(po string) map[string]string {
	words := map[string]string{}
	var key, value string
	var into *string
	end := func() {
		if into == &value && key != "" {
			words[key] = value
		}
	}
	for line := range strings.Lines(po) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "msgid "):
			end()
			key, value, into = "", "", &key
		case strings.HasPrefix(line, "msgstr "):
			into = &value
		case !strings.HasPrefix(line, `"`):
			continue
		}
		if s, err := strconv.Unquote(line[strings.IndexByte(line, '"'):]); err == nil {
			*into += s
		}
	}
	end()
	return words
}

// Catalogue returns the translations of a language by their keys.
func Catalogue(l Language) map[string]string {
	if l == Chinese {
		return chinese()
	}
	return nil
}

// Holes lists the values of a message, in the order of the arguments, for comparing it with a translation.
func Holes(format string) string {
	var list []string
	for h := range holes(format) {
		list = append(list, strconv.Itoa(h.arg+1)+h.verb)
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " ")
}

// Values is how many values a message wants.
func Values(format string) (n int) {
	for h := range holes(format) {
		n = max(n, h.arg+1)
	}
	return n
}
