package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"escalator/rules/lang"
)

// This file knows the signs that look like YAML's and are none: those of a Chinese keyboard, of a word processor, of a
// spreadsheet.

// foreignSign is such a sign: what it is called, and what the file wants in its place.
type foreignSign struct {
	name lang.Text
	want string
}

var foreignSigns = map[rune]foreignSign{
	'，': {"a full-width comma", ","}, '、': {"a Chinese list comma", ","}, '；': {"a full-width semicolon", ","},
	'：': {"a full-width colon", ":"}, '。': {"a Chinese full stop", "."},
	'“': {"a typographic quote", `"`}, '”': {"a typographic quote", `"`}, '„': {"a typographic quote", `"`}, '＂': {"a full-width quote", `"`},
	'‘': {"a typographic quote", `'`}, '’': {"a typographic quote", `'`}, '＇': {"a full-width quote", `'`},
	'（': {"a full-width parenthesis", "("}, '）': {"a full-width parenthesis", ")"},
	'【': {"a Chinese bracket", "["}, '】': {"a Chinese bracket", "]"}, '［': {"a full-width bracket", "["}, '］': {"a full-width bracket", "]"},
	'｛': {"a full-width brace", "{"}, '｝': {"a full-width brace", "}"},
	'–': {"a long dash", "-"}, '—': {"a long dash", "-"}, '−': {"a minus sign of print", "-"}, '－': {"a full-width dash", "-"},
	'＃': {"a full-width number sign", "#"}, '／': {"a full-width slash", "/"}, '．': {"a full-width full stop", "."}, '＿': {"a full-width underscore", "_"},
	'\u00A0': {"a no-break space", " "}, '\u3000': {"a full-width space", " "}, '\u202F': {"a narrow no-break space", " "},
	'\u200B': {"an invisible character", ""}, '\u200C': {"an invisible character", ""}, '\u200D': {"an invisible character", ""},
	'\u2060': {"an invisible character", ""}, '\uFEFF': {"an invisible character", ""},
}

// signOf finds a foreign sign, full-width letters and digits among them.
func signOf(r rune) (foreignSign, bool) {
	switch ascii := r - '０' + '0'; {
	case r < 0x80:
		return foreignSign{}, false
	case '０' <= r && r <= '９':
		return foreignSign{"a full-width digit", string(ascii)}, true
	case 'ａ' <= r && r <= 'ｚ', 'Ａ' <= r && r <= 'Ｚ':
		return foreignSign{"a full-width letter", string(ascii)}, true
	}
	s, ok := foreignSigns[r]
	if !ok && r > unicode.MaxLatin1 && unicode.Is(unicode.Zs, r) {
		return foreignSign{"a space of print", " "}, true
	}
	return s, ok
}

// signIn finds the first foreign sign of a text, -1 if there is none.
func signIn(s string) (at int, r rune, sign foreignSign) {
	for i, r := range s {
		if sign, ok := signOf(r); ok {
			return i, r, sign
		}
	}
	return -1, 0, foreignSign{}
}

// wayOut says what to write instead.
func (s foreignSign) wayOut() lang.Text {
	switch s.want {
	case ",", ":":
		return lang.Say("write %s and a space", s.want)
	case " ":
		return "write a space"
	case "":
		return "delete it; it often comes with a text that was copied"
	case "#":
		return "write #, with a space before it"
	}
	return lang.Say("write %s", s.want)
}

// hintIn says what to write instead within a value, where a colon stands between digits.
func (s foreignSign) hintIn(value string, at int) lang.Text {
	if s.want == ":" && at > 0 && unicode.IsDigit(rune(value[at-1])) {
		return "write :"
	}
	return s.wayOut()
}

// says is how a message names the sign; an invisible one cannot be shown.
func (s foreignSign) says(r rune) lang.Text {
	if s.want == " " || s.want == "" || unicode.IsSpace(r) {
		return s.name
	}
	return lang.Say("%s (%s)", s.name, string(r))
}

// slip is a place where the text most likely is not what was meant, with what would mend it. A slip that YAML can
// read is none until something else is wrong: it is looked at only then.
type slip struct {
	line, column  int // 1-based; column in characters
	from, to      int // bytes of the line
	want          string
	longer        int // by so many characters the line grows when it is mended
	message, hint lang.Text
}

func (s *slip) cure(line string) string { return line[:s.from] + s.want + line[s.to:] }

// joins takes a further blank into a slip that is made of blanks.
func (s *slip) joins(line, from, to int) bool {
	if s.line != line || s.to != from || strings.Trim(s.want, " ") != "" || s.want == "" {
		return false
	}
	s.to, s.want = to, s.want+" "
	return true
}

// comment is a comment of the file: what stands from its # to the end of the line.
type comment struct {
	column int // 1-based, in characters
	text   string
}

// glued says that no space follows the #, so that the comment may be meant as text: order #123.
func (c comment) glued() bool {
	r, _ := utf8.DecodeRuneInString(strings.TrimPrefix(c.text, "#"))
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// read finds the places of the files, outside quotes, where YAML wants a sign of its own and has another, and the
// comments by their lines.
func (s source) read() ([]slip, map[int]comment) {
	var slips []slip
	comments := map[int]comment{}
	for _, f := range s.files {
		if f.list {
			continue
		}
		w := slipFinder{slips: slips, comments: comments}
		for i, line := range f.text() {
			w.line(f.above+i+1, strings.TrimSuffix(line, "\r"))
		}
		slips = w.slips
	}
	return slips, comments
}

// slipFinder walks over the lines as YAML reads them.
type slipFinder struct {
	slips    []slip
	comments map[int]comment

	open  []byte // the brackets that are open
	quote byte   // the quotation that is open, or 0
	block int    // 1 + the indentation of the line whose block text is being read, 0 for none

	no    int
	text  string
	at    int
	fresh bool // at is where a key, a value or an entry may begin
	start int  // where the present one began
}

func (w *slipFinder) line(no int, text string) {
	indent := len(text) - len(strings.TrimLeft(text, " "))
	if w.block > 0 && (strings.TrimSpace(text) == "" || indent >= w.block) {
		return
	}
	w.block, w.no, w.text, w.at, w.start = 0, no, text, 0, 0
	w.fresh = w.quote == 0
	if len(w.open) == 0 && w.fresh {
		w.dash(indent)
	}
	for w.at < len(text) {
		if w.quote != 0 {
			w.quoted()
			continue
		}
		if text[w.at] == '#' && (w.at == 0 || text[w.at-1] == ' ' || text[w.at-1] == '\t') {
			w.comment()
			return
		}
		w.sign()
	}
}

// dash looks at how an entry of a list begins: with a print dash, or without the space.
func (w *slipFinder) dash(indent int) {
	rest := w.text[indent:]
	r, size := utf8.DecodeRuneInString(rest)
	next, _ := utf8.DecodeRuneInString(rest[size:])
	switch sign, _ := signOf(r); {
	case sign.want == "-":
		want := "-"
		if next != ' ' {
			want = "- "
		}
		w.add(indent, indent+size, want, lang.Say("an entry begins with %s", sign.says(r)), "write - and a space")
	case r == '-' && (unicode.IsLetter(next) || next == '{' || next == '[' || next == '$'):
		w.add(indent+size, indent+size, " ", "a space is missing after the dash", "write - and a space")
	}
}

func (w *slipFinder) add(from, to int, want string, message, hint lang.Text) {
	column := utf8.RuneCountInString(w.text[:from]) + 1
	longer := utf8.RuneCountInString(want) - utf8.RuneCountInString(w.text[from:to])
	w.slips = append(w.slips, slip{w.no, column, from, to, want, longer, message, hint})
}

// quoted reads on to the end of a quotation.
func (w *slipFinder) quoted() {
	c := w.text[w.at]
	w.at++
	switch {
	case c == '\\' && w.quote == '"':
		w.at++
	case c == w.quote && c == '\'' && strings.HasPrefix(w.text[w.at:], "'"):
		w.at++
	case c == w.quote:
		w.quote = 0
	}
}

// comment notes a comment, also as a slip if it begins inside brackets and may be meant as text.
func (w *slipFinder) comment() {
	c := comment{utf8.RuneCountInString(w.text[:w.at]) + 1, w.text[w.at:]}
	w.comments[w.no] = c
	if len(w.open) > 0 && (c.glued() || strings.ContainsAny(c.text, "]}")) {
		w.add(w.at, w.at+1, "x", "everything after this # is a comment, the closing bracket too", "put the text that holds the # in quotes")
	}
}

// sign reads one character outside of quotations.
func (w *slipFinder) sign() {
	r, size := utf8.DecodeRuneInString(w.text[w.at:])
	rest := w.text[w.at+size:]
	fresh := w.fresh
	if fresh && r != ' ' {
		w.start = w.at
	}
	w.fresh = fresh && (r == ' ' || r == '-' && strings.HasPrefix(rest, " "))
	sign, foreign := signOf(r)
	shape := r
	if foreign && (len(sign.want) == 1) {
		shape = rune(sign.want[0])
	}
	switch {
	case foreign:
		w.foreign(r, size, shape, sign, fresh)
	case (r == '"' || r == '\'') && fresh:
		w.quote = byte(r)
	case r == ':' && w.missingSpace(rest):
		w.add(w.at+size, w.at+size, " ", lang.Say("a space is missing after `%s:`", w.text[w.start:w.at]), lang.Say("write %s: and a space", w.text[w.start:w.at]))
		w.fresh = true
	case r == ';' && len(w.open) > 0 && strings.HasPrefix(rest, " "):
		w.add(w.at, w.at+size, ",", "a semicolon separates nothing", "write , and a space")
	case r == ':' && (rest == "" || rest[0] == ' '), r == ',' && len(w.open) > 0:
		w.fresh = true
	case (r == '|' || r == '>') && fresh && len(w.open) == 0:
		w.block = len(w.text) - len(strings.TrimLeft(w.text, " ")) + 1
	}
	w.bracket(shape, fresh)
	w.at += size
}

// bracket keeps account of what is open.
func (w *slipFinder) bracket(r rune, fresh bool) {
	switch {
	case (r == '[' || r == '{') && (fresh || len(w.open) > 0):
		w.open = append(w.open, byte(r))
		w.fresh = true
	case (r == ']' || r == '}') && len(w.open) > 0:
		w.open = w.open[:len(w.open)-1]
	}
}

// foreign notes a foreign sign where YAML may want its own.
func (w *slipFinder) foreign(r rune, size int, shape rune, sign foreignSign, fresh bool) {
	want := sign.want
	switch shape {
	case ',':
		if len(w.open) == 0 {
			return
		}
		want, w.fresh = ", ", true
	case ':':
		if !w.inMapping() || !isWord(w.text[w.start:w.at]) {
			return
		}
		want, w.fresh = ": ", true
	case '[', '{':
		if !fresh {
			return
		}
	case ']', '}':
		if len(w.open) == 0 {
			return
		}
	case '"', '\'':
		if !fresh && len(w.open) == 0 && w.at+size < len(w.text) {
			return
		}
	case '#':
		if w.at > 0 && w.text[w.at-1] != ' ' {
			return
		}
	case ' ':
		w.fresh = fresh
		if before := len(w.slips) - 1; !fresh || before >= 0 && w.slips[before].joins(w.no, w.at, w.at+size) {
			return
		}
	default:
		if sign.want != "" || !fresh {
			return
		}
		w.fresh = true
	}
	w.add(w.at, w.at+size, want, lang.Say("this is %s, not YAML's own", sign.says(r)), sign.wayOut())
}

// missingSpace says that a colon ends a key, though no space follows it.
func (w *slipFinder) missingSpace(rest string) bool {
	word := w.text[w.start:w.at]
	if rest == "" || rest[0] == ' ' || !w.inMapping() || !isWord(word) {
		return false
	}
	return knownKey(word) || strings.ContainsRune(`[{"'`, rune(rest[0]))
}

// inMapping says that a key with a colon may stand here.
func (w *slipFinder) inMapping() bool { return len(w.open) == 0 || w.open[len(w.open)-1] == '{' }

// isWord says that a text may be a key: letters, digits, dashes.
func isWord(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_'
	})
}
