package desk

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// parse checks depth and form before anything is read: gjson's validator would
// overflow its stack on a body that is nested deep enough, and gjson's readers
// give plausible answers on text that is not JSON.
func parse(s string) (gjson.Result, error) {
	if tooDeep(s) {
		return gjson.Result{}, ErrTooDeep
	}
	if !gjson.Valid(s) {
		return gjson.Result{}, ErrNotObject
	}
	return gjson.Parse(s), nil
}

// tooDeep reports nesting beyond MaxDepth in one linear pass that skips
// strings. Text with few brackets, the usual case, is cleared by counting.
func tooDeep(s string) bool {
	if strings.Count(s, "{")+strings.Count(s, "[") <= MaxDepth {
		return false
	}
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{', '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case '}', ']':
			depth--
		case '"':
			for i++; i < len(s) && s[i] != '"'; i++ {
				if s[i] == '\\' {
					i++
				}
			}
		}
	}
	return false
}

// text returns a scalar as text: a number as it is written, true and false by
// name, anything else as "".
func text(v gjson.Result) string {
	switch v.Type {
	case gjson.String:
		return valid(v.Str)
	case gjson.Number, gjson.True, gjson.False:
		return v.Raw
	default:
		return ""
	}
}

// valid replaces what is not UTF-8; JSON's validator lets it pass.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, string(utf8.RuneError))
}

// member returns an object's member by its plain name, the first if there are
// several.
func member(object gjson.Result, name string) (found gjson.Result) {
	if !object.IsObject() {
		return found
	}
	object.ForEach(func(key, v gjson.Result) bool {
		if key.Str == name {
			found = v
			return false
		}
		return true
	})
	return found
}

// enter returns the object or array that a string holds as JSON text; any other
// value is returned as it is.
func enter(v gjson.Result) gjson.Result {
	if v.Type != gjson.String {
		return v
	}
	s := strings.TrimLeft(v.Str, " \t\r\n")
	if s == "" || (s[0] != '{' && s[0] != '[') {
		return v
	}
	inner, err := parse(s)
	if err != nil {
		return v
	}
	return inner
}

// step goes one name of a path on: a number is an index where an array is, a name
// where an object is.
func step(v gjson.Result, name string) gjson.Result {
	if v = enter(v); v.IsArray() {
		return element(v, name)
	}
	return member(v, name)
}

// texts visits what lies at a path in which * is every index of an array; false
// when visit wants no more.
func texts(v gjson.Result, path string, visit func(string) bool) bool {
	for more := true; more; {
		var name string
		name, path, more = strings.Cut(path, ".")
		if array := enter(v); name == "*" && array.IsArray() {
			return eachText(array, path, more, visit)
		}
		v = step(v, name)
	}
	return leafText(v, visit)
}

func eachText(array gjson.Result, path string, more bool, visit func(string) bool) (goOn bool) {
	goOn = true
	array.ForEach(func(_, v gjson.Result) bool {
		if more {
			goOn = texts(v, path, visit)
		} else {
			goOn = leafText(v, visit)
		}
		return goOn
	})
	return goOn
}

func leafText(v gjson.Result, visit func(string) bool) bool {
	if v.Type != gjson.String && v.Type != gjson.Number || enter(v).Type == gjson.JSON {
		return true
	}
	return visit(text(v))
}

// lookup walks a plain dotted path. No character of it has a meaning but the dot.
func lookup(v gjson.Result, path string) (string, bool) {
	for more := true; more; {
		var name string
		name, path, more = strings.Cut(path, ".")
		v = step(v, name)
		if !v.Exists() {
			return "", false
		}
	}
	switch v.Type {
	case gjson.Null:
		return "", false
	case gjson.JSON:
		return valid(v.Raw), true
	default:
		return text(v), true
	}
}

func element(array gjson.Result, index string) (found gjson.Result) {
	want, err := strconv.ParseUint(index, 10, 31)
	if err != nil {
		return found
	}
	array.ForEach(func(_, v gjson.Result) bool {
		if want == 0 {
			found = v
			return false
		}
		want--
		return true
	})
	return found
}
