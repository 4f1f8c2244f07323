package desk

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// scanned lists the path and the text of all that the scanner finds.
func scanned(s *scanner, path string) (found []string) {
	switch s.token() {
	case '{':
		s.at++
		for first := true; s.more('}', first); first = false {
			found = append(found, scanned(s, path+"/"+s.key())...)
		}
	case '[':
		s.at++
		for first := true; s.more(']', first); first = false {
			found = append(found, scanned(s, path+"/#")...)
		}
	default:
		found = append(found, path+"="+s.value().text())
	}
	return found
}

// parsed is scanned by gjson.
func parsed(v gjson.Result, path string) (found []string) {
	if v.Type != gjson.JSON {
		return []string{path + "=" + text(v)}
	}
	array := v.IsArray()
	v.ForEach(func(key, v gjson.Result) bool {
		name := key.Str
		if array {
			name = "#"
		}
		found = append(found, parsed(v, path+"/"+name)...)
		return true
	})
	return found
}

// compare is an error where the scanner and gjson do not agree.
func compare(src string) error {
	if tooDeep(src) {
		return nil
	}
	s := scanner{b: []byte(src)}
	v := s.value()
	if ok := s.ended(); ok != gjson.Valid(src) {
		return fmt.Errorf("the scanner takes it: %v", ok)
	} else if !ok {
		return nil
	}
	want := gjson.Parse(src)
	if v.raw != strings.Trim(src, " \t\r\n") || v.text() != text(want) {
		return fmt.Errorf("%q says %q, want %q", v.raw, v.text(), text(want))
	}
	if got, want := scanned(&scanner{b: []byte(src)}, ""), parsed(want, ""); !slices.Equal(got, want) {
		return fmt.Errorf("found %q, want %q", got, want)
	}
	for _, name := range []string{"a", "b", ""} {
		if got, want := v.member(name), member(want, name); got.raw != want.Raw || got.text() != text(want) {
			return fmt.Errorf("member %q is %q, want %q", name, got.raw, want.Raw)
		}
	}
	return nil
}

var scans = []string{
	`{"a":"b","b":[1,-0,0.5,1e9,-12.25E-3,true,false,null,"",{}, [] ],"a":{"a":1}}`, `{"a":"12345678\"12345678","b":"\u0041\\ud83d"}`,
	" \t\r\n{} \n", `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{"a" 1}`, `{a:1}`, `[1 2]`, `[1,]`, `[,1]`, `[`, `{`, `]`, `{"a":1`, `{"a":1}}`, ``, ` `, "\x00", "{}\x00", `"a`, `"\`, `"\x"`,
	`"\u12"`, `"\u12g4"`, "\"a\nb\"", "\"1234567\x1f\"", "\"12345678\xff\"", "\"\xe4\xba\xba工客服人工\\n客服\"", "\"aaaaaaa\u00e9\"", `"` + strings.Repeat("人工", 9) + `"`,
	`01`, `-`, `-a`, `1.`, `.5`, `1e`, `1e+`, `+1`, `truex`, `tru`, `nul`, `nulL`, `NaN`, `{"a":tru}`, `{"":"","\u0061":2}`, `"!#[]^` + "\x7f\x80" + `"`, "\"\\\x80\"",
}

func TestScanner_agreesWithGjson(t *testing.T) {
	for _, src := range scans {
		if err := compare(src); err != nil {
			t.Errorf("%q: %v", src, err)
		}
		for pad := range 9 { // wherever a word of eight bytes ends
			if err := compare(`{"a":"` + strings.Repeat("x", pad) + `","b":` + src + `}`); err != nil {
				t.Errorf("%q behind %d: %v", src, pad, err)
			}
		}
	}
}

func FuzzScanner(f *testing.F) {
	for _, src := range scans {
		f.Add(src)
	}
	for _, name := range []string{"session_event", "task_flow", "bot_group", "start_message", "system_prompt"} {
		f.Add(string(sample(f, name)))
	}
	f.Fuzz(func(t *testing.T, src string) {
		if err := compare(src); err != nil {
			t.Error(err)
		}
	})
}
