package history

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"escalator/rules"
)

// An encoded entry is a list of fields: a tag, a length, and so many bytes. What is
// empty is left out, and a tag that a reader does not know is passed over.

// visitor is one of the two directions.
type visitor interface {
	text(tag byte, s *string)
	number(tag byte, n *int64)
	list(tag byte, l *[]string)
}

// visit names the fields once for both directions.
func (e *Entry) visit(v visitor) {
	v.text(1, (*string)(&e.Kind))
	v.text(3, &e.Session)
	v.text(4, &e.User)
	v.text(5, &e.Role)
	v.text(6, &e.Text)
	v.text(7, &e.Event)
	v.text(8, &e.RequestID)
	v.text(9, &e.Outcome)
	v.text(10, &e.Rule)
	v.text(11, &e.Mode)
	v.text(12, &e.Reason)
	v.text(13, &e.Target)
	v.list(14, &e.Matched)
	v.text(15, &e.Why)
	v.text(16, &e.Near)
	v.list(17, &e.Shadow)
	v.list(18, &e.Tags)
	v.text(19, &e.RulesVersion)
	v.text(20, &e.From)
	v.text(21, &e.Phase)
	v.number(22, &e.Group)
	v.list(23, &e.Agents)
	v.text(24, &e.Agent)
	v.text(25, &e.Code)
	v.text(26, &e.Error)
	v.number(27, &e.Attempt)
	v.number(28, &e.TookMS)
	v.text(29, &e.By)
	v.text(33, &e.Mark)
	v.list(34, &e.Sends)
	v.number(35, &e.Rating)
	v.text(50, &e.ID)
	v.text(51, &e.Replica)
	v.number(52, &e.TookUS)
}

// The fields that are no text, number or list of texts.
const (
	tagAt       = 2
	tagFinal    = 30
	tagCounters = 31
	tagRules    = 32
	tagBefore   = 36
	tagWould    = 53
	tagMissesOf = 54 // of both counters
)

// appendEntry encodes an entry.
func appendEntry(b []byte, e *Entry) []byte {
	w := encoder{b}
	e.visit(&w)
	at, final := e.At.UnixMicro(), int64(0)
	if e.Final {
		final = 1
	}
	w.number(tagAt, &at)
	w.number(tagFinal, &final)
	if e.Counters != nil {
		w.field(tagCounters, func(b []byte) []byte { return appendCounters(b, e.Counters) })
		of := int64(e.Counters.MissesOf)
		w.number(tagMissesOf, &of)
	}
	if e.CountersBefore != nil {
		w.field(tagBefore, func(b []byte) []byte { return appendCounters(b, e.CountersBefore) })
	}
	if len(e.Would) > 0 { // rare
		w.field(tagWould, func(b []byte) []byte {
			would, _ := json.Marshal(e.Would) // it cannot fail
			return append(b, would...)
		})
	}
	if len(e.Rules) > 0 {
		w.field(tagRules, func(b []byte) []byte { return appendRules(b, e.Rules) })
	}
	return w.b
}

type encoder struct{ b []byte }

// field writes a tag, a length and what value appends. The length takes three bytes,
// so that it can be filled in afterwards.
func (w *encoder) field(tag byte, value func([]byte) []byte) {
	at := len(w.b)
	w.b = value(append(w.b, tag, 0x80, 0x80, 0))
	n := len(w.b) - at - 4
	w.b[at+1], w.b[at+2], w.b[at+3] = byte(n)|0x80, byte(n>>7)|0x80, byte(n>>14)&0x7f
}

func (w *encoder) text(tag byte, s *string) {
	if *s != "" {
		w.b = append(binary.AppendUvarint(append(w.b, tag), uint64(len(*s))), *s...)
	}
}

func (w *encoder) number(tag byte, n *int64) {
	if *n != 0 {
		w.field(tag, func(b []byte) []byte { return binary.AppendVarint(b, *n) })
	}
}

func (w *encoder) list(tag byte, l *[]string) {
	if len(*l) == 0 {
		return
	}
	w.field(tag, func(b []byte) []byte {
		for _, s := range *l {
			b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
		}
		return b
	})
}

// appendCounters writes counters: numbers first, then the names and the cooldowns.
func appendCounters(b []byte, c *rules.Counters) []byte {
	for _, n := range []int{c.UserMessages, c.MissesInARow, c.Transfers, c.Misses, c.LastMinute, c.Repeats} {
		b = binary.AppendVarint(b, int64(n))
	}
	b = appendText(appendText(b, c.Offer), c.Words)
	for _, rest := range c.Cooldowns {
		b = binary.AppendVarint(appendText(b, rest.Rule), rest.LeftS)
	}
	return b
}

// appendRules writes each rule, with one byte in the place of what is the same as of
// the rule before: of a long file most rules have nothing to say but that their words
// were not there.
func appendRules(b []byte, all []rules.RuleStory) []byte {
	var before rules.RuleStory
	for _, r := range all {
		b = appendText(b, r.ID)
		for _, s := range [][2]string{{r.Result, before.Result}, {string(r.Reason), string(before.Reason)}, {r.Why, before.Why}} {
			if s[0] == s[1] {
				b = append(b, 0)
			} else {
				b = appendText(b, s[0])
			}
		}
		before = r
	}
	return b
}

// appendText writes a text after its length plus one.
func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))+1), s...)
}

var errEncoding = errors.New("it is not an entry")

// maxFields bounds the tags.
const maxFields = 64

// decoder holds the fields of an entry by their tags.
type decoder struct {
	fields [maxFields][]byte
	last   [maxFields]string // the texts of the entry before
	err    error
}

// decodeEntry reads an entry. It keeps nothing of data.
func decodeEntry(data []byte) (e Entry, err error) {
	var r decoder
	if e, err = r.brief(data); err == nil {
		var of int64
		r.number(tagMissesOf, &of)
		e.Counters, e.CountersBefore = r.counters(r.fields[tagCounters]), r.counters(r.fields[tagBefore])
		for _, c := range []*rules.Counters{e.Counters, e.CountersBefore} {
			if c != nil {
				c.MissesOf = int(of)
			}
		}
		e.Rules = r.rules(r.fields[tagRules])
		err = r.err
	}
	return e, err
}

// brief reads an entry but the counters and what became of each rule. A decoder may be used
// for one entry after the other: then what says the same as before takes no memory.
func (r *decoder) brief(data []byte) (e Entry, err error) {
	r.fields, r.err = [maxFields][]byte{}, nil
	for len(data) > 0 {
		tag := data[0]
		value, rest, ok := cut(data[1:])
		if !ok {
			return e, errEncoding
		}
		if data = rest; tag < maxFields {
			r.fields[tag] = value
		}
	}
	e.visit(r)
	var at, final int64
	r.number(tagAt, &at)
	r.number(tagFinal, &final)
	e.At, e.Final = time.UnixMicro(at).UTC(), final != 0
	if b := r.fields[tagWould]; b != nil && json.Unmarshal(b, &e.Would) != nil {
		r.err = errEncoding
	}
	if e.Kind == "" {
		r.err = errEncoding
	}
	return e, r.err
}

// cut takes a length and so many bytes off.
func cut(b []byte) (value, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	b = b[size:]
	return b[:n:n], b[n:], true
}

func (r *decoder) text(tag byte, s *string) {
	if r.last[tag] != string(r.fields[tag]) {
		r.last[tag] = string(r.fields[tag])
	}
	*s = r.last[tag]
}

func (r *decoder) number(tag byte, n *int64) {
	if b := r.fields[tag]; b != nil {
		*n = r.varint(&b)
	}
}

func (r *decoder) varint(b *[]byte) int64 {
	n, size := binary.Varint(*b)
	if size <= 0 {
		r.err = errEncoding
		return 0
	}
	*b = (*b)[size:]
	return n
}

// counters reads counters, of which an earlier version wrote the first three.
func (r *decoder) counters(b []byte) *rules.Counters {
	if b == nil {
		return nil
	}
	c := &rules.Counters{UserMessages: int(r.varint(&b)), MissesInARow: int(r.varint(&b)), Transfers: int(r.varint(&b))}
	if len(b) == 0 {
		return c
	}
	c.Misses, c.LastMinute, c.Repeats = int(r.varint(&b)), int(r.varint(&b)), int(r.varint(&b))
	c.Offer, c.Words = r.lengthened(&b), r.lengthened(&b)
	for len(b) > 0 && r.err == nil {
		c.Cooldowns = append(c.Cooldowns, rules.Cooldown{Rule: r.lengthened(&b), LeftS: r.varint(&b)})
	}
	return c
}

// lengthened reads what appendText wrote.
func (r *decoder) lengthened(b *[]byte) string {
	n, size := binary.Uvarint(*b)
	if size <= 0 || n == 0 || n > uint64(len(*b)-size)+1 {
		r.err = errEncoding
		return ""
	}
	s := string((*b)[size : size+int(n)-1])
	*b = (*b)[size+int(n)-1:]
	return s
}

func (r *decoder) list(tag byte, l *[]string) {
	for b := r.fields[tag]; len(b) > 0; {
		value, rest, ok := cut(b)
		if !ok {
			r.err = errEncoding
			return
		}
		*l, b = append(*l, string(value)), rest
	}
}

func (r *decoder) rules(b []byte) (all []rules.RuleStory) {
	var rule rules.RuleStory
	for len(b) > 0 {
		for i, s := range []*string{&rule.ID, &rule.Result, (*string)(&rule.Reason), &rule.Why} {
			n, size := binary.Uvarint(b)
			if size <= 0 || n > uint64(len(b)-size)+1 || n == 0 && i == 0 {
				r.err = errEncoding
				return all
			}
			if b = b[size:]; n > 0 {
				*s, b = string(b[:n-1]), b[n-1:]
			}
		}
		all = append(all, rule)
	}
	return slices.Clip(all)
}
