package browser_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

// ask sends a request with the operators' token, for a reader of a language.
func (o *office) ask(language, method, path, body string) *http.Response {
	o.t.Helper()
	r, err := http.NewRequestWithContext(o.t.Context(), method, o.admin+path, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+adminToken)
	r.Header.Set("Accept-Language", language)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

// in reads from the service in a language.
func (o *office) in(language, path string) string {
	o.t.Helper()
	answer := o.ask(language, http.MethodGet, path, "")
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

func TestDecisions_areStreamedInTheLanguageOfTheReader(t *testing.T) {
	o := openOffice(t, nil)
	o.desk.Begin("s1")
	read := map[string]*bufio.Reader{}
	for _, language := range []string{"zh-CN", "en"} {
		read[language] = bufio.NewReader(o.ask(language, http.MethodGet, "/api/decisions?stream=1", "").Body)
	}
	o.says("s1", "先别转人工")
	for language, want := range map[string]string{"zh-CN": "“转人工”被“别”否定", "en": "转人工 is negated by 别"} {
		for line := ""; !strings.HasPrefix(line, "data: {"); {
			var err error
			if line, err = read[language].ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(line, "data: {") && !strings.Contains(line, want) {
				t.Errorf("%s: %s", language, line)
			}
		}
	}
}

func TestReadiness_isTheReaders(t *testing.T) {
	o := openOffice(t, nil)
	o.ask("en", http.MethodPost, "/api/drain", `{"for":"1ms","by":"li","why":"x"}`)
	for _, path := range []string{"/readyz", "/api/status"} {
		if got := o.in("zh-CN", path); !strings.Contains(got, "起排空，操作人 li") {
			t.Errorf("%s: %s", path, got)
		}
		if got := o.in("en", path); !strings.Contains(got, "draining since 20") {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// english is JavaScript that collects what is English on a Chinese page: three words in a row, but for the words of
// customers and of whoever wrote the rules.
const english = `(() => {
	const theirs = 'pre, code, textarea, option, noscript, .found .clip, .said, .words, .phrases, a.strong, a.strong + p, h1 + p, .bullets', found = [];
	const all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n = all.nextNode(); n; n = all.nextNode()) if (!n.parentElement.closest(theirs) && /[A-Za-z]{2,}( [a-z]{2,}){2,}/.test(n.data)) found.push(n.data);
	for (const e of document.querySelectorAll('[aria-label], [title], [placeholder]')) for (const a of ['aria-label', 'title', 'placeholder'])
		if (!e.closest(theirs) && /[A-Za-z]{2,}( [a-z]{2,}){2,}/.test(e.getAttribute(a) || '')) found.push(a + ': ' + e.getAttribute(a));
	return [...new Set(found)].join('\n');
})()`

func TestConsoleInABrowser_noEnglishIsLeftInChinese(t *testing.T) {
	o := openOffice(t, nil)
	o.busy()
	p := o.watch("/console/", "zh-CN")
	for _, v := range consolePaths {
		p.open("/console" + v.path)
		p.isThere(v.has)
		if left := p.eval(english); left != "" {
			t.Errorf("%s has English:\n%s", v.path, left)
		}
	}
}
