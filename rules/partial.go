package rules

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

// This file is about rules that are not for everybody, or not for ever: `share`, `from` and `until`.

var (
	aShare = &shape{
		name: "a share from 0.1% to 100%", ref: "share", pattern: `^(100(\.0)?|[1-9][0-9]?(\.[0-9])?|0\.[1-9])%$`,
		meant: meantShare,
		doc:   "A share of the customers, from 0.1% to 100%. A larger share keeps those who were in.", examples: []string{"10%", "0.5%"},
	}
	aMoment = &shape{
		name: "a date or a time", ref: "moment", pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2}))?$`,
		meant: meantMoment,
		doc:   "A date, or a time with its zone.", examples: []string{"2027-02-06", "2027-02-06T09:00:00+08:00"},
	}
)

// share is a part of all customers in thousandths; 0 stands for all of them.
type share uint64

// shareOf reads "10%".
func shareOf(n *yaml.Node) share {
	f, err := strconv.ParseFloat(strings.TrimSuffix(textOf(n), "%"), 64)
	if err != nil {
		return 0
	}
	return share(f*10 + 0.5)
}

// holds says whether somebody is in the share of a thing by its kind and name. It says the same on every machine and at any
// time; whom nobody knows is in.
func (s share) holds(kind, name, who string) bool {
	if s == 0 || who == "" {
		return true
	}
	var room [256]byte
	text := append(room[:0], kind...)
	text = append(append(text, 0), name...)
	text = append(append(text, 0), who...)
	sum := sha256.Sum256(text)
	return binary.BigEndian.Uint64(sum[:8])%1000 < uint64(s)
}

// String writes the share as files do, "" for everybody.
func (s share) String() string {
	if s == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(s)/10, 'f', -1, 64) + "%"
}

// absence is why a rule is off for a turn though its mode is not.
type absence uint8

const (
	present absence = iota
	tooEarly
	tooLate
	outOfShare
)

// absent says whether a rule is off at a time for somebody.
func (r *rule) absent(wall time.Time, who string) absence {
	switch {
	case !r.from.IsZero() && wall.Before(r.from):
		return tooEarly
	case !r.until.IsZero() && !wall.Before(r.until):
		return tooLate
	case !r.share.holds("share", r.id, who):
		return outOfShare
	}
	return present
}

// words says why the rule is off, "" if it is not.
func (a absence) words(r *rule) lang.Text {
	switch a {
	case tooEarly:
		return lang.Say("off until %s", formatMoment(r.from))
	case tooLate:
		return lang.Say("off since %s", formatMoment(r.until))
	case outOfShare:
		return lang.Say("off for this customer, who is not in its share of %s", r.share.String())
	default:
		return ""
	}
}

func formatMoment(t time.Time) string { return t.Format("2006-01-02 15:04 -07:00") }

// partial says that a rule is not for everybody at any time.
func (r *rule) partial() bool {
	return r.share != 0 && r.share < 1000 || !r.from.IsZero() || !r.until.IsZero()
}

// limit reads for whom a rule is, and for how long.
func (l *loader) limit(r *rule, n *yaml.Node) {
	r.owner, r.share = textOf(l.get(n, "owner")), shareOf(l.get(n, "share"))
	until := l.get(n, "until")
	r.from, r.until = l.moment(l.get(n, "from"), 0), l.moment(until, 1)
	if !r.from.IsZero() && !r.until.IsZero() && !r.from.Before(r.until) {
		l.fail(until, "put a later one behind `until`; a rule of one day has the same date in both", "`until` is not after `from`")
	}
}

// moment reads the beginning of a date, so many days later, or a time; zero if there is none.
func (l *loader) moment(n *yaml.Node, days int) time.Time {
	if n == nil {
		return time.Time{}
	}
	zone := cmp.Or(l.policy.zone, time.UTC)
	if t, err := time.Parse(time.RFC3339, strings.ToUpper(n.Value)); err == nil {
		return t.In(zone)
	}
	t, err := time.ParseInLocation(time.DateOnly, n.Value, zone)
	if err != nil {
		l.fail(n, dateHint, "there is no such date or time as %s", n.Value)
		return time.Time{}
	}
	return time.Date(t.Year(), t.Month(), t.Day()+days, 0, 0, 0, 0, zone)
}

// lintEnds finds rules that are over.
func (l *loader) lintEnds() {
	for _, r := range l.written {
		if until := l.get(r.node, "until"); r.over(l.now) && r.mode != ModeOff {
			l.warn(until.Line, until.Column, "take the rule out, or give it a later end", "rule `%s` is over: it has been off since %s", r.id, formatMoment(r.until))
		}
	}
}

// over says that the rule has ended; never if the time is not known.
func (r *rule) over(now time.Time) bool {
	return !now.IsZero() && r.absent(now, "") == tooLate
}
