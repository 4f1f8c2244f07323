package rules

import (
	"slices"
	"time"

	"escalator/rules/lang"
)

// openingAhead is how many days ahead the next opening is looked for: no calendar of the week is closed for longer.
const openingAhead = 400

// opens is when a calendar that is closed opens next; false if it does not within openingAhead.
func (k *calendar) opens(at time.Time) (time.Time, bool) {
	y, m, d := at.In(k.zone).Date()
	var begins []time.Time
	for ahead := range openingAhead {
		noon := time.Date(y, m, d+ahead, 12, 0, 0, 0, k.zone)
		spans := slices.Clone(k.week[noon.Weekday()])
		for _, e := range k.extra {
			if e.day == dayOf(noon) {
				spans = append(spans, e.hours)
			}
		}
		for _, h := range spans {
			begin := time.Date(y, m, d+ahead, 0, h.from, 0, 0, k.zone)
			if begin.After(at) && k.isOpen(begin) {
				begins = append(begins, begin)
			}
		}
		if len(begins) > 0 { // hours begin on their own day, so no later day has an earlier one
			return slices.MinFunc(begins, time.Time.Compare), true
		}
	}
	return time.Time{}, false
}

// closedWords says that the calendar is closed at a time, and until when.
func (k *calendar) closedWords(at time.Time) lang.Text {
	if begin, ok := k.opens(at); ok {
		return lang.Say("%s is closed until %s", k.name, Day(begin, "2006-01-02 15:04 MST"))
	}
	return lang.Say("%s is closed", k.name)
}

// Zone is the zone of the file's only calendar, or of all if they have the same one; nil if there is none such.
func (p *Policy) Zone() *time.Location { return p.zone }

// onlyZone is the zone that all calendars have, nil if there are several or none.
func onlyZone(calendars map[string]*calendar) *time.Location {
	var zone *time.Location
	for _, k := range calendars {
		if zone != nil && zone.String() != k.zone.String() {
			return nil
		}
		zone = k.zone
	}
	return zone
}
