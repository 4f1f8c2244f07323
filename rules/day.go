package rules

import (
	"time"

	"escalator/rules/lang"
)

// dayNames are the days of the week, as time.Weekday counts them.
var dayNames = [...]lang.Text{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

// Day is a time with the day of its week before it; the layout is that of time.Format, without the day of the week.
func Day(t time.Time, layout string) lang.Text {
	return lang.Say("%s %s", dayNames[t.Weekday()], t.Format(layout))
}
