package desk

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// answer is a successful answer of Desk, or an object inside of one. It is read
// leniently: stored pages differ from each other in casing, in numbers that are
// texts, and in whether the figures lie in Data. What is missing or makes no
// sense is unknown, and unknown is never 0: somebody would act on it.
type answer struct{ root gjson.Result }

// get returns a member by its name; one that is spelled in another case counts
// only where the exact one is missing.
func (a answer) get(name string) (found gjson.Result) {
	if v := member(a.root, name); v.Exists() || !a.root.IsObject() {
		return v
	}
	a.root.ForEach(func(key, v gjson.Result) bool {
		if strings.EqualFold(key.Str, name) {
			found = v
		}
		return !found.Exists()
	})
	return found
}

// data returns the object in Data, or the answer itself where there is none.
func (a answer) data() answer {
	if v := enter(a.get("Data")); v.IsObject() {
		return answer{v}
	}
	return a
}

// list returns the objects of a list and whether there is one: under its name,
// as Data, or in Data under whatever name. A single object where a list should
// be is a list of one.
func (a answer) list(name string) (items []answer, ok bool) {
	v := firstOf(a.get(name), a.data().get(name), a.get("Data"))
	if v.IsObject() && !a.data().get(name).Exists() {
		v = firstArray(v)
	}
	if v.IsObject() {
		return []answer{{v}}, true
	}
	v.ForEach(func(_, item gjson.Result) bool {
		if item.IsObject() {
			items = append(items, answer{item})
		}
		return true
	})
	return items, v.IsArray()
}

// firstOf returns the first value that is an array, else the first object.
func firstOf(values ...gjson.Result) (found gjson.Result) {
	for _, v := range values {
		if v = enter(v); v.IsArray() {
			return v
		} else if v.IsObject() && !found.Exists() {
			found = v
		}
	}
	return found
}

// firstArray returns the first array inside of an object.
func firstArray(object gjson.Result) (found gjson.Result) {
	object.ForEach(func(_, v gjson.Result) bool {
		if v.IsArray() {
			found = v
		}
		return !found.Exists()
	})
	return found
}

// text returns a member as a string of its own, so that the answer can go.
func (a answer) text(name string) string { return strings.Clone(text(a.get(name))) }

// maxFigure is beyond anything that Desk counts, times in milliseconds included;
// whole numbers up to here are exact in a float64.
const maxFigure = 1 << 53

// number returns a member that is a number, or a text that is one; nil is unknown.
func (a answer) number(name string) *float64 {
	f, err := strconv.ParseFloat(strings.TrimSpace(text(a.get(name))), 64)
	if err != nil || !(math.Abs(f) <= maxFigure) { // NaN is not, either
		return nil
	}
	return &f
}

// integer returns a whole number, nil for anything else.
func (a answer) integer(name string) *int {
	f := a.number(name)
	if f == nil || *f != math.Trunc(*f) {
		return nil
	}
	n := int(*f)
	return &n
}

// figure returns a count: a negative one is unknown.
func (a answer) figure(name string) *int {
	if n := a.integer(name); n != nil && *n >= 0 {
		return n
	}
	return nil
}

// flag returns a bool that may come as a number or a text; nil is unknown.
func (a answer) flag(name string) *bool {
	v := a.get(name)
	if text(v) == "" {
		return nil
	}
	on := flag(text(v))
	return &on
}

// moment returns a Unix time in seconds, or in milliseconds where seconds would
// be thousands of years away; the zero time is unknown.
func (a answer) moment(name string) time.Time {
	n := a.figure(name)
	switch {
	case n == nil || *n == 0:
		return time.Time{}
	case *n > 1e11:
		return time.UnixMilli(int64(*n))
	}
	return time.Unix(int64(*n), 0)
}
