package rules

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func calendarOf(t *testing.T, body string) *calendar {
	t.Helper()
	p := load(t, "calendars: {c: "+body+"}\nrules: [{id: r, when: {hours: c}, then: {keep: true}}]")
	return p.rules[0].when.leaf.(*hoursLeaf).calendar
}

func TestCalendar_hours(t *testing.T) {
	office := `{tz: Asia/Shanghai, open: [mon-fri 09:00-12:00, mon-fri 13:00-18:00, sat-sun 10:00-16:00], closed: [2027-02-06..2027-02-12, 2027-05-01], extra: [2027-02-11 10:00-12:00, 2027-02-15 19:00-20:00]}`
	night := `{tz: Europe/Berlin, open: [fri-mon 22:00-06:00], closed: [2027-01-02], extra: [2027-01-06 23:30-00:30]}`
	spans := `{tz: UTC, open: [mon-sun 09:00-12:00 13:00-18:00 22:00-06:00], closed: [sun, tue-wed, 2027-05-01], extra: [2027-02-21 10:00-11:00]}`
	for _, c := range []struct {
		calendar, at string
		open         bool
	}{
		{office, "2027-02-01T09:00:00+08:00", true},  // a Monday
		{office, "2027-02-01T08:59:59+08:00", false}, // a second too early
		{office, "2027-02-01T12:00:00+08:00", false}, // lunch
		{office, "2027-02-01T01:00:00Z", true},       // the same time elsewhere
		{office, "2027-02-13T09:30:00+08:00", false}, // a Saturday
		{office, "2027-02-13T10:00:00+08:00", true},
		{office, "2027-02-08T10:00:00+08:00", false}, // closed days
		{office, "2027-05-01T11:00:00+08:00", false},
		{office, "2027-02-11T11:00:00+08:00", true}, // a working day all the same
		{office, "2027-02-11T12:00:00+08:00", false},
		{office, "2027-02-15T19:30:00+08:00", true}, // extra hours of a normal day
		{office, "2027-02-15T10:00:00+08:00", true},

		{night, "2027-01-01T22:00:00+01:00", true}, // a Friday
		{night, "2027-01-02T05:59:00+01:00", true}, // still Friday's hours, though Saturday is closed
		{night, "2027-01-02T23:00:00+01:00", false},
		{night, "2027-01-03T03:00:00+01:00", false}, // Saturday's hours
		{night, "2027-01-05T05:00:00+01:00", true},  // Monday's
		{night, "2027-01-05T23:00:00+01:00", false}, // a Tuesday
		{night, "2027-01-07T00:15:00+01:00", true},  // extra hours over midnight
		// The night on which the clock goes forward at 02:00, and the one on which it goes back at 03:00: hours are
		// those of the clock on the wall.
		{night, "2027-03-28T01:59:59+01:00", true},
		{night, "2027-03-28T05:59:00+02:00", true},
		{night, "2027-03-28T06:00:00+02:00", false},
		{night, "2027-10-31T02:30:00+02:00", true},
		{night, "2027-10-31T02:30:00+01:00", true},
		{night, "2027-10-31T05:59:00+01:00", true},
		{night, "2027-10-31T06:00:00+01:00", false},
		{spans, "2027-02-05T11:59:00Z", true}, // a Friday
		{spans, "2027-02-05T12:30:00Z", false},
		{spans, "2027-02-05T13:00:00Z", true},
		{spans, "2027-02-06T05:00:00Z", true}, // Friday's third span goes over midnight
		{spans, "2027-02-06T14:00:00Z", true},
		{spans, "2027-02-07T05:00:00Z", true}, // Saturday's hours, though Sunday is closed
		{spans, "2027-02-07T10:00:00Z", false},
		{spans, "2027-02-14T10:00:00Z", false},
		{spans, "2027-02-21T10:00:00Z", true}, // a working Sunday all the same
		{spans, "2027-02-10T10:00:00Z", false},
		{`{tz: UTC, open: [mon-sun 00:00-24:00]}`, "2027-03-01T23:59:59Z", true},
		{`{tz: UTC, open: [sat-mon 08:00-09:00]}`, "2027-03-07T08:30:00Z", true}, // over the end of the week
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := calendarOf(t, c.calendar).isOpen(at); got != c.open {
			t.Errorf("%s at %s: open %v, want %v", c.calendar, c.at, got, c.open)
		}
	}
}

func TestCalendar_isOpen_allocatesNothing(t *testing.T) {
	k := calendarOf(t, `{tz: Asia/Shanghai, open: [mon-fri 09:00-12:00], closed: [2027-02-06..2027-02-12]}`)
	if n := testing.AllocsPerRun(100, func() { k.isOpen(start) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCalendar_whatIsWrong(t *testing.T) {
	for body, want := range map[string]string{
		"open: [mon-fri 09:00-12:00 13:00-25:00]":             "25:00 is no time of day",
		"open: [mon-fri 09:00-12:00, 13:00-18:00]":            `"13:00-18:00" is not opening hours`,
		"open: [mon-fri 09:00-12:00  13:00-18:00]":            `"mon-fri 09:00-12:00  13:00-18:00" is not opening hours`,
		"open: [mon-fri 09:00-12:00], closed: [fry]":          `"fry" is no day of the week`,
		"open: [mon-fri 09:00-12:00], closed: [sunday]":       `"sunday" is not a day or a range of days`,
		"open: [mon-fri 09:00-12:00], closed: [sat-son]":      `"son" is no day of the week`,
		"open: [mon-fri 09:00-12:00], closed: [2027-02-30]":   "2027-02-30 is no date",
		"open: [mon-fri 09:00-12:00], closed: [sun..mon]":     `"sun..mon" is not a day or a range of days`,
		"open: [mon-fri 09:00-12:00], closed: [sun, fri-mon]": "",
		"open: [mon-fri 09:00-12:00 13:00-18:00 19:00-20:00]": "",
	} {
		_, r := Load([]byte(fileHead+"calendars: {c: {tz: UTC, "+body+"}}\nrules: [{id: r, when: {hours: c}, then: {keep: true}}]"), LoadOptions{})
		if want == "" && !r.OK() || want != "" && (len(r.Errors) != 1 || r.Errors[0].Message.String() != want || r.Errors[0].Hint == "") {
			t.Errorf("%s: %+v", body, r.Errors)
		}
	}
}

// Days that are closed every week are never open together with anything.
func TestCalendar_closedDays_meetNothing(t *testing.T) {
	all := calendarOf(t, `{tz: UTC, open: [mon-sun 00:00-24:00], closed: [mon-sat]}`)
	monday, sunday := calendarOf(t, `{tz: UTC, open: [mon 09:00-10:00]}`), calendarOf(t, `{tz: UTC, open: [sun 09:00-10:00]}`)
	if all.meets(monday) || monday.meets(all) || !all.meets(sunday) || !sunday.meets(all) {
		t.Error("closed days are open, or open ones closed")
	}
}

func TestLint_zonesWithoutSummerTime(t *testing.T) {
	for zone, hint := range map[string]string{
		"EST": "write America/New_York", "MST": "write America/Denver", "HST": "write Pacific/Honolulu",
		"Etc/GMT-8": "write the name of a place there, such as Asia/Shanghai", "Etc/GMT+5": "write the name of a place there, such as America/New_York",
		"Etc/GMT+11": "write the name of a place there", "UTC": "", "Etc/GMT": "", "Etc/GMT+0": "", "Asia/Shanghai": "", "America/Phoenix": "",
	} {
		_, r := Load([]byte(fileHead+"calendars: {c: {tz: "+zone+", open: [mon 09:00-10:00]}}\nrules: [{id: r, when: {hours: c}, then: {keep: true}}]\n"), LoadOptions{})
		got := ""
		for _, w := range r.Warnings {
			if strings.Contains(w.Message.String(), "no summer time") {
				got = w.Hint.String()
			}
		}
		if got != hint {
			t.Errorf("%s: %q, want %q", zone, got, hint)
		}
	}
}
