package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// truth makes a verdict of a plain yes or no.
func truth(b bool) verdict {
	if b {
		return verdict{state: yes}
	}
	return verdict{}
}

// counter makes a verdict of a count; one short of it is near, if this turn added to it.
func counter(have, need int, added bool) verdict {
	v := truth(have >= need)
	v.have, v.need = have, need
	v.near = added && have == need-1 && have > 0
	return v
}

// saysLeaf is `says`, and with bot true `bot_says`.
type saysLeaf struct{ test phraseTest }

func (l *saysLeaf) holds(e *evaluation) verdict {
	f := l.test.find(e)
	v := truth(f.ok)
	v.found, v.why, v.near = f, f.why, !f.ok && f.why != ""
	return v
}

func (l *saysLeaf) explain(e *evaluation, v verdict) string { return l.test.explain(e, v.found) }

func (l *saysLeaf) appendMatches(e *evaluation, m []Match) []Match { return l.test.appendMatches(e, m) }

// saidLeaf is `said`: when it last held is stamped as the turns come in.
type saidLeaf struct {
	test   phraseTest
	key    uint64
	within time.Duration
}

func (l *saidLeaf) holds(e *evaluation) verdict {
	v := verdict{found: finding{hit: -1}}
	if e.kind == onUser {
		v.found = l.test.find(e)
	}
	at := e.c.said(l.key)
	v.state = truth(at != 0 && e.now-at <= l.within.Milliseconds()).state
	v.why = v.found.why
	v.near = v.state == no && v.why != ""
	return v
}

func (l *saidLeaf) explain(e *evaluation, v verdict) string {
	switch at := e.c.said(l.key); {
	case v.found.ok || v.found.why != "" && v.state == no:
		return l.test.explain(e, v.found)
	case at == 0:
		return "not said so far"
	case v.state == yes:
		return "said " + ago(e.now-at) + " ago"
	default:
		return "said " + ago(e.now-at) + " ago, which is over " + formatDuration(l.within)
	}
}

func (l *saidLeaf) appendMatches(e *evaluation, m []Match) []Match {
	if e.kind != onUser {
		return m
	}
	return l.test.appendMatches(e, m)
}

func ago(ms int64) string { return formatDuration(time.Duration(ms) * time.Millisecond) }

// said gives the stamp of a `said` condition, 0 if it never held.
func (c *Conversation) said(key uint64) int64 {
	for _, s := range c.recall().said {
		if s.key == key {
			return s.at
		}
	}
	return 0
}

// missedLeaf is `bot_missed`.
type missedLeaf struct {
	times  int
	within time.Duration
	inARow bool
}

func (l *missedLeaf) holds(e *evaluation) verdict {
	return counter(e.c.missed(e.now, l.within.Milliseconds(), l.inARow), l.times, e.counted&countedMiss != 0)
}

func (l *missedLeaf) explain(_ *evaluation, v verdict) string { return counted(v, l.within) }

// counted words a counter: "2 of 3 in 15m".
func counted(v verdict, within time.Duration) string {
	return fmt.Sprintf("%d of %d in %s", v.have, v.need, formatDuration(within))
}

// repeatsLeaf is `repeats`.
type repeatsLeaf struct {
	times      int
	within     time.Duration
	similarity float64
	minChars   int
}

func (l *repeatsLeaf) holds(e *evaluation) verdict {
	n := 0
	if e.counted&countedPrint != 0 {
		n = e.c.talk.alike(e.now, l.within.Milliseconds(), l.similarity, l.minChars)
	}
	return counter(n, l.times, n > 1)
}

func (l *repeatsLeaf) explain(_ *evaluation, v verdict) string { return counted(v, l.within) }

// moodLeaf is `mood`.
type moodLeaf struct {
	list    string
	key     uint64
	set     *matchSet
	atLeast int
	within  time.Duration
}

func (l *moodLeaf) holds(e *evaluation) verdict {
	v := counter(e.c.mood(l.key, e.now, l.within.Milliseconds()), l.atLeast, false)
	return v
}

func (l *moodLeaf) explain(_ *evaluation, v verdict) string {
	return "$" + l.list + " at " + counted(v, l.within)
}

func (l *moodLeaf) appendMatches(e *evaluation, matches []Match) []Match {
	for i := range e.hits {
		if l.set.has(e.hits[i].Phrase) && l.set.weight(e.hits[i].Phrase) > 0 && e.masked(l.set, i) < 0 {
			matches = append(matches, e.match(int32(i)))
		}
	}
	return matches
}

// rateLeaf is `rate`.
type rateLeaf struct {
	messages int
	within   time.Duration
}

func (l *rateLeaf) holds(e *evaluation) verdict {
	n := 0
	if e.c.talk != nil {
		n = countSince(e.c.talk.users, e.now, l.within.Milliseconds())
	}
	return counter(n, l.messages, n > 1 && e.counted&countedUser != 0)
}

func (l *rateLeaf) explain(_ *evaluation, v verdict) string { return counted(v, l.within) }

// turnsLeaf is `turns`.
type turnsLeaf struct{ atLeast int }

func (l *turnsLeaf) holds(e *evaluation) verdict {
	return counter(int(e.c.turns), l.atLeast, false)
}

func (l *turnsLeaf) explain(_ *evaluation, v verdict) string {
	return fmt.Sprintf("%d of %d", v.have, v.need)
}

// silentLeaf is `bot_silent`.
type silentLeaf struct{ after time.Duration }

func (l *silentLeaf) holds(e *evaluation) verdict {
	return truth(e.c.waiting != 0 && e.now-e.c.waiting >= l.after.Milliseconds())
}

func (l *silentLeaf) explain(e *evaluation, _ verdict) string {
	if e.c.waiting == 0 {
		return "the customer waits for no answer"
	}
	return "silent for " + ago(e.now-e.c.waiting) + " of " + formatDuration(l.after)
}

// sendsLeaf is `sends`.
type sendsLeaf struct{ kinds Sends }

func (l *sendsLeaf) holds(e *evaluation) verdict { return truth(e.t.Sends&l.kinds != 0) }

func (l *sendsLeaf) explain(e *evaluation, _ verdict) string {
	if e.t.Sends == 0 {
		return "the message holds words only"
	}
	return "the message holds " + strings.Join(e.t.Sends.Names(), ", ")
}

// languageLeaf is `language`.
type languageLeaf struct{ languages []string }

func (l *languageLeaf) holds(e *evaluation) verdict {
	lang := e.c.Language()
	return truth(lang != "" && slices.Contains(l.languages, lang))
}

func (l *languageLeaf) explain(e *evaluation, _ verdict) string {
	if lang := e.c.Language(); lang != "" {
		return "the language is " + lang
	}
	return "the language is not known yet"
}

// hoursLeaf is `hours`.
type hoursLeaf struct{ calendar *calendar }

func (l *hoursLeaf) holds(e *evaluation) verdict { return truth(l.calendar.isOpen(e.t.At)) }

func (l *hoursLeaf) explain(e *evaluation, v verdict) string {
	word := "is closed"
	if v.state == yes {
		word = "is open"
	}
	return l.calendar.name + " " + word + " at " + e.t.At.In(l.calendar.zone).Format("Mon 2006-01-02 15:04 MST")
}

// ruleLeaf is `rule`: the other rule's `when`.
type ruleLeaf struct {
	id   string
	when *cond
}

func (l *ruleLeaf) holds(e *evaluation) verdict { return verdict{state: l.when.eval(e)} }

func (l *ruleLeaf) explain(_ *evaluation, v verdict) string {
	if v.state == yes {
		return "the condition of " + l.id + " holds"
	}
	return "the condition of " + l.id + " does not hold"
}

func (l *ruleLeaf) appendMatches(e *evaluation, m []Match) []Match { return l.when.appendMatches(e, m) }

// fieldLeaf is `field`.
type fieldLeaf struct {
	path   string
	test   string // equals, in, matches, exists, range
	values []fieldScalar
	re     *regexp.Regexp
	exists bool
	low    *decimal
	high   *decimal
}

// fieldScalar is a value of the file: a number also equals other spellings of the same number.
type fieldScalar struct {
	text   string
	number decimal
	isNum  bool
}

func (s fieldScalar) equals(value string) bool {
	if s.text == value {
		return true
	}
	if !s.isNum || leadingZero(value) {
		return false
	}
	d, ok := parseDecimal(value)
	return ok && d == s.number
}

// leadingZero tells a value such as 007, which is an id and not the number 7.
func leadingZero(s string) bool {
	return len(s) > 1 && s[0] == '0' && '0' <= s[1] && s[1] <= '9'
}

func (l *fieldLeaf) holds(e *evaluation) verdict {
	value, ok := e.field(l.path)
	switch {
	case l.test == "exists":
		return truth(ok == l.exists)
	case !ok:
		return truth(false)
	case l.test == "matches":
		return truth(l.re.MatchString(value))
	case l.test == "range":
		d, ok := parseDecimal(value)
		return truth(ok && (l.low == nil || d.compare(*l.low) >= 0) && (l.high == nil || d.compare(*l.high) <= 0))
	}
	for _, v := range l.values {
		if v.equals(value) {
			return truth(true)
		}
	}
	return truth(false)
}

func (l *fieldLeaf) explain(e *evaluation, _ verdict) string {
	value, ok := e.field(l.path)
	if !ok {
		return l.path + " is not there"
	}
	return l.path + " is " + strconv.Quote(shorten(value))
}

// field reads a value of this callback, else of the conversation's last user message, else of its start.
func (e *evaluation) field(path string) (string, bool) {
	if e.t.Fields != nil {
		if v, ok := e.t.Fields.Field(path); ok {
			return v, true
		}
	}
	m := e.c.recall()
	for _, fields := range [][]fieldValue{m.userFields, m.startFields} {
		for i := range fields {
			if fields[i].path == path {
				return fields[i].value, true
			}
		}
	}
	return "", false
}
