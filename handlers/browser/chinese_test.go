package browser_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// in asks the service in a language.
func (o *office) in(language, path string) string {
	o.t.Helper()
	r, err := http.NewRequestWithContext(o.t.Context(), http.MethodGet, o.admin+path, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+adminToken)
	r.Header.Set("Accept-Language", language)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return string(body)
}

func TestHistory_isReadInChinese_andKeptInEnglish(t *testing.T) {
	o := openOffice(t, nil)
	o.desk.Begin("s1")
	o.says("s1", "先别转人工")
	for _, path := range []string{"/api/conversations/s1", "/api/decisions"} {
		o.until("it is told in English", func() bool { return strings.Contains(o.in("en", path), "转人工 is negated by 别") })
		if got := o.in("zh-CN", path); !strings.Contains(got, "“转人工”被“别”否定") || strings.Contains(got, "negated by") {
			t.Errorf("%s in Chinese: %s", path, got)
		}
		if got := o.in("en", path); !strings.Contains(got, "转人工 is negated by 别") {
			t.Errorf("%s in English, after it was read in Chinese: %s", path, got)
		}
	}
	if got := o.in("en", "/api/conversations/s1"); !strings.Contains(got, `"misses_of":3`) {
		t.Errorf("how many misses call somebody is not told: %s", got)
	}
}
