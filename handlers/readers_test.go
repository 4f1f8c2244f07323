package handlers_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
