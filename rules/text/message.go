package text

import (
	"sync"
	"unicode/utf8"
)

// maxHead and maxTail are how many characters at the beginning and at the end
// of a message are looked at (RULES.md 3). They bound the time of everything
// that is done with a message.
const (
	maxHead = 1000
	maxTail = 1000
)

// Message is one text in normal form, cut into tokens. It is reused: Reset
// keeps the buffers, so that a warm Message allocates nothing. It also holds
// the working memory of Matcher.Find and therefore belongs to one goroutine at
// a time. The zero value is an empty message.
type Message struct {
	orig    string
	src     string // the part that is scanned, without HTML
	normal  string // made when it is asked for
	buf     []byte // the normal form, then the keys of words that were joined
	normLen int
	tokens  []Token
	scripts Scripts

	loose bool // a phrase: characters set apart keep their separators
	own   bool // a customer's message: only their own words count

	open bool // the last token is a word that may go on
	apos bool // one apostrophe stands between the last two tokens
	sep  separator
	lead separator // what stands before the first token
	seg  []byte
	nfkc []byte

	drawn    []int32 // bytes of buf: the second letters of pairs that were three or more
	foreign  []span  // of src
	barriers []span  // of the normal form: what is not the customer's own
	splices  []splice
	resolved []byte

	search search
}

// Reset makes m the message s.
func (m *Message) Reset(s string) {
	m.own = false
	m.read(s)
	m.markClauses()
}

// ResetCustomer makes m the message s of a customer. Of what is not the
// customer's own, such as quotations and links, there are no tokens, and no
// phrase goes over it.
func (m *Message) ResetCustomer(s string) {
	m.own = true
	m.read(s)
	m.markClauses()
}

// read brings s into normal form and cuts it into tokens.
func (m *Message) read(s string) {
	m.orig, m.normal = s, ""
	m.buf, m.tokens, m.drawn, m.barriers = m.buf[:0], m.tokens[:0], m.drawn[:0], m.barriers[:0]
	m.scripts = Scripts{}
	m.open, m.apos, m.sep, m.lead = false, false, separator{}, separator{}
	head, tail := window(s)
	m.part(s[:head], 0)
	if tail < len(s) {
		m.sep.add('\n')
		m.part(s[tail:], tail)
	}
	m.normLen = len(m.buf)
	m.joinApart()
}

// part takes a part of the message that begins at byte at of the original.
func (m *Message) part(s string, at int) {
	first := len(m.tokens)
	m.src = m.resolve(s, at)
	if m.foreign = m.foreign[:0]; m.own {
		m.foreign = foreign(m.src, m.foreign)
	}
	from := 0
	for _, f := range m.foreign {
		m.scan(from, int(f.from))
		m.barrier(int(f.from), int(f.to))
		from = int(f.to)
	}
	m.scan(from, len(m.src))
	m.close()
	m.src = ""
	if len(m.splices) == 0 {
		return
	}
	for i := first; i < len(m.tokens); i++ {
		t := &m.tokens[i]
		t.Start, t.End = m.original(t.Start, t.End)
	}
}

// barrier takes src[from:to], which is not the customer's own, into the normal
// form and leaves no token of it.
func (m *Message) barrier(from, to int) {
	m.close()
	m.sep.barrier = true
	scripts, n, at := m.scripts, len(m.tokens), len(m.buf)
	m.scan(from, to)
	m.close()
	m.barriers = append(m.barriers, span{int32(at), int32(len(m.buf))})
	m.scripts, m.tokens = scripts, m.tokens[:n]
	m.sep.barrier = true
}

// window returns the ends of the two parts of s that are looked at: s[:head]
// and s[tail:]. Mostly head is len(s).
func window(s string) (head, tail int) {
	if len(s) <= maxHead+maxTail {
		return len(s), len(s)
	}
	for range maxHead {
		if head == len(s) {
			return len(s), len(s)
		}
		_, size := utf8.DecodeRuneInString(s[head:])
		head += size
	}
	tail = len(s)
	for range maxTail {
		if tail <= head {
			return len(s), len(s)
		}
		_, size := utf8.DecodeLastRuneInString(s[head:tail])
		tail -= size
	}
	if tail <= head {
		return len(s), len(s)
	}
	return head, tail
}

// Normal returns the normal form (RULES.md 3).
func (m *Message) Normal() string {
	if m.normal == "" && m.normLen > 0 {
		m.normal = string(m.buf[:m.normLen])
	}
	return m.normal
}

// Blank reports whether the message holds nothing but white space and what is
// not to be seen.
func (m *Message) Blank() bool { return m.normLen == 0 }

// Tokens returns the tokens, valid until the next Reset.
func (m *Message) Tokens() []Token { return m.tokens }

// Word returns the token i without the separators of letters set apart.
func (m *Message) Word(i int) string { return string(m.word(i)) }

func (m *Message) word(i int) []byte {
	t := &m.tokens[i]
	return m.buf[t.key:t.keyEnd]
}

// Scripts returns how many letters of each script the message holds.
func (m *Message) Scripts() Scripts { return m.scripts }

// OrigSpan maps the token range [i,j) to bytes of the original text. An empty
// range gives the empty span before token i.
func (m *Message) OrigSpan(i, j int) (start, end int) {
	if i >= len(m.tokens) {
		return len(m.orig), len(m.orig)
	}
	start = int(m.tokens[i].Start)
	if j <= i {
		return start, start
	}
	return start, int(m.tokens[j-1].End)
}

var messages = sync.Pool{New: func() any { return new(Message) }}

// Normalize returns the normal form of s (RULES.md 3).
func Normalize(s string) string {
	m := messages.Get().(*Message)
	m.read(s)
	normal := m.Normal()
	m.orig, m.normal = "", "" // the pool keeps no message of a customer
	messages.Put(m)
	return normal
}

// Clause numbers the clauses: two tokens of one number stand in the same clause, with nothing between them that is not the
// customer's own.
func (m *Message) Clause(i int) int { return int(m.tokens[i].clause) }
