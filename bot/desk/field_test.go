package desk

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEvent_Field_walksPlainPaths(t *testing.T) {
	e := decode(t, "", `{
		"CloudCustomData":"{\"level\":\"gold\",\"n\":1.50,\"list\":[1,{\"a\":null}],\"in\":\"{\\\"deep\\\":true}\"}",
		"MsgBody":[{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"x\":7}"}}],
		"Body":{"x":"1","a.b":"dotted","*":"star","#":"hash","@reverse":"at","":{"":"empty"},"0":"zero","dup":1,"dup":2},
		"no":false,"nothing":null}`)
	tests := []struct {
		path, want string
		ok         bool
	}{
		{"CloudCustomData.level", "gold", true},
		{"CloudCustomData.n", "1.50", true},
		{"CloudCustomData.list", `[1,{"a":null}]`, true},
		{"CloudCustomData.list.0", "1", true},
		{"CloudCustomData.list.1.a", "", false},
		{"CloudCustomData.list.2", "", false},
		{"CloudCustomData.list.-1", "", false},
		{"CloudCustomData.list.+1", "", false},
		{"CloudCustomData.in.deep", "true", true},
		{"MsgBody.0.MsgContent.Data.x", "7", true},
		{"MsgBody.0.MsgContent.Data", `{"x":7}`, true},
		{"MsgBody.#", "", false},
		{"MsgBody.0.MsgContent.Data.x.y", "", false},
		{"Body.x", "1", true},
		{"Body.*", "star", true},
		{"Body.#", "hash", true},
		{"Body.@reverse", "at", true},
		{"Body.a.b", "", false},
		{`Body.a\.b`, "", false},
		{"Body..", "empty", true},
		{"Body.0", "zero", true},
		{"Body.dup", "1", true},
		{"body.x", "", false},
		{"no", "false", true},
		{"nothing", "", false},
		{"", "", false},
		{"missing", "", false},
	}
	for _, tt := range tests {
		if got, ok := e.Field(tt.path); got != tt.want || ok != tt.ok {
			t.Errorf("Field(%q) = %q, %v, want %q, %v", tt.path, got, ok, tt.want, tt.ok)
		}
	}
}

func TestEvent_Task_readsVariablesByTheirExactName(t *testing.T) {
	e := decode(t, "", `{"CallbackCommand":"Chatbot.InterfaceInvocation","Body":{"a.b":"1","n":2,"z":null}}`)
	for name, want := range map[string]string{"a.b": "1", "n": "2", "z": "", "a": ""} {
		if got, ok := e.Task(name); got != want || ok != (want != "") {
			t.Errorf("Task(%q) = %q, %v", name, got, ok)
		}
	}
	if v, ok := (&Event{}).Task("x"); ok || v != "" {
		t.Error("a variable out of nothing")
	}
	if v, ok := (&Event{}).Field("x"); ok || v != "" {
		t.Error("a field out of nothing")
	}
}

// FuzzDecode also checks Field against a naive walk with encoding/json.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"session_event", "task_flow", "bot_group", "start_message", "system_prompt"} {
		f.Add("CallbackCommand=A&SdkAppid=1", string(sample(f, name)), "MsgBody.0.MsgContent.Text")
	}
	f.Add("", `{"CloudCustomData":"{\"a\":[\"{\\\"b\\\":1}\"]}"}`, "CloudCustomData.a.0.b")
	f.Add("", `{"a":{"a":1,"a":2}}`, "a.a")
	f.Fuzz(func(t *testing.T, query, body, path string) {
		e, err := Decode(ParseQuery(query), []byte(body))
		if err != nil {
			return
		}
		for _, s := range []string{e.Text, e.SessionID, e.Mark, e.CloudCustomData} {
			if strings.HasPrefix(s, "\xff") || (utf8.ValidString(query) && !utf8.ValidString(s)) {
				t.Errorf("invalid UTF-8: %q", s)
			}
		}
		got, ok := e.Field(path)
		if e.Body == nil || !utf8.ValidString(body) || strings.Contains(body, `\u`) || strings.Count(path, ".") > 40 {
			return
		}
		want, wantOK := naiveField([]byte(body), path)
		if got != want || ok != wantOK {
			t.Errorf("Field(%q) of %s = %q, %v, want %q, %v", path, body, got, ok, want, wantOK)
		}
	})
}

func naiveField(doc []byte, path string) (string, bool) {
	for name := range strings.SplitSeq(path, ".") {
		var s string
		if json.Unmarshal(doc, &s) == nil && string(doc) != "null" {
			if tooDeep(s) || !json.Valid([]byte(s)) {
				return "", false
			}
			doc = []byte(strings.TrimSpace(s))
		}
		var ok bool
		if doc, ok = naiveStep(doc, name); !ok {
			return "", false
		}
	}
	var s string
	switch {
	case string(doc) == "null":
		return "", false
	case json.Unmarshal(doc, &s) == nil:
		return s, true
	default:
		return string(doc), true
	}
}

func naiveStep(doc []byte, name string) (json.RawMessage, bool) {
	dec := json.NewDecoder(bytes.NewReader(doc))
	open, err := dec.Token()
	if err != nil || (open != json.Delim('{') && open != json.Delim('[')) {
		return nil, false
	}
	for i := 0; dec.More(); i++ {
		hit := false
		if open == json.Delim('{') {
			key, _ := dec.Token()
			hit = key == name
		} else if n, err := strconv.ParseUint(name, 10, 31); err == nil {
			hit = uint64(i) == n
		}
		var v json.RawMessage
		if dec.Decode(&v) != nil {
			return nil, false
		}
		if hit {
			return v, true
		}
	}
	return nil, false
}

func BenchmarkDecode(b *testing.B) {
	body := sample(b, "session_event")
	const query = "SdkAppid=1400000000&CallbackCommand=Desk.SessionEventNotify&contenttype=json&ClientIP=1.2.3.4&OptPlatform=iOS&RequestID=abc-def"
	b.Run("usual", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			e, err := Decode(ParseQuery(query), body)
			if err != nil || e.Text == "" {
				b.Fatal(err)
			}
		}
	})
	b.Run("field", func(b *testing.B) {
		e := decode(b, query, string(body))
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := e.Field("MsgBody.0.MsgContent.Text"); !ok {
				b.Fatal("missing")
			}
		}
	})
}

func TestEvent_Texts_visitseveryPlaceOfAList(t *testing.T) {
	e := decode(t, "", `{
		"MsgBody":[
			{"MsgType":"TIMTextElem","MsgContent":{"Text":"typed"}},
			{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"content\":\"one\",\"items\":[{\"t\":\"a\"},{\"t\":[\"b\",\"c\"]},{\"t\":2}]}"}},
			{"MsgType":"TIMCustomElem","MsgContent":{"Data":{"content":"two","items":"[{\"t\":\"d\"}]"}}},
			{"MsgType":"TIMCustomElem","MsgContent":{"Data":"no JSON"}},
			{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"content\":{\"header\":\"three\"}}"}},
			{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"content\":\"[OK]\"}"}},
			{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"content\":true}"}},
			null, 7],
		"CloudCustomData":"{\"label\":\"four\",\"*\":\"star\"}"}`)
	for path, want := range map[string]string{
		"MsgBody.*.MsgContent.Data.content":        "one|two|[OK]",
		"MsgBody.1.MsgContent.Data.content":        "one",
		"MsgBody.*.MsgContent.Data.content.header": "three",
		"MsgBody.*.MsgContent.Data.items.*.t":      "a|2|d",
		"MsgBody.*.MsgContent.Data.items.1.t.*":    "b|c",
		"MsgBody.*.MsgContent.Data":                "no JSON", // JSON is entered, and no text by itself
		"MsgBody.*":                                "7",
		"MsgBody":                                  "",
		"CloudCustomData.label":                    "four",
		"CloudCustomData.*":                        "star", // no list, so a name like any other
		"Missing.*.x":                              "",
	} {
		var got []string
		e.Texts(path, func(s string) bool { got = append(got, s); return true })
		if strings.Join(got, "|") != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	var first []string
	e.Texts("MsgBody.*.MsgContent.Data.items.*.t", func(s string) bool { first = append(first, s); return len(first) < 2 })
	if len(first) != 2 {
		t.Errorf("visited %q after it was enough", first)
	}
	(&Event{}).Texts("a", func(string) bool { t.Error("an event without a body has a text"); return false })
}
