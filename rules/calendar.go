package rules

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"escalator/rules/lang"
)

// calendar tells when something is open. Hours are wall-clock hours of its zone, so they follow daylight saving time,
// and hours over midnight belong to the day on which they start.
type calendar struct {
	name   string
	zone   *time.Location
	week   [7][]hours // by time.Weekday
	shut   [7]bool    // closed every week, by time.Weekday
	closed []days
	extra  []extraDay
}

// hours are minutes after midnight; to may exceed a day's minutes: 22:00-06:00 is 1320 to 1800.
type hours struct{ from, to int }

const minutesADay = 24 * 60

// day is a date as a number that can be compared: 20270206.
type day int

func dayOf(t time.Time) day {
	y, m, d := t.Date()
	return day(y*10000 + int(m)*100 + d)
}

// String writes the date as files do.
func (d day) String() string {
	s := strconv.Itoa(100_000_000 + int(d))[1:]
	return s[:4] + "-" + s[4:6] + "-" + s[6:]
}

type days struct{ first, last day }

type extraDay struct {
	day   day
	hours hours
}

// isOpen says whether the calendar is open at a time.
func (k *calendar) isOpen(at time.Time) bool {
	local := at.In(k.zone)
	minute := local.Hour()*60 + local.Minute()
	if k.openOn(local, minute) {
		return true
	}
	// Yesterday by the calendar, not 24 hours ago: on the day after a change of the clock they differ.
	y, m, d := local.Date()
	yesterday := time.Date(y, m, d-1, 12, 0, 0, 0, k.zone)
	return k.openOn(yesterday, minute+minutesADay)
}

// openOn says whether hours that start on the date of t cover a minute counted from that date's midnight.
func (k *calendar) openOn(t time.Time, minute int) bool {
	date := dayOf(t)
	for _, e := range k.extra {
		if e.day == date && e.hours.cover(minute) {
			return true
		}
	}
	if k.shut[t.Weekday()] {
		return false
	}
	for _, c := range k.closed {
		if c.first <= date && date <= c.last {
			return false
		}
	}
	for _, h := range k.week[t.Weekday()] {
		if h.cover(minute) {
			return true
		}
	}
	return false
}

// meets says that both calendars may be open at one time. Where that hangs on more than the week, it says yes.
func (k *calendar) meets(o *calendar) bool {
	if k.zone.String() != o.zone.String() || len(k.extra)+len(o.extra) > 0 {
		return true
	}
	for day, hs := range k.week {
		if k.shut[day] {
			continue
		}
		for _, h := range hs {
			for minute := h.from; minute < h.to; minute++ {
				d, m := (day+minute/minutesADay)%7, minute%minutesADay
				if o.coversOn(d, m) || o.coversOn((d+6)%7, m+minutesADay) {
					return true
				}
			}
		}
	}
	return false
}

func (k *calendar) coversOn(weekday, minute int) bool {
	return !k.shut[weekday] && slices.ContainsFunc(k.week[weekday], func(h hours) bool { return h.cover(minute) })
}

func (h hours) cover(minute int) bool { return h.from <= minute && minute < h.to }

// lastDay is the last date that the calendar names, 0 if it names none.
func (k *calendar) lastDay() day {
	var last day
	for _, c := range k.closed {
		last = max(last, c.last)
	}
	for _, e := range k.extra {
		last = max(last, e.day)
	}
	return last
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// addWeekly reads "mon-fri 09:00-12:00 13:00-18:00"; the problem is "" when it is right.
func (k *calendar) addWeekly(text string) (problem, hint lang.Text) {
	dayText, hourText, _ := strings.Cut(text, " ")
	days, problem, hint := parseWeekdays(dayText)
	if problem != "" {
		return problem, hint
	}
	for span := range strings.SplitSeq(hourText, " ") {
		h, problem, hint := parseHours(span)
		if problem != "" {
			return problem, hint
		}
		for _, d := range days {
			k.week[d] = append(k.week[d], h)
		}
	}
	return "", ""
}

// parseWeekdays reads "mon" or "fri-mon", by time.Weekday.
func parseWeekdays(text string) (days []int, problem, hint lang.Text) {
	firstText, lastText, isRange := strings.Cut(text, "-")
	if !isRange {
		lastText = firstText
	}
	first, last := slices.Index(weekdays, firstText), slices.Index(weekdays, lastText)
	for _, w := range []string{firstText, lastText} {
		if !slices.Contains(weekdays, w) {
			if hint := DidYouMean(w, weekdays); hint != "" {
				return nil, lang.Say("%s is no day of the week", strconv.Quote(w)), hint
			}
			return nil, lang.Say("%s is no day of the week", strconv.Quote(w)), "write mon, tue, wed, thu, fri, sat or sun"
		}
	}
	for d := first; ; d = (d + 1) % 7 {
		if days = append(days, d); d == last {
			return days, "", ""
		}
	}
}

// addClosed reads "2027-02-06", "2027-02-06..2027-02-12" or "sun".
func (k *calendar) addClosed(text string) (problem, hint lang.Text) {
	if text[0] >= 'a' {
		days, problem, hint := parseWeekdays(text)
		for _, d := range days {
			k.shut[d] = true
		}
		return problem, hint
	}
	firstText, lastText, isRange := strings.Cut(text, "..")
	if !isRange {
		lastText = firstText
	}
	first, ok := parseDay(firstText)
	if !ok {
		return lang.Say("%s is no date", firstText), dateHint
	}
	last, ok := parseDay(lastText)
	if !ok {
		return lang.Say("%s is no date", lastText), dateHint
	}
	if last < first {
		return lang.Say("%s comes before %s", lastText, firstText), lang.Say("did you mean %s?", lastText+".."+firstText)
	}
	k.closed = append(k.closed, days{first, last})
	return "", ""
}

// addExtra reads "2027-02-14 09:00-18:00".
func (k *calendar) addExtra(text string) (problem, hint lang.Text) {
	dayText, hourText, _ := strings.Cut(text, " ")
	date, ok := parseDay(dayText)
	if !ok {
		return lang.Say("%s is no date", dayText), dateHint
	}
	for span := range strings.SplitSeq(hourText, " ") {
		h, problem, hint := parseHours(span)
		if problem != "" {
			return problem, hint
		}
		k.extra = append(k.extra, extraDay{date, h})
	}
	return "", ""
}

// isShut says that every week the days with hours are closed, and there are no others.
func (k *calendar) isShut() bool {
	for day, hs := range k.week {
		if len(hs) > 0 && !k.shut[day] {
			return false
		}
	}
	return len(k.extra) == 0
}

const dateHint = "dates are year-month-day, such as 2027-02-06"

func parseDay(text string) (day, bool) {
	t, err := time.Parse(time.DateOnly, text)
	return dayOf(t), err == nil
}

// parseHours reads "09:00-21:00".
func parseHours(text string) (h hours, problem, hint lang.Text) {
	fromText, toText, _ := strings.Cut(text, "-")
	from, ok := parseClock(fromText)
	if !ok || from == minutesADay {
		return h, lang.Say("%s is no time of day", fromText), "hours go from 00:00 to 24:00"
	}
	to, ok := parseClock(toText)
	switch {
	case !ok:
		return h, lang.Say("%s is no time of day", toText), "hours go from 00:00 to 24:00"
	case to == from:
		return h, lang.Say("%s is no time at all", text), "for the whole day write 00:00-24:00"
	case to < from:
		to += minutesADay
	}
	return hours{from, to}, "", ""
}

func parseClock(text string) (minute int, ok bool) {
	hourText, minuteText, _ := strings.Cut(text, ":")
	h, err1 := strconv.Atoi(hourText)
	m, err2 := strconv.Atoi(minuteText)
	minute = h*60 + m
	return minute, err1 == nil && err2 == nil && h >= 0 && m >= 0 && m < 60 && minute <= minutesADay
}
