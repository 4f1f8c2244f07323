package recording

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"escalator/bot/mask"
)

const phone = "13812345678"

func TestMaskBody_hidesWhatPeopleWrote_whereverItStands(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"a number in custom data", `{"CloudCustomData":"{\"phone\":13812345678,\"level\":2}"}`, `{"CloudCustomData":"{\"phone\":\"***\",\"level\":2}"}`},
		{"custom data that is an object", `{"CloudCustomData":{"a":{"b":[13812345678,true,null]}}}`, `{"CloudCustomData":{"a":{"b":["***",true,null]}}}`},
		{"a name that is a number", `{"CloudCustomData":{"13812345678":1}}`, `{"CloudCustomData":{"***":1}}`},
		{"JSON in JSON in JSON", `{"CloudCustomData":"{\"a\":\"{\\\"b\\\":13812345678}\"}"}`, `{"CloudCustomData":"{\"a\":\"{\\\"b\\\":\\\"***\\\"}\"}"}`},
		{
			"data of a custom element", `{"MsgBody":[{"MsgType":"TIMCustomElem","MsgContent":{"Data":"[13812345678]","Desc":"13812345678"}}]}`,
			`{"MsgBody":[{"MsgType":"TIMCustomElem","MsgContent":{"Data":"[\"***\"]","Desc":"***"}}]}`,
		},
		{"a number in circles, and one in other words", `{"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"①③⑧①②③④⑤⑥⑦⑧ 138、123、456、78"}}]}`, `{"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"***"}}]}`},
		{"an address at a wide @", `{"MsgBody":[{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"mail\":\"li＠example.com\"}"}}]}`, `{"MsgBody":[{"MsgType":"TIMCustomElem","MsgContent":{"Data":"{\"mail\":\"***\"}"}}]}`},
		{"a file name", `{"MsgBody":[{"MsgType":"TIMFileElem","MsgContent":{"FileName":"id 13812345678.pdf"}}]}`, `{"MsgBody":[{"MsgType":"TIMFileElem","MsgContent":{"FileName":"id ***.pdf"}}]}`},
		{"a nickname, in a field nobody knows", `{"SessionId":"s","FromNick":"li@example.com"}`, `{"SessionId":"s","FromNick":"***"}`},
		{"variables of a task flow", `{"Body":{"SystemSessionID":"s-12345","n":13812345678}}`, `{"Body":{"SystemSessionID":"s-12345","n":"***"}}`},
		{"the same as a string", `{"Body":"{\"SystemSessionID\":\"s-12345\",\"n\":\"13812345678\"}"}`, `{"Body":"{\"SystemSessionID\":\"s-12345\",\"n\":\"***\"}"}`},
		{"a variable that only looks like Tencent's", `{"Body":{"SystemNote":"call 13812345678","o":{"SystemSessionID":"13812345678"}}}`, `{"Body":{"SystemNote":"call ***","o":{"SystemSessionID":"***"}}}`},
		{"words inside of what should be an id", `{"Status":{"note":"call 13812345678"},"SatisfactionSelected":["13812345678"],"MsgSeq":7}`, `{"Status":{"note":"call ***"},"SatisfactionSelected":["***"],"MsgSeq":7}`},
		{"words where a mark belongs", `{"CloudCustomData":{"messageType":"call 13812345678"}}`, `{"CloudCustomData":{"messageType":"call ***"}}`},
	} {
		if got := string(maskBody([]byte(c.body), mask.Masked)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestKeptQuery_holdsWhatReplayNeeds_andNothingOfTheCustomer(t *testing.T) {
	const query = "SdkAppid=1&CallbackCommand=C&ClientIP=203.0.113.7&contenttype=json&Note=call+me&%4eote=x&RequestID=r&OptPlatform=iOS&RequestTime=2&Sign=planted&%53ign=planted"
	const short = "SdkAppid=1&CallbackCommand=C&contenttype=json&RequestID=r&OptPlatform=iOS&RequestTime=2"
	const whole = "SdkAppid=1&CallbackCommand=C&ClientIP=203.0.113.7&contenttype=json&Note=call+me&%4eote=x&RequestID=r&OptPlatform=iOS&RequestTime=2"
	for mode, want := range map[mask.Mode]string{mask.Masked: short, mask.None: short, mask.Full: whole} {
		if got := keptQuery(query, mode); got != want {
			t.Errorf("%s: %s, want %s", mode, got, want)
		}
	}
}

func TestMaskBody_leavesTheRestAsItCame(t *testing.T) {
	for _, same := range []string{
		`{"EventTime":9007199254740993,"MsgSeq":18446744073709551615,"Random":1e3}`,
		`{"SessionId":"first","SessionId":"second"}`, // the service takes the first
		`{"CloudCustomData":"{\"messageType\":\"fallback\",\"messageType\":\"faq\"}"}`,
		`{"z":1,"a":2}`,
		`{"ClientUserId":"13812345678","From_Account":"li@example.com"}`,
		`{"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"转人工"}},{"MsgType":"TIMFaceElem","MsgContent":{"Index":1}}]}`,
		`{"CloudCustomData":"{\"customerServicePlugin\":0,\"src\":\"22\"}"}`,
	} {
		if got := string(maskBody([]byte(same), mask.Masked)); got != same {
			t.Errorf("%s became %s", same, got)
		}
		if got := string(maskBody([]byte(same), mask.Full)); got != same {
			t.Errorf("%s became %s in full", same, got)
		}
	}
}

func TestMaskBody_none_leavesOutWordsAndNumbers_butNoMark(t *testing.T) {
	body := `{"SessionId":"s-1","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"my words"}}],` +
		`"CloudCustomData":{"messageType":"fallback","role":"any words at all","said":"my words","n":7,"deep":["my words",12],"my words":1,"Index":2},"Nick":"my words"}`
	want := `{"SessionId":"s-1","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":""}}],` +
		`"CloudCustomData":{"messageType":"fallback","role":"","said":"","n":null,"deep":["",null],"":null,"Index":2},"Nick":""}`
	if got := string(maskBody([]byte(body), mask.None)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestMaskBody_JSONInStrings_isFollowedToADepthOnly(t *testing.T) {
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	body, err := json.Marshal(map[string]string{"CloudCustomData": deep})
	if err != nil {
		t.Fatal(err)
	}
	if got := maskBody(body, mask.Masked); !json.Valid(got) {
		t.Errorf("%.100s", got)
	}
	within := strings.Repeat(`[`, 500) + phone + strings.Repeat(`]`, 500)
	body, err = json.Marshal(map[string]string{"CloudCustomData": within})
	if err != nil {
		t.Fatal(err)
	}
	if got := maskBody(body, mask.Masked); !json.Valid(got) || strings.Contains(string(got), phone) {
		t.Errorf("%.2000s", got)
	}
}

// FuzzMaskBody holds what must be true of any body: the planted number is gone
// from everything but ids, and what was an object still is one.
func FuzzMaskBody(f *testing.F) {
	f.Add(`{"CloudCustomData":"{\"a\":1}"}`, "x")
	f.Add(`{"Body":{"a":[{"b":"c"}]},"MsgBody":[1,{"MsgType":{},"MsgContent":"{}"}]}`, "y")
	f.Fuzz(func(t *testing.T, body, name string) {
		if !gjson.Valid(body) || !gjson.Parse(body).IsObject() || structural[name] || len(body) > 1<<16 {
			return
		}
		key, err := json.Marshal("x" + name)
		if err != nil {
			return
		}
		rest := strings.TrimSpace(body)[1:]
		if gjson.Parse(body).Get("@keys.#").Int() > 0 {
			rest = "," + rest
		}
		planted := `{` + string(key) + `:["` + phone + `",` + phone + `]` + rest
		if strings.Contains(body, phone) || !json.Valid([]byte(planted)) {
			return
		}
		for _, mode := range []mask.Mode{mask.Masked, mask.None} {
			got := maskBody([]byte(planted), mode)
			if !json.Valid(got) || strings.Contains(string(got), phone) {
				t.Errorf("%s: %s became %s", mode, planted, got)
			}
		}
	})
}
