package browser_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// testOf is the YAML that the dialog shows.
func (p *tab) testOf() string {
	p.t.Helper()
	p.until("the test is written", `document.querySelector('dialog pre')?.textContent.includes('name:')`)
	return p.eval(`document.querySelector('dialog pre').textContent`)
}

func TestConsoleInABrowser_playground(t *testing.T) {
	o := openOffice(t, nil)
	p := o.watch("/console/try", "en")
	p.shows("Say something as the customer")
	p.enter("What is said", "先别转人工")
	p.shows("Not transferred: ask-human was a near miss (negated).", "typing")
	p.press(kb.Enter)
	p.click("Bot")
	p.enter("What is said", "抱歉，我还没有学会这个问题"+kb.Enter)
	p.click("Time")
	p.click("5m")
	p.enter("What is said", "转人工"+kb.Enter)
	p.shows("Transferred to default: ask-human matched.", "Time: 5m")
	p.click("Desk")
	p.click("queued")
	p.shows("the customer waits in the queue")
	p.click("Make a test")
	p.enter("Name of the test", "from the playground")
	p.until("it has its name", `document.querySelector('dialog pre').textContent.includes('from the playground')`)
	yaml := p.testOf()
	o.writeRules("\ntests:\n", "\ntests:\n"+indented(yaml))
	var told struct {
		Passed int `json:"passed"`
		Failed int `json:"failed"`
	}
	answer := p.eval(`fetch('/api/test', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{}'}).then((r) => r.text())`)
	if err := json.Unmarshal([]byte(answer), &told); err != nil || told.Failed != 0 || !strings.Contains(answer, "from the playground") {
		t.Errorf("%v: the test does not pass:\n%s\n%s", err, yaml, answer)
	}
	t.Run("compared with the file on disk", func(*testing.T) {
		p.click("Close")
		o.writeRules("says: [$ask_human]", "says: [地址]")
		p.eval(`(() => { const s = document.querySelector('select[aria-label="Compare with"]'); s.value = 'disk'; s.dispatchEvent(new Event('change')); return ''; })()`)
		p.until("what differs is marked", `document.querySelector('.differs')`)
	})
}

// The service is slow: its answer about the talk before comes when the next message was added, but not yet asked about.
func TestConsoleInABrowser_anAnswerThatIsLate_choosesNoTurn(t *testing.T) {
	o := openOffice(t, nil)
	g := newGate(t, o)
	p := o.watch("/console/try", "en")
	p.shows("Say something as the customer")
	p.eval(`(() => {
		const ask = setTimeout, fetched = fetch;
		window.setTimeout = (f, ms) => (ms === 0 && window.waits ? (window.next = f, 0) : ask(f, ms));
		window.fetch = (...what) => { const answer = fetched(...what); if (String(what[0]).endsWith('/api/explain')) answer.then((r) => r.clone().text()).finally(() => { window.answered = true; }).catch(() => {}); return answer; };
		return '';
	})()`)
	late := g.hold("/api/explain")
	p.enter("What is said", "先别转人工"+kb.Enter)
	<-late.came
	p.eval("window.waits = true; ''")
	p.enter("What is said", "转人工"+kb.Enter)
	close(late.goes)
	p.until("the late answer has come, or nobody waits for it", "window.answered")
	p.eval("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(''))))")
	p.eval("window.waits = false; window.next(); ''")
	p.shows("Transferred to default: ask-human matched.")
	t.Run("times are the reader's, not the service's", func(*testing.T) {
		p.click("Time")
		p.click("5m")
		p.until("until when it waits", `(() => {
			const [h, m, s] = ([...document.querySelectorAll('.event .quiet')].at(-1)?.textContent || '').split(':').map(Number);
			const then = new Date(2000, 0, 1, h, m + 5, s).toTimeString().slice(0, 8);
			return document.querySelector('.why-panel').innerText.includes('until ' + then);
		})()`)
	})
}

// indented sets lines as an entry of a list under a key.
func indented(yaml string) string {
	lines := strings.SplitAfter(strings.TrimRight(yaml, "\n")+"\n", "\n")
	if strings.HasPrefix(lines[0], "- ") {
		for i := range lines {
			if strings.TrimSpace(lines[i]) != "" {
				lines[i] = "  " + lines[i]
			}
		}
	}
	return strings.Join(lines, "")
}
