package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"escalator/bot/delivery"
	"escalator/bot/stats"
	"escalator/handlers"
)

// Two people may ask at once, each in a language: no answer depends on what another was asked.
func TestOperators_areAnsweredInTheirLanguage(t *testing.T) {
	f := &playedFile{}
	listener := f.listener("")
	for _, c := range []struct{ path, body, en, zh string }{
		{"/api/test", "{}", "expected rule ask, got none", "期望规则是 ask，实际 none"},
		{"/api/test", `{"files":{"rules.yaml":"nonsense: 1\n"}}`, "the rule file has mistakes", "规则文件有错误"},
		{"/api/test", `{"files":{"rules.yaml":"nonsense: 1\n"}}`, "unknown key `nonsense`", "没有键 `nonsense`"},
	} {
		for header, want := range map[string]string{"": c.en, "en-GB,en;q=0.9,zh;q=0.1": c.en, "zh-CN,zh;q=0.9,en;q=0.8": c.zh} {
			r := asked("", http.MethodPost, c.path, c.body)
			r.Header.Set("Accept-Language", header)
			w := httptest.NewRecorder()
			listener.ServeHTTP(w, r)
			if !strings.Contains(w.Body.String(), want) || w.Header().Get("Vary") == "" {
				t.Errorf("%s for %q: %s %v", c.path, header, w.Body, w.Header())
			}
		}
	}
}

// Whatever the operators' API refuses, it says so in the reader's language.
func TestOperators_areRefusedInTheirLanguage(t *testing.T) {
	gone := &named{stats: &stats.Stats{}, err: delivery.ErrTargetGone}
	open, _ := operators(gone, nil)
	closed, _ := operators(gone, func(o *handlers.Options) { o.AdminToken = "planted-admin-token" })
	for _, c := range []struct {
		s                  *handlers.Server
		method, path, body string
		headers            []string
		en, zh             string
	}{
		{open, "GET", "/api/nothing", "", nil, "there is nothing at this address", "这个地址没有内容"},
		{open, "PATCH", "/api/rules", "", nil, "this address does not take this method", "这个地址不支持这种方法"},
		{closed, "GET", "/api/rules", "", nil, "send Authorization: Bearer", "请带上 Authorization: Bearer"},
		{open, "DELETE", "/api/users/li", "", nil, "set ESCALATOR_ADMIN_TOKEN", "请设置 ESCALATOR_ADMIN_TOKEN"},
		{open, "GET", "/api/rules", "", []string{"Host: evil.example"}, "not known by this name", "不认识这个主机名"},
		{open, "POST", "/api/reload", "{}", []string{"Content-Type: text/plain"}, "send Content-Type", "请带上 Content-Type"},
		{open, "GET", "/api/rules?x=1", "", nil, `the query has "x", but this request takes none`, `不认识查询参数 "x"，这个请求不带参数`},
		{open, "GET", "/api/stats?since=1h&since=2h", "", nil, `the query has "since" twice`, `查询参数 "since" 出现了两次`},
		{open, "GET", "/api/stats?x=1", "", nil, "this request takes: since", "这个请求可以带：since"},
		{open, "GET", "/api/decisions?outcome=lost", "", nil, `outcome has "lost"; there are: transfer`, `没有结果 "lost"；可以写：transfer`},
		{open, "GET", "/api/decisions?since=soon", "", nil, "since is a time like", "since 是"},
		{open, "GET", "/api/stats?since=48h", "", nil, "since is a time in the last 24 hours", "最近 24 小时内"},
		{open, "GET", "/api/suggest?n=0", "", nil, "n is 1 to 50", "n 是 1 到 50"},
		{open, "POST", "/api/rules/x/mute", `{"for":"999999d","by":"li","why":"w"}`, nil, "up to 168h", "最长 168h"},
		{open, "POST", "/api/rules/x/mute", `{"for":2}`, nil, `"for" must be text, not a number`, `"for" 必须是文字，而不是数字`},
		{open, "POST", "/api/rules/x/mute", `{"four":"2h"}`, nil, `it has no field "four"`, `没有字段 "four"`},
		{open, "POST", "/api/rules/unknown/mute", aMute, nil, "the rule file has no such rule", "规则文件里没有这条规则"},
		{open, "POST", "/api/drain", `{"for":"3000h"}`, nil, "up to 24h", "最长 24h"},
		{open, "DELETE", "/api/drain", "", nil, "the service is not being drained", "服务不在排空"},
		{open, "POST", "/api/outbox/s1/retry", "", nil, "no longer have this target", "已经没有这个目标"},
		{open, "POST", "/api/outbox/retry?code=x", "", nil, "say which with ?code=", "请用 ?code= 写明错误码"},
		{open, "POST", "/api/explain", "{}", nil, `send "text"`, `请发送 "text"`},
		{open, "POST", "/api/explain", `{"text":`, nil, "it ends early", "内容不完整"},
	} {
		for language, want := range map[string]string{"en": c.en, "zh-CN": c.zh} {
			w := ask(c.s, c.method, c.path, c.body, append(c.headers, "Accept-Language: "+language)...)
			var answer struct {
				Error string `json:"error"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code < 400 || !strings.Contains(answer.Error, want) {
				t.Errorf("%s %s in %s: %d %s, want %q", c.method, c.path, language, w.Code, w.Body, want)
			}
		}
	}
}
