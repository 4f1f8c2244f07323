package rules

import (
	"strconv"
	"strings"
	"time"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

var calendarShape = &shape{name: "a calendar", ref: "calendar", form: formRecord, fields: []field{
	{key: "tz", of: &shape{name: "a time zone", form: formText, examples: []string{"Asia/Shanghai"}}, required: true, doc: "The time zone, such as Asia/Shanghai.", aka: []string{"timezone", "time_zone", "zone"}},
	{key: "open", of: listOf("a list of opening hours", &shape{
		name: "opening hours", pattern: `^[a-z]{3}(-[a-z]{3})?( [0-9]{1,2}:[0-9]{2}-[0-9]{1,2}:[0-9]{2})+$`,
		meant:    meantHours,
		examples: []string{"mon-fri 09:00-21:00", "mon-fri 09:00-12:00 13:00-18:00", "sun 22:00-06:00"},
		doc:      "Days and hours, one span or several; hours over midnight belong to the day on which they start.",
	}), required: true, doc: "When it is open, week by week.", aka: []string{"hours", "week"}},
	{key: "closed", of: listOf("a list of days or ranges of days", &shape{
		name: "a day or a range of days", meant: meantDays, pattern: `^([0-9]{4}-[0-9]{2}-[0-9]{2}(\.\.[0-9]{4}-[0-9]{2}-[0-9]{2})?|[a-z]{3}(-[a-z]{3})?)$`,
		examples: []string{"2027-02-06", "2027-02-06..2027-02-12", "sun"}, doc: "A date, the first and the last of several, or a day of every week.",
	}), doc: "Days on which it is closed all the same.", aka: []string{"holidays", "except"}},
	{key: "extra", of: listOf("a list of days with hours", &shape{
		name: "a day with hours", pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{1,2}:[0-9]{2}-[0-9]{1,2}:[0-9]{2})+$`,
		examples: []string{"2027-02-14 09:00-18:00"}, doc: "A date with hours, one span or several.",
	}), doc: "Working days all the same: these hours count even on a closed day."},
}, examples: []string{"{tz: Asia/Shanghai, open: [mon-fri 09:00-21:00]}"}}

// calendar reads one calendar.
func (l *loader) calendar(key, n *yaml.Node) {
	k := &calendar{name: textOf(key), zone: time.UTC}
	if tz := l.get(n, "tz"); tz != nil {
		zone, err := time.LoadLocation(tz.Value)
		if err != nil || tz.Value == "Local" {
			l.fail(tz, zoneHint(tz.Value), "there is no time zone %q", tz.Value)
		} else {
			k.zone = zone
			l.warnOfZone(tz)
		}
	}
	for _, part := range []struct {
		key  string
		read func(string) (problem, hint lang.Text)
	}{{"open", k.addWeekly}, {"closed", k.addClosed}, {"extra", k.addExtra}} {
		for _, entry := range l.items(l.get(n, part.key)) {
			if problem, hint := part.read(entry.Value); problem != "" {
				l.fail(entry, hint, "%s", problem)
			}
		}
	}
	if closed := l.get(n, "closed"); closed != nil && !l.faulty(closed) && !l.faulty(l.get(n, "open")) && k.isShut() {
		l.fail(closed, "take a day out of `closed`, or hours into `extra`", "the calendar is never open: `closed` takes every day of `open` away")
	}
	l.calendars[k.name] = k
}

// withoutSummer are zones that are named like a time of the year and stay there all year, with what people mean by them.
var withoutSummer = map[string]string{"EST": "America/New_York", "MST": "America/Denver", "HST": "Pacific/Honolulu"}

// warnOfZone warns of zones that do not follow the clocks of any place.
func (l *loader) warnOfZone(tz *yaml.Node) {
	hours, fixed := strings.CutPrefix(tz.Value, "Etc/GMT")
	place := withoutSummer[tz.Value]
	switch {
	case place != "":
		l.warn(tz.Line, tz.Column, lang.Say("write %s", place), "the time zone %s has no summer time, whatever the clocks on the wall do", tz.Value)
	case fixed && strings.TrimLeft(hours, "+-0") != "":
		l.warn(tz.Line, tz.Column, placeHint(hours), "the time zone %s has no summer time, whatever the clocks on the wall do, and its sign is turned round: it is UTC%s", tz.Value, turned(hours))
	}
}

// turned turns the sign of a number of hours round.
func turned(hours string) string {
	return strings.NewReplacer("+", "-", "-", "+").Replace(hours)
}

// placeHint asks for a place, if it can for a well-known zone that has so many hours in winter by the names of Etc/GMT.
func placeHint(hours string) lang.Text {
	n, err := strconv.Atoi(turned(hours))
	for _, name := range commonZones {
		zone, zoneErr := time.LoadLocation(name)
		if zoneErr != nil || err != nil {
			continue
		}
		if _, offset := time.Date(2026, 1, 1, 0, 0, 0, 0, zone).Zone(); offset == n*3600 {
			return lang.Say("write the name of a place there, such as %s", name)
		}
	}
	return "write the name of a place there"
}

// commonZones are the zones that a misspelt one is compared with, and what people write instead.
var commonZones = []string{
	"Asia/Shanghai", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Tokyo", "Asia/Seoul", "Asia/Singapore", "Asia/Jakarta",
	"Asia/Bangkok", "Asia/Ho_Chi_Minh", "Asia/Kuala_Lumpur", "Asia/Manila", "Asia/Kolkata", "Asia/Dubai", "Asia/Riyadh",
	"Europe/London", "Europe/Paris", "Europe/Berlin", "Europe/Madrid", "Europe/Lisbon", "Europe/Moscow", "Europe/Istanbul",
	"America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo", "America/Mexico_City",
	"Australia/Sydney", "UTC",
}

func zoneHint(zone string) lang.Text {
	switch strings.ToLower(zone) {
	case "beijing", "asia/beijing", "china", "cst", "gmt+8", "utc+8", "+08:00", "北京":
		return "did you mean Asia/Shanghai?"
	}
	if hint := DidYouMean(zone, commonZones); hint != "" {
		return hint
	}
	return "write a name such as Asia/Shanghai or Europe/Berlin"
}

// findCalendar finds a calendar by name, or complains.
func (l *loader) findCalendar(n *yaml.Node) *calendar {
	if n == nil {
		return nil
	}
	l.usedDays[n.Value] = true
	if k := l.calendars[n.Value]; k != nil {
		return k
	}
	l.failUnknown(n, "calendar", sortedKeys(l.calendars))
	return nil
}
