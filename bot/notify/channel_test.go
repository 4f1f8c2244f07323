package notify

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/desk"
	"escalator/bot/secrets"
	"escalator/rules"
)

// planted stands in every address, key and answer of these tests: nobody may see it.
const planted = "planted-4b1d"

// The signatures were computed with another program: with Python's hmac, hashlib and
// urllib, as the vendors' pages show it.
func TestSignatures_areTheVendors(t *testing.T) {
	if got, want := feishuSign("1599360473", "demo"), "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="; got != want {
		t.Errorf("Feishu: %s, want %s", got, want)
	}
	to, key := mustURL(t, "https://oapi.dingtalk.com/robot/send?access_token=abc"), desk.Secret("this is secret")
	r, err := dingtalk.request(to, key, &message{at: time.UnixMilli(1577262236757)})
	if err != nil || !strings.Contains(r.to.RawQuery, "access_token=abc") || !strings.Contains(r.to.RawQuery, "timestamp=1577262236757") ||
		!strings.Contains(r.to.RawQuery, "sign=hmPWwU%2B7lVdm3ZZz0r9tSfx0L4Q26jWOZr9%2BGs6EZQM%3D") {
		t.Errorf("DingTalk: %s, %v", r.to.RawQuery, err)
	}
	if got, want := webhookSign("key", "1700000000", []byte(`{"a":1}`)), "a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03"; got != want {
		t.Errorf("webhook: %s, want %s", got, want)
	}
}

// vendor is a local server in the place of a vendor.
type vendor struct {
	*httptest.Server
	got     chan received
	respond http.HandlerFunc
}

type received struct {
	query  string
	header http.Header
	body   map[string]any
}

func newVendor(t *testing.T, respond http.HandlerFunc) *vendor {
	t.Helper()
	v := &vendor{got: make(chan received, 100), respond: respond}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got := received{query: r.URL.RawQuery, header: r.Header}
		_ = json.Unmarshal(b, &got.body)
		v.got <- got
		respond(w, r)
	}))
	t.Cleanup(v.Close)
	return v
}

func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// folder is a folder of secrets with the address of a server.
func (v *vendor) folder(t *testing.T) secrets.Folder {
	t.Helper()
	return folderOf(t, v.URL+"/"+planted+"?key="+planted)
}

func folderOf(t *testing.T, address string) secrets.Folder {
	t.Helper()
	dir := t.TempDir()
	for name, value := range map[string]string{"url": address + "\n", "key": "key-" + planted} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return secrets.Folder(dir)
}

func teamOn(channel string) *rules.Team {
	return &rules.Team{Name: "support", Channel: channel, URLFile: "url", SecretFile: "key", Every: 10 * time.Minute, Lang: "en", On: []string{string(NoAgent)}}
}

// okay is what each vendor answers to a message that it took.
var okay = map[string]string{
	"wecom": `{"errcode":0,"errmsg":"ok"}`, "feishu": `{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}`,
	"dingtalk": `{"errcode":0,"errmsg":"ok"}`, "slack": "ok", "webhook": "",
}

func TestSendTest_isWhatEachVendorWants(t *testing.T) {
	const text = "Escalator: test message\nA test message for support. If you can read it, the settings are right."
	for channel, want := range map[string]map[string]any{
		"wecom":    {"msgtype": "text", "text": map[string]any{"content": text}},
		"feishu":   {"msg_type": "text", "content": map[string]any{"text": text}},
		"dingtalk": {"msgtype": "text", "text": map[string]any{"content": text}, "at": map[string]any{"isAtAll": false}},
		"slack":    {"text": text, "mrkdwn": false, "link_names": false, "unfurl_links": false, "unfurl_media": false},
		"webhook":  {"version": 1.0, "team": "support", "kind": "test", "over": false, "count": 1.0, "text": text},
	} {
		v := newVendor(t, answering(200, okay[channel]))
		if err := SendTest(t.Context(), teamOn(channel), v.folder(t)); err != nil {
			t.Errorf("%s: %v", channel, err)
			continue
		}
		got := <-v.got
		signed := map[string]bool{
			"feishu": got.body["sign"] != nil && got.body["timestamp"] != nil, "dingtalk": strings.Contains(got.query, "&sign=") && strings.Contains(got.query, "timestamp="),
			"webhook": strings.HasPrefix(got.header.Get(headerSignature), "sha256=") && got.header.Get(headerTimestamp) != "", "wecom": true, "slack": true,
		}
		if !signed[channel] {
			t.Errorf("%s: not signed: %+v", channel, got)
		}
		for _, varies := range []string{"sign", "timestamp", "id", "at", "since"} {
			if channel != "dingtalk" || varies != "at" {
				delete(got.body, varies)
			}
		}
		if diff := cmp.Diff(want, got.body); diff != "" {
			t.Errorf("%s: %s", channel, diff)
		}
		if !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") || !strings.Contains(got.query, "key="+planted) {
			t.Errorf("%s: %q %q", channel, got.header, got.query)
		}
	}
}

// What goes wrong is told in words of ours: nothing of the address, the key or the answer.
func TestSend_whatGoesWrong_isTold_withoutSecrets(t *testing.T) {
	elsewhere := newVendor(t, answering(200, okay["wecom"]))
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, c := range []struct {
		name, channel string
		respond       http.HandlerFunc
		address       string
		want          string
	}{
		{"refused", "wecom", answering(200, `{"errcode":93000,"errmsg":"invalid webhook url `+planted+`"}`), "", "it refuses with code 93000: the robot is not known"},
		{"wrong signature", "feishu", answering(200, `{"code":19021,"msg":"sign match fail `+planted+`"}`), "", "code 19021: the signature is refused"},
		{"old answer", "feishu", answering(200, `{"StatusCode":7}`), "", "it refuses with code 7"},
		{"security settings", "dingtalk", answering(200, `{"errcode":310000,"errmsg":"`+planted+`"}`), "", "code 310000: the robot's security settings"},
		{"no such webhook", "slack", answering(404, "no_service "+planted), "", "HTTP status 404: the webhook, or its channel, is gone"},
		{"another key", "webhook", answering(401, planted), "", "HTTP status 401: the address wants another key"},
		{"server error", "webhook", answering(502, "<html>"+planted), "", "HTTP status 502"},
		{"no answer of the vendor", "wecom", answering(200, "<html>"+planted+"</html>"), "", "what it answers is not an answer of wecom"},
		{"no code", "dingtalk", answering(200, `{"errcode":"`+planted+`"}`), "", "not an answer of dingtalk"},
		{"not ok", "slack", answering(200, planted), "", "not an answer of slack"},
		{"huge", "wecom", answering(200, strings.Repeat(planted, 10_000)), "", "its answer is larger than 64 KiB"},
		{"redirect", "wecom", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/"+planted, http.StatusFound)
		}, "", "it redirects (HTTP status 302), which is not followed"},
		{"broken off", "wecom", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "", "the connection to its host failed"},
		{"nobody there", "wecom", nil, gone.URL + "/" + planted, "nobody listens at its host"},
		{"no such name", "wecom", nil, "https://" + planted + ".invalid/", "the name of its host is not known"},
		{"plain http", "wecom", nil, "http://192.0.2.1/" + planted, "url in ESCALATOR_SECRETS_DIR is no address that begins with https://"},
		{"no address", "wecom", nil, "ftp://" + planted, "is no address that begins with https://"},
		{"blank", "wecom", nil, "https://example.com/ " + planted, "url in ESCALATOR_SECRETS_DIR has white space in it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := folderOf(t, c.address)
			if c.respond != nil {
				folder = newVendor(t, c.respond).folder(t)
			}
			err := SendTest(t.Context(), teamOn(c.channel), folder)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), planted) {
				t.Errorf("got %v, want an error with %q and without the secret", err, c.want)
			}
		})
	}
	if len(elsewhere.got) > 0 {
		t.Error("a redirect was followed: the message went elsewhere")
	}
}

func TestSend_anAddressThatHangs_isGivenUpInTime(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	hung := make(chan struct{})
	v := newVendor(t, func(http.ResponseWriter, *http.Request) { <-hung })
	defer close(hung)
	if err := SendTest(ctx, teamOn("wecom"), v.folder(t)); err == nil || !strings.Contains(err.Error(), "it does not answer within 5s") {
		t.Error(err)
	}
}

// A secret that is changed is used from the next message on.
func TestSend_readsTheSecretsEachTime(t *testing.T) {
	old, rotated := newVendor(t, answering(404, "")), newVendor(t, answering(200, okay["slack"]))
	folder := old.folder(t)
	team := teamOn("slack")
	if err := SendTest(t.Context(), team, folder); err == nil {
		t.Error("the old address takes messages")
	}
	if err := os.WriteFile(filepath.Join(string(folder), "url"), []byte(rotated.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := SendTest(t.Context(), team, folder); err != nil || len(rotated.got) != 1 {
		t.Errorf("%v, %d messages to the new address", err, len(rotated.got))
	}
}

func TestSend_waitsForAsLongAsTheAnswerAsks(t *testing.T) {
	v := newVendor(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	s := sender{v.folder(t), newPoster().post, time.Now}
	err := s.send(t.Context(), teamOn("slack"), notice{Text: "hello"})
	if failure, ok := err.(*sendError); !ok || failure.after != 30*time.Second || !failure.reached { //nolint:errorlint // it is never wrapped
		t.Errorf("%+v", err)
	}
}

// Nobody is called, and no link made, by what a customer wrote or is named.
func TestCut_keepsMarkupFromMeaningAnything(t *testing.T) {
	const evil = "<@all> <at user_id=\"all\">x</at> <!channel> <https://evil.example|here> [here](https://evil.example)\x1b[31m\u202e & more"
	for name, forbidden := range map[string][]string{
		"wecom": {"<", ">", "\x1b", "\u202e"}, "feishu": {"<", ">", "[", "]", "\x1b"}, "slack": {"<", ">", "& "}, "dingtalk": {"\x1b", "\u202e"}, "webhook": {"\x1b"},
	} {
		got := cut(evil, channels[name])
		for _, f := range forbidden {
			if strings.Contains(got, f) {
				t.Errorf("%s: %q holds %q", name, got, f)
			}
		}
	}
}

func TestCut_keepsToTheLimit_andCutsBetweenCharacters(t *testing.T) {
	for name, c := range channels {
		for _, text := range []string{strings.Repeat("会", 10_000), strings.Repeat("&", 30_000), strings.Repeat("a", c.limit), strings.Repeat("<", c.limit), strings.Repeat("😀a", 9000), "short"} {
			got := cut(text, c)
			if len(got) > c.limit || !utf8.ValidString(got) {
				t.Errorf("%s: %d bytes of %d, valid %v", name, len(got), c.limit, utf8.ValidString(got))
			}
			if i := strings.LastIndexByte(got, '&'); name == "slack" && i >= 0 && !strings.Contains(got[i:], ";") {
				t.Errorf("slack: an entity was cut: %q", got[i:])
			}
			escaped := 0
			for _, r := range text {
				escaped += len(c.escape(r))
			}
			if whole := escaped <= c.limit; whole == strings.HasSuffix(got, "…") {
				t.Errorf("%s: whole is %v, and it ends with %q", name, whole, got[len(got)-5:])
			}
		}
	}
}

func mustURL(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Whatever an address answers, it is read without a panic, and nothing of it is told.
func FuzzAnswer(f *testing.F) {
	for _, body := range append(slices.Collect(maps.Values(okay)), "", "null", `{"errcode":99999999999}`, `{"code":-1}`, "[]", "\xff") {
		f.Add(200, body)
	}
	folder := f.TempDir()
	for _, name := range []string{"url", "key"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("https://example.com"), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		for name := range channels {
			s := sender{secrets.Folder(folder), func(context.Context, *request) (answer, error) {
				return answer{status: status, body: []byte(body)}, nil
			}, time.Now}
			err := s.send(t.Context(), teamOn(name), notice{Text: "x"})
			if taken := status >= 200 && status <= 299 && (name == "webhook" || body == okay[name]); taken && err != nil {
				t.Errorf("%s: %d %q: %v", name, status, body, err)
			}
			if err != nil && len(body) > 12 && strings.Contains(err.Error(), body) {
				t.Errorf("%s: the error shows the answer %q: %v", name, body, err)
			}
		}
	})
}
