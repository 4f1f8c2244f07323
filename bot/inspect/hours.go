package inspect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"escalator/bot/desk"
	"escalator/rules"
	"escalator/rules/lang"
)

// hourLines compares the hours of the targets with those of Desk.
func (s *side) hourLines() (all []Finding) {
	var targets []*rules.Target
	for _, t := range s.Policy.Targets() {
		if t.Week() != nil {
			targets = append(targets, t)
		}
	}
	if len(targets) == 0 {
		return nil
	}
	for _, p := range s.hours() {
		if p.week == nil {
			all = append(all, Finding{Check: "hours", OK: true, Detail: lang.Say("unknown: the hours of %s (%s)", someOf(p.names), p.why)})
			continue
		}
		for _, t := range targets {
			all = append(all, compareWeeks(t, p))
		}
	}
	return all
}

// opening is when Desk says it is open, and where it says so.
type opening struct {
	names []lang.Text
	week  *rules.Week // nil: it cannot be read
	why   lang.Text
}

// hours are all weeks of Desk, equal ones once.
func (s *side) hours() (all []opening) {
	for _, p := range s.places() {
		week, why := weekOf(p.texts.Hours)
		i := slices.IndexFunc(all, func(o opening) bool { return o.why == why && sameWeek(o.week, week) })
		if i < 0 {
			i, all = len(all), append(all, opening{week: week, why: why})
		}
		all[i].names = append(all[i].names, p.name)
	}
	return all
}

func sameWeek(a, b *rules.Week) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.EqualFunc(a.Days[:], b.Days[:], slices.Equal[[]rules.Span])
}

func compareWeeks(t *rules.Target, p opening) Finding {
	ours := t.Week()
	f := Finding{Check: "hours", OK: true, Detail: lang.Say("target %s is open as %s says", t.ID, someOf(p.names))}
	if sameWeek(ours, p.week) {
		return f
	}
	var our, their []string
	for i := range ours.Days {
		day := (i + 1) % 7 // from Monday
		if !slices.Equal(ours.Days[day], p.week.Days[day]) {
			our, their = addDay(our, day, ours.Days[day]), addDay(their, day, p.week.Days[day])
		}
	}
	f.Detail = lang.Say("%sthe hours differ: target %s (open: %s, %s) has %s; %s has %s", warning, t.ID, ours.Calendar, ours.Zone, strings.Join(our, ", "), someOf(p.names), strings.Join(their, ", "))
	f.WayOut = "make the calendar and the working time in the console say the same; Desk's hours are read as those of the calendar's zone"
	return f
}

// addDay writes a day with its times, together with the day before it where that is the same.
func addDay(all []string, day int, spans []rules.Span) []string {
	name, times := strings.ToLower(time.Weekday(day).String()[:3]), "closed"
	if len(spans) > 0 {
		var parts []string
		for _, s := range spans {
			parts = append(parts, clock(s.From)+"-"+clock(s.To))
		}
		times = strings.Join(parts, " ")
	}
	if n := len(all); n > 0 {
		before := strings.ToLower(time.Weekday((day + 6) % 7).String()[:3])
		days, hours, _ := strings.Cut(all[n-1], " ")
		if first, last, ranged := strings.Cut(days, "-"); hours == times && (ranged && last == before || !ranged && first == before) {
			all[n-1] = first + "-" + name + " " + times
			return all
		}
	}
	return append(all, name+" "+times)
}

func clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// weekOf reads Desk's hours. How it writes days is not documented: numbers from 1 for Monday
// (0 or 7 is Sunday) and names are understood.
func weekOf(h desk.Hours) (week *rules.Week, why lang.Text) {
	if len(h.Periods) == 0 {
		if h.Type != nil {
			return nil, lang.Say("it names none; WorkTimeConfig.Type is %d", *h.Type)
		}
		return nil, "it names none"
	}
	week = &rules.Week{}
	for _, p := range h.Periods {
		day, ok := weekday(p.Day)
		from, fromOK := minuteOf(p.Start)
		to, toOK := minuteOf(p.End)
		if !ok || !fromOK || !toOK {
			return nil, lang.Say("%q %q-%q cannot be read", p.Day, p.Start, p.End)
		}
		if to <= from {
			to += 24 * 60
		}
		week.Add(day, from, to)
	}
	week.Join()
	return week, ""
}

var chineseDays = []string{"日", "一", "二", "三", "四", "五", "六"}

func weekday(text string) (day time.Weekday, ok bool) {
	if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
		return time.Weekday(n % 7), n >= 0 && n <= 7
	}
	text = strings.ToLower(strings.TrimSpace(text))
	for d := time.Sunday; d <= time.Saturday; d++ {
		name := strings.ToLower(d.String())
		if text == name || text == name[:3] {
			return d, true
		}
		for _, prefix := range []string{"周", "星期", "礼拜"} {
			if text == prefix+chineseDays[d] {
				return d, true
			}
		}
	}
	return 0, text == "周天" || text == "星期天"
}

// minuteOf reads 09:00 or 09:00:00.
func minuteOf(text string) (minute int, ok bool) {
	parts := strings.Split(strings.TrimSpace(text), ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, false
	}
	h, err := strconv.Atoi(parts[0])
	m, err2 := strconv.Atoi(parts[1])
	if text == "23:59" || text == "23:59:59" { // the end of the day, as forms write it
		return 24 * 60, true
	}
	minute = h*60 + m
	return minute, err == nil && err2 == nil && h >= 0 && m >= 0 && m < 60 && minute <= 24*60
}
