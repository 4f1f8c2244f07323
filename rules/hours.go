package rules

import (
	"go.yaml.in/yaml/v4"

	"escalator/rules/lang"
)

var hoursCondition = &condition{
	key: "hours", turns: onAll, value: aCalendarName,
	doc:     "Now is inside this calendar.",
	example: "hours: office",
	aka:     []string{"calendar", "open"},
	build: func(l *loader, n *yaml.Node) leaf {
		if k := l.findCalendar(n); k != nil {
			return &hoursLeaf{k}
		}
		return nil
	},
}

// hoursLeaf is `hours`.
type hoursLeaf struct{ calendar *calendar }

func (l *hoursLeaf) holds(e *evaluation) verdict { return truth(l.calendar.isOpen(e.wall)) }

func (l *hoursLeaf) explain(e *evaluation, v verdict) lang.Text {
	if v.state == yes {
		return lang.Say("%s is open at %s", l.calendar.name, Day(e.wall.In(l.calendar.zone), "2006-01-02 15:04 MST"))
	}
	return l.calendar.closedWords(e.wall)
}

func (l *hoursLeaf) implies(other leaf) bool {
	b, ok := other.(*hoursLeaf)
	return ok && l.calendar == b.calendar
}

func (l *hoursLeaf) excludes(other leaf) lang.Text {
	if b, ok := other.(*hoursLeaf); ok && !l.calendar.meets(b.calendar) {
		return lang.Say("%s and %s are never open at the same time", l.calendar.name, b.calendar.name)
	}
	return ""
}
