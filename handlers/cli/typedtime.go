package cli

import (
	"flag"
	"strings"
	"time"

	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/replay"
)

// typedTime is a time as people type it: whole, or without its zone, or an hour alone.
type typedTime struct {
	at    time.Time
	zoned bool // it has its own zone
	dated bool // it has its own day
}

// timeForms are the ways to write a time without its zone.
var timeForms = []string{"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05"}

// atFlag declares the flag for the time at which a message is said.
func atFlag(fs *flag.FlagSet) *typedTime {
	m := &typedTime{at: replay.DefaultTime, zoned: true, dated: true}
	fs.Func("at", "`time` of the messages: 23:00 on the default Monday, \"2026-12-01 23:00\" in the zone of the calendars, or "+
		"2026-01-05T10:00:00+08:00 (the default)", m.read)
	return m
}

func (m *typedTime) read(s string) error {
	s = strings.ReplaceAll(strings.TrimSpace(s), "：", ":")
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		*m = typedTime{at, true, true}
		return nil
	}
	for _, form := range timeForms {
		if at, err := time.Parse(form, s); err == nil {
			*m = typedTime{at, false, true}
			return nil
		}
	}
	at, err := time.Parse("15:04", s)
	if err != nil {
		return lang.Errorf("%q is not a time like 23:00, \"2026-12-01 23:00\" or %s", s, replay.DefaultTime.Format(time.RFC3339))
	}
	*m = typedTime{at, false, false}
	return nil
}

// of is the time in the zone of the policy's calendars, else in that of the default time.
func (m *typedTime) of(p *rules.Policy) time.Time {
	if m.zoned {
		return m.at
	}
	zone := p.Zone()
	if zone == nil {
		zone = replay.DefaultTime.Location()
	}
	day := replay.DefaultTime
	if m.dated {
		day = m.at
	}
	y, month, d := day.Date()
	return time.Date(y, month, d, m.at.Hour(), m.at.Minute(), m.at.Second(), 0, zone)
}
