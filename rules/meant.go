package rules

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"escalator/rules/lang"
)

// This file guesses what somebody meant who wrote a share, a date or opening hours in another way than the language has.
// A guess is only shown when it is right as it stands.

// guess words a guess for a text that the shape does not allow, "" if there is none.
func (s *shape) guess(text string) lang.Text {
	if s.meant == nil {
		return ""
	}
	if m := s.meant(strings.ToLower(strings.TrimSpace(text))); m != "" && s.matches(m) {
		return lang.Say("did you mean %s?", m)
	}
	return ""
}

// meantShare reads 10, 10 % and 12.34%. What lies below 1 and has no sign may be meant in two ways.
func meantShare(text string) string {
	number, signed := strings.CutSuffix(strings.ReplaceAll(text, "％", "%"), "%")
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !signed && f < 1 {
		return ""
	}
	return strconv.FormatFloat(f, 'f', -1, 64) + "%"
}

var otherDate = regexp.MustCompile(`^([0-9]{4})([-/.年]?)([0-9]{1,2})([-/.月]?)([0-9]{1,2})日?(?:[ t]*([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?)?$`)

// meantMoment reads 2027/2/6, 20270206 and 2027年2月6日, with or without a time. A time needs a zone; most who leave it
// out have that of China.
func meantMoment(text string) string {
	m := otherDate.FindStringSubmatch(text)
	switch {
	case m == nil || (m[2] == "") != (m[4] == "") || m[2] == "" && len(m[3])+len(m[5]) != 4:
		return ""
	case m[6] == "":
		return fmt.Sprintf("%s-%02s-%02s", m[1], m[3], m[5])
	}
	return fmt.Sprintf("%s-%02s-%02sT%02s:%s:%02s+08:00", m[1], m[3], m[5], m[6], m[7], m[8])
}

var (
	daysInWords = strings.NewReplacer(weekdayWords()...)
	clockTime   = regexp.MustCompile(`([0-9]{1,2})(?::([0-9]{2}))?(?: ?(am|pm))?`)
	onlySpans   = regexp.MustCompile(`^[0-9]{2}:`)
)

// weekdayWords gives other words for days, and for what joins and separates them, each with the language's own.
func weekdayWords() []string {
	words := []string{
		"每天", "mon-sun ", "daily", "mon-sun", "every day", "mon-sun", "工作日", "mon-fri ", "weekdays", "mon-fri", "周末", "sat-sun ", "weekends", "sat-sun", "weekend", "sat-sun",
		"至", "-", "到", "-", "~", "-", "～", "-", "–", "-", "—", "-", " to ", "-", " - ", "-", "点", ":00", "：", ":", "，", " ", ",", " ", "、", " ", "；", " ", ";", " ",
	}
	chinese := []string{"日", "一", "二", "三", "四", "五", "六"}
	for i, name := range []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"} {
		words = append(words, name, name[:3])
		for _, week := range []string{"周", "星期", "礼拜"} {
			words = append(words, week+chinese[i], name[:3]+" ")
		}
	}
	return append(words, "周天", "sun ", "星期天", "sun ")
}

// meantHours reads Mon-Fri 9-18, 周一至周五 9:00~18:00 and mon-fri 9am-6pm.
func meantHours(text string) string {
	text = daysInWords.Replace(strings.ReplaceAll(text, "/", " "))
	text = clockTime.ReplaceAllStringFunc(text, func(t string) string {
		m := clockTime.FindStringSubmatch(t)
		hour, _ := strconv.Atoi(m[1])
		switch {
		case m[3] == "pm" && hour < 12:
			hour += 12
		case m[3] == "am" && hour == 12:
			hour = 0
		}
		return fmt.Sprintf("%02d:%02s", hour, m[2])
	})
	text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), " -", "-")
	if onlySpans.MatchString(text) {
		text = "mon-fri " + text
	}
	return text
}

var otherDays = regexp.MustCompile(`^(.*[0-9日]{2})(?: ?- ?|~|～|至|到| to )([0-9]{4}.*)$`)

// meantDays reads sunday, 周日, 2027/2/6 and 2027-02-06 - 2027-02-12.
func meantDays(text string) string {
	if m := otherDays.FindStringSubmatch(text); m != nil && len(m[1]) >= 8 {
		return meantMoment(strings.TrimSpace(m[1])) + ".." + meantMoment(m[2])
	}
	if day := meantMoment(text); day != "" {
		return day
	}
	return strings.ReplaceAll(strings.Join(strings.Fields(daysInWords.Replace(text)), " "), " -", "-")
}
