package text

import (
	"html"
	"strings"
)

// A splice says that from a byte of Message.src on the text comes from a byte
// of the original. A replaced one stands as a whole for an entity.
type splice struct {
	src, orig int32
	replaced  int32 // bytes of the original that the whole splice stands for; 0: a copy
}

// resolve returns s without its HTML: tags are line breaks or nothing, entities
// are the characters that they name, once. Most messages hold neither and are
// returned as they are. The splices lead back to s, which begins at byte at of
// the original.
func (m *Message) resolve(s string, at int) string {
	m.splices = m.splices[:0]
	out, copied := m.resolved[:0], 0
	for from := nextMarkup(s, 0); from < len(s); from = nextMarkup(s, from) {
		text, end := markupAt(s, from)
		if end == from {
			from++
			continue
		}
		m.splices = append(m.splices, splice{int32(len(out)), int32(at + copied), 0})
		out = append(out, s[copied:from]...)
		m.splices = append(m.splices, splice{int32(len(out)), int32(at + from), int32(end - from)})
		out = append(out, text...)
		from, copied = end, end
	}
	if m.resolved = out; copied == 0 {
		if at > 0 {
			m.splices = append(m.splices, splice{0, int32(at), 0})
		}
		return s
	}
	m.splices = append(m.splices, splice{int32(len(out)), int32(at + copied), 0})
	m.resolved = append(out, s[copied:]...)
	return string(m.resolved)
}

// nextMarkup returns where the next tag or entity may begin, or len(s).
func nextMarkup(s string, from int) int {
	next := len(s)
	if i := strings.IndexByte(s[from:], '<'); i >= 0 {
		next = from + i
	}
	if i := strings.IndexByte(s[from:next], '&'); i >= 0 {
		next = from + i
	}
	return next
}

// markupAt returns what the tag or the entity at byte i stands for and where it
// ends, which is i if there is none.
func markupAt(s string, i int) (text string, end int) {
	if s[i] == '<' {
		return tagAt(s, i)
	}
	return entityAt(s, i)
}

const (
	maxTag    = 2000 // bytes of a tag
	maxEntity = 40   // bytes of an entity
)

func tagAt(s string, i int) (text string, end int) {
	rest := s[i+1 : min(len(s), i+maxTag)]
	name := strings.TrimPrefix(rest, "/")
	n := 0
	for n < len(name) && asciiWordByte(name[n]) {
		n++
	}
	breaks, ok := htmlTags[strings.ToLower(name[:min(n, 10)])]
	if !ok || n == len(name) {
		return "", i
	}
	length := tagEnd(name[n:])
	if length == 0 {
		return "", i
	}
	if breaks {
		text = "\n"
	}
	return text, i + 1 + len(rest) - len(name) + n + length
}

// tagEnd returns the length of what stands behind the name of a tag, with its
// `>`: attributes, or nothing. It is 0 if this is no tag.
func tagEnd(s string) int {
	if c := s[0]; c != '>' && c != '/' && byteClass[c] != classSpace {
		return 0
	}
	quote := byte(0)
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && s[i-1] == '=':
			quote = c
		case c == '>':
			return i + 1
		case c == '<':
			return 0
		}
	}
	return 0
}

func entityAt(s string, i int) (text string, end int) {
	semicolon := strings.IndexByte(s[i:min(len(s), i+maxEntity)], ';')
	if semicolon < 2 {
		return "", i
	}
	end = i + semicolon + 1
	text = html.UnescapeString(s[i:end])
	if text == s[i:end] || len(text) > 1 && text[len(text)-1] == ';' { // &notit; is no entity, though &not is
		return "", i
	}
	return text, end
}

// htmlTags holds the names of HTML and whether a tag of this name breaks the
// line.
var htmlTags = func() map[string]bool {
	tags := map[string]bool{}
	for name := range strings.FieldsSeq(`a abbr acronym address applet area article aside audio b base basefont bdi
		bdo big blink blockquote body button canvas caption center cite code col colgroup data datalist dd del
		details dfn dialog dir dl dt em embed fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4
		h5 h6 head header hgroup hr html i iframe img input ins kbd label legend link main map mark marquee menu meta
		meter nav nobr noframes noscript object ol optgroup option output param picture pre progress q rp rt ruby s
		samp script search section select slot small source span strike strong style sub summary sup svg table tbody
		td template textarea tfoot th thead time title track tt u ul var video wbr`) {
		tags[name] = false
	}
	for _, name := range []string{"br", "p", "div", "li", "tr"} {
		tags[name] = true
	}
	return tags
}()

// original maps the range [from,to) of Message.src to the original.
func (m *Message) original(from, to int32) (start, end int32) {
	s := m.spliceOf(from)
	if start = s.orig; s.replaced == 0 {
		start += from - s.src
	}
	s = m.spliceOf(to - 1)
	if end = s.orig + s.replaced; s.replaced == 0 {
		end += to - s.src
	}
	return start, end
}

// spliceOf returns the last splice that begins at byte at or before.
func (m *Message) spliceOf(at int32) splice {
	lo, hi := 0, len(m.splices)
	for lo+1 < hi {
		if mid := (lo + hi) / 2; m.splices[mid].src <= at {
			lo = mid
		} else {
			hi = mid
		}
	}
	return m.splices[lo]
}
