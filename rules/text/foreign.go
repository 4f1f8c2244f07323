package text

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a customer quotes, links to or names is not the customer's own word.
// foreign finds such ranges of a message; Message.scanOwn makes barriers of
// them.

// foreign appends the ranges of s that are not the customer's own words, in
// order and apart from each other.
func foreign(s string, dst []span) []span {
	known := len(dst)
	dst = foreignLines(s, dst)
	dst = foreignWords(s, dst)
	found := dst[known:]
	if len(found) < 2 {
		return dst
	}
	slices.SortFunc(found, func(a, b span) int { return int(a.from - b.from) })
	n := 0
	for _, f := range found[1:] {
		if last := &found[n]; f.from <= last.to {
			last.to = max(last.to, f.to)
			continue
		}
		n++
		found[n] = f
	}
	return dst[:known+n+1]
}

// foreignLines appends quoted lines, and quotations above a line of dashes.
func foreignLines(s string, dst []span) []span {
	for at := 0; at < len(s); {
		end := at + lineLength(s[at:])
		switch line := strings.TrimSpace(s[at:end]); {
		case line == "":
		case quoted(line):
			dst = append(dst, span{int32(at), int32(end)})
		case at > 0 && dashes(line):
			if from := quotationBefore(s[:at]); from >= 0 {
				dst = append(dst, span{int32(from), int32(end)})
			}
		}
		_, size := utf8.DecodeRuneInString(s[end:])
		at = end + size
	}
	return dst
}

// lineLength is how many bytes of s stand before the first line end.
func lineLength(s string) int {
	if n := strings.IndexByte(s, '\n'); n >= 0 {
		s = s[:n]
	}
	if n := strings.IndexByte(s, '\r'); n >= 0 {
		s = s[:n]
	}
	return len(s)
}

// quoted reports whether a line is quoted, or says who is.
func quoted(line string) bool {
	switch c := line[0]; {
	case c == '>', strings.HasPrefix(line, "＞"):
		return true
	case c|0x20 == 'i' && hasPrefixFold(line, "in reply to"):
		return true
	}
	switch {
	case line[len(line)-1] == ':':
		line = line[:len(line)-1]
	case strings.HasSuffix(line, "："):
		line = line[:len(line)-len("：")]
	default:
		return false
	}
	line = strings.TrimRight(line, " \u00a0")
	const word = "wrote"
	if len(line) < len(word) || !strings.EqualFold(line[len(line)-len(word):], word) {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(line[:len(line)-len(word)])
	return !unicode.IsLetter(before)
}

// hasPrefixFold reports whether s begins with an ASCII text and a word ends
// there, whatever the case.
func hasPrefixFold(s, prefix string) bool {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return false
	}
	next, _ := utf8.DecodeRuneInString(s[len(prefix):])
	return !unicode.IsLetter(next) && !unicode.IsDigit(next)
}

// dashes reports whether a line is three or more dashes and nothing else but
// spaces.
func dashes(line string) bool {
	n := 0
	for _, r := range line {
		switch r {
		case '-', '‐', '‑', '‒', '–', '—', '―', '−', '─', '━', '－', '﹣', '﹘':
			n++
		case ' ', '\t', '\u00a0', '\u3000':
		default:
			return false
		}
	}
	return n >= 3
}

// quotations are the marks around a quotation, closing ones first.
var quotations = map[rune]rune{
	'」': '「', '』': '『', '”': '“', '’': '‘', '»': '«', '"': '"', '\'': '\'', '＂': '＂', '“': '„', '〞': '〝', '｣': '｢',
}

// quotationBefore returns where the quotation begins that s ends with, but for
// white space; -1 if there is none.
func quotationBefore(s string) int {
	s = strings.TrimRightFunc(s, unicode.IsSpace)
	closing, size := utf8.DecodeLastRuneInString(s)
	opening, ok := quotations[closing]
	if !ok {
		return -1
	}
	s = s[:len(s)-size]
	if opening == closing { // the nearest one that begins a line, or else the nearest
		nearest := strings.LastIndex(s, string(opening))
		for at := nearest; at >= 0; at = strings.LastIndex(s[:at], string(opening)) {
			if before := strings.TrimRight(s[:at], " \t"); before == "" || before[len(before)-1] == '\n' {
				return at
			}
		}
		return nearest
	}
	depth := 1
	for len(s) > 0 {
		r, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
		switch r {
		case closing:
			depth++
		case opening:
			if depth--; depth == 0 {
				return len(s)
			}
		}
	}
	return -1
}

// foreignWords appends links, e-mail addresses and file names.
func foreignWords(s string, dst []span) []span {
	for at := strings.Index(s, "://"); at >= 0; {
		from, to := schemeStart(s, at), linkEnd(s, at)
		if from < at {
			dst = append(dst, span{int32(from), int32(to)})
		}
		if at = strings.Index(s[to:], "://"); at >= 0 {
			at += to
		}
	}
	for at := strings.IndexByte(s, '.'); at >= 0; {
		to := at + 1
		if from := wwwStart(s, at); from >= 0 && linkEnd(s, at) > to {
			to = linkEnd(s, at)
			dst = append(dst, span{int32(from), int32(to)})
		} else if end := endingEnd(s, at); end > 0 {
			if from := nameStart(s, at); from < at {
				to = end
				dst = append(dst, span{int32(from), int32(to)})
			}
		}
		if at = strings.IndexByte(s[to:], '.'); at >= 0 {
			at += to
		}
	}
	for at := strings.IndexByte(s, '@'); at >= 0; {
		if from, to := addressAround(s, at); from < to {
			dst = append(dst, span{int32(from), int32(to)})
		}
		next := strings.IndexByte(s[at+1:], '@')
		if next < 0 {
			break
		}
		at += 1 + next
	}
	return dst
}

// schemeStart returns where the scheme begins that ends before byte at.
func schemeStart(s string, at int) int {
	for at > 0 && (asciiWordByte(s[at-1]) || s[at-1] == '+') {
		at--
	}
	return at
}

// wwwStart returns where the `www` begins that ends before the dot at byte at,
// or -1.
func wwwStart(s string, at int) int {
	if at < 3 || !strings.EqualFold(s[at-3:at], "www") || at > 3 && asciiWordByte(s[at-4]) {
		return -1
	}
	return at - 3
}

// linkEnd returns where the link ends that has byte at in it.
func linkEnd(s string, at int) int {
	for at < len(s) && s[at] > ' ' && s[at] < 0x7f {
		at++
	}
	return combined(s, at)
}

// combined steps over what combines with the character before byte at, so that
// no range ends within what the normal form takes as one.
func combined(s string, at int) int {
	for at < len(s) {
		r, size := utf8.DecodeRuneInString(s[at:])
		if r < utf8.RuneSelf || starts(r) && !ignorable(r) {
			break
		}
		at += size
	}
	return at
}

func asciiWordByte(c byte) bool { return byteClass[c] == classLetter }

// endings are the endings of file names.
var endings = []string{
	"pdf", "docx", "doc", "xlsx", "xls", "pptx", "ppt", "txt", "csv", "jpg", "jpeg", "png", "gif", "webp", "mp3", "mp4",
	"zip", "rar", "apk",
}

// endingEnd returns where the ending of a file name ends whose dot is at byte
// at, or 0.
func endingEnd(s string, at int) int {
	for _, e := range endings {
		end := at + 1 + len(e)
		if end <= len(s) && strings.EqualFold(s[at+1:end], e) && (end == len(s) || !asciiWordByte(s[end])) {
			return combined(s, end)
		}
	}
	return 0
}

// nameStart returns where the file name begins that ends before byte at:
// letters, digits and what joins them in a name.
func nameStart(s string, at int) int {
	for at > 0 {
		r, size := utf8.DecodeLastRuneInString(s[:at])
		if c := classOf(r); c == classMark && !strings.ContainsRune("._-+()（）&%#@~", r) || c == classSpace || c == classDrop {
			break
		}
		at -= size
	}
	return at
}

// addressAround returns the e-mail address that has its @ at byte at; an empty
// range if there is none.
func addressAround(s string, at int) (from, to int) {
	for from = at; from > 0 && (asciiWordByte(s[from-1]) || strings.IndexByte("._%+-", s[from-1]) >= 0); from-- {
	}
	dot := 0
	for to = at + 1; to < len(s) && (asciiWordByte(s[to]) || s[to] == '-' || s[to] == '.'); to++ {
		if s[to] == '.' {
			dot = to
		}
	}
	for to > at && (s[to-1] == '.' || s[to-1] == '-') { // the full stop behind the address
		if to--; dot == to {
			dot = strings.LastIndexByte(s[at:to], '.') + at
		}
	}
	if from == at || dot <= at+1 || to-dot < 3 {
		return at, at
	}
	return from, combined(s, to)
}
