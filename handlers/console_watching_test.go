package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"escalator/bot/desk/desktest"
	"escalator/handlers/app"
)

// watch opens a view of a signed-in tab.
func (o *office) watch(ctx context.Context, view, language string) *tab {
	o.t.Helper()
	p := o.tab(ctx, language)
	p.signIn()
	p.eval(`localStorage.setItem('escalator.author', 'li'); ''`)
	p.open(view)
	return p
}

// list is what the Live view lists, a line each: outcome and words.
func (p *tab) list() string {
	p.t.Helper()
	return p.eval(`[...document.querySelectorAll('.decision')].map((e) => e.querySelector('.outcome').innerText.trim() + ' ' + e.querySelector('.words').innerText).join('\n')`)
}

func (p *tab) lists(want string) {
	p.t.Helper()
	p.until("the list is "+want, `[...document.querySelectorAll('.decision')].map((e) => e.querySelector('.outcome').innerText.trim() + ' ' + e.querySelector('.words').innerText).join('\n') === `+quoted(want))
}

func TestConsoleInABrowser_live(t *testing.T) {
	o := openOffice(t, nil)
	p := o.watch(browser(t), "/console/", "en")
	p.shows("No decision yet", "agent free", "Messages")
	o.desk.Begin("s1")
	o.says("s1", "先别转人工")
	p.lists("near 先别转人工")
	o.says("s1", "转人工 <b>now</b>")
	p.lists("transfer 转人工 <b>now</b>\nnear 先别转人工")
	p.shows("ask-human → default", "ask-human · negated", "assigned")

	t.Run("nothing moves while it is paused", func(*testing.T) {
		p.press(" ")
		p.shows("Continue")
		o.desk.Begin("s2")
		o.says("s2", "I want to talk to a human")
		p.shows("1 new")
		if got := p.list(); strings.Contains(got, "I want") {
			t.Errorf("it is listed: %s", got)
		}
		p.click("1 new")
		p.lists("transfer I want to talk to a human\ntransfer 转人工 <b>now</b>\nnear 先别转人工")
	})
	t.Run("filters are in the address", func(*testing.T) {
		p.click("near")
		p.lists("near 先别转人工")
		if at := p.eval("location.search"); at != "?outcome=near" {
			t.Errorf("at %s", at)
		}
		p.open("/console/?outcome=near,transfer&q=PLEASE")
		p.shows("No decision matches these filters")
		o.says("s3", "为什么要转人工服务费", "a human please")
		p.lists("transfer a human please")
		p.open("/console/?outcome=keep")
		p.shows("No decision of this kind: keep")
	})
	t.Run("a label is kept", func(*testing.T) {
		p.open("/console/?outcome=near")
		p.lists("near 先别转人工")
		p.press("j")
		p.press("w")
		p.until("it is labelled", `document.querySelector('.mark.wrong[aria-pressed=true]')`)
		p.open("/console/?label=wrong")
		p.lists("near 先别转人工")
	})
}

func TestConsoleInABrowser_aLongListHasFewRowsInThePage_andStaysWhereItIs(t *testing.T) {
	const all = 450
	o := openOffice(t, nil)
	for i := range all {
		o.says(fmt.Sprintf("s%d", i), fmt.Sprintf("先别转人工 %d", i))
	}
	p := o.watch(browser(t), "/console/?outcome=near", "en")
	p.until("the newest line", `document.querySelector('.words')?.textContent === '先别转人工 449'`)
	p.until("the oldest line, after scrolling down", `(scrollTo(0, document.body.scrollHeight), [...document.querySelectorAll('.words')].at(-1)?.textContent === '先别转人工 0')`)
	if rows := p.eval(`String(document.querySelectorAll('.decision').length)`); len(rows) > 2 {
		t.Errorf("%s rows are in the page", rows)
	}
	y := p.eval(`String(scrollY)`)
	o.says("s", "先别转人工，谢谢")
	p.shows("1 new")
	if now := p.eval(`String(scrollY)`); now != y || !strings.Contains(p.list(), "先别转人工 0") {
		t.Errorf("the list moved from %s to %s", y, now)
	}
	p.click("1 new")
	p.until("the newest line", `document.querySelector('.words').textContent === '先别转人工，谢谢' && scrollY === 0`)
}

// gate is a proxy before the operators' listener that can be shut.
type gate struct {
	*httptest.Server
	shut   atomic.Bool
	forget atomic.Bool // whoever resumes names an event that is no longer kept
	held   atomic.Pointer[held]
}

// held is the next request for a path, which waits until it is let go.
type held struct {
	path       string
	came, goes chan struct{}
}

func (g *gate) hold(path string) *held {
	h := &held{path: path, came: make(chan struct{}), goes: make(chan struct{})}
	g.held.Store(h)
	return h
}

func (g *gate) keep(r *http.Request) {
	h := g.held.Load()
	if h == nil || r.URL.Path != h.path || !g.held.CompareAndSwap(h, nil) {
		return
	}
	close(h.came)
	select {
	case <-h.goes:
	case <-r.Context().Done():
	}
}

func newGate(t *testing.T, o *office) *gate {
	t.Helper()
	to, err := url.Parse(o.admin)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host }, FlushInterval: -1}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	g := &gate{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.shut.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		if g.forget.Load() && r.Header.Get("Last-Event-ID") != "" {
			r.Header.Set("Last-Event-ID", "0-0-long-gone")
		}
		g.keep(r)
		defer func() { _ = recover() }() // a stream that is cut
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	o.admin = g.URL
	return g
}

func TestConsoleInABrowser_aLostStreamGoesOnWithoutAGap(t *testing.T) {
	o := openOffice(t, nil)
	g := newGate(t, o)
	o.desk.Begin("s1")
	o.says("s1", "先别转人工")
	p := o.watch(browser(t), "/console/?outcome=near", "en")
	p.expects("502", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION", "ERR_EMPTY_RESPONSE")
	p.lists("near 先别转人工")
	g.shut.Store(true)
	g.CloseClientConnections()
	p.shows("reconnecting")
	o.says("s1", "不要转人工", "转人工是什么意思，别转人工")
	g.shut.Store(false)
	p.until("what was missed is there", `document.querySelectorAll('.decision').length === 3`)
	p.until("it says nothing of reconnecting any more", `!document.body.innerText.includes('reconnecting')`)
	before := p.list()
	p.eval("location.reload(); ''")
	p.lists(before)
}

func TestConsoleInABrowser_afterAGapTheListIsReadAnew(t *testing.T) {
	o := openOffice(t, nil)
	g := newGate(t, o)
	g.forget.Store(true)
	o.desk.Begin("s1")
	o.says("s1", "先别转人工")
	p := o.watch(browser(t), "/console/?outcome=near", "en")
	p.expects("502", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION", "ERR_EMPTY_RESPONSE")
	p.lists("near 先别转人工")
	g.shut.Store(true)
	g.CloseClientConnections()
	p.shows("reconnecting")
	o.says("s1", "不要转人工", "转人工是什么意思，别转人工")
	g.shut.Store(false)
	p.lists("near 转人工是什么意思，别转人工\nnear 不要转人工\nnear 先别转人工")
}

func TestConsoleInABrowser_identifiersAreCopiedWhole_andShowWhatCannotBeSeen(t *testing.T) {
	o := openOffice(t, nil)
	const session = "s-\u202e/evil|%?#;\u200b<b>0123456789"
	o.says(session, "转人工")
	p := o.watch(browser(t), "/console/c", "en")
	p.shows("s-‹202E›/evil|%?#;‹200B›<b>0123456789")
	p.click("s-‹202E›")
	p.shows("ask-human matched", "s-‹202E›/evil")
	p.eval(`navigator.clipboard.writeText = async (text) => { window.copied = text; }; ''`)
	p.click("s-‹202E›")
	p.shows("Copied")
	if got := p.eval("window.copied"); got != session {
		t.Errorf("copied %q", got)
	}
	p.eval(`(() => {
		navigator.clipboard.writeText = () => Promise.reject(new Error('not over plain http'));
		document.execCommand = () => { window.copied = 'by command: ' + document.activeElement.value; return window.copies; };
		window.copies = true;
		return '';
	})()`)
	p.click("s-‹202E›")
	p.until("it is copied the old way", "window.copied === 'by command: ' + "+quoted(session))
	p.eval("window.copies = false; ''")
	p.click("s-‹202E›")
	p.shows("The browser did not copy it.")
}

func TestConsoleInABrowser_conversation(t *testing.T) {
	o := openOffice(t, nil)
	o.desk.Begin("s1")
	o.says("s1", "怎么改地址")
	o.desk.BotSays("s1", "抱歉，我还没有学会这个问题", "")
	o.says("s1", "先别转人工 <img src=x>", "转人工")
	p := o.watch(browser(t), "/console/c/s1", "en")
	p.shows("Transferred to default: ask-human matched.", "with a person", "assigned", "li@example.com", "<img src=x>", "5 rules below were not tried")
	p.until("what was found is marked", `[...document.querySelectorAll('.bubble mark')].some((m) => m.textContent === '转人工')`)
	p.press("k")
	p.shows("Not transferred: ask-human was a near miss (negated).", "转人工 is negated by 别", "misses in a row")
	if at := p.eval("location.search"); !strings.HasPrefix(at, "?at=") {
		t.Errorf("the address does not name the turn: %s", at)
	}
	t.Run("under the rules now", func(*testing.T) {
		p.click("Rules now")
		p.shows("The same as then.")
		o.writeRules("says: [$ask_human]", "says: [地址]")
		o.writeRules("version: 1\n", "version: 1\ntest_policy: warn\n")
		if got := p.eval(`fetch('/api/reload', {method: 'POST'}).then((r) => String(r.status))`); got != "200" {
			t.Fatalf("reloading: %s", got)
		}
		p.open("/console/c/s1")
		p.click("Rules now")
		p.shows("Then it was: transfer · ask-human")
	})
	t.Run("by its user, and tried again", func(*testing.T) {
		p.click("Try this conversation")
		p.shows("Rules in force", "怎么改地址")
	})
	t.Run("a transfer that was given up is retried", func(t *testing.T) {
		if err := o.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultCode, Code: 90001}); err != nil {
			t.Fatal(err)
		}
		o.desk.Begin("s2")
		o.says("s2", "怎么改地址")
		p.open("/console/c/s2")
		p.shows("failed", "90001")
		p.click("Retry the transfer")
		p.enter("Reason", "Desk had a bad minute"+kb.Enter)
		p.shows("On its way again", "with a person")
		p.until("there is nothing to retry any more", `!document.body.innerText.includes('Retry the transfer')`)
		if !strings.Contains(o.log.String(), "Desk had a bad minute") {
			t.Error("the log does not say why")
		}
	})
	t.Run("one that was given up is dismissed", func(t *testing.T) {
		if err := o.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultCode, Code: 90001}); err != nil {
			t.Fatal(err)
		}
		o.desk.Begin("s3")
		o.says("s3", "怎么改地址")
		p.open("/console/c/s3")
		p.shows("Not transferred to default: ask-human matched, but the transfer ended so: failed.")
		p.click("Dismiss the transfer")
		p.shows("this customer stays with the bot")
		p.enter("Reason", "the customer has phoned"+kb.Enter)
		p.shows("Dismissed")
		p.until("there is nothing to dismiss any more", `!document.body.innerText.includes('Dismiss the transfer')`)
		if got := o.in("en", "/api/outbox"); strings.Contains(got, "s3") || !strings.Contains(o.log.String(), "the customer has phoned") {
			t.Errorf("it is kept, or the log does not say why: %s", got)
		}
	})
	t.Run("one that is not known", func(*testing.T) {
		p.expects("status of 404")
		p.open("/console/c/nobody")
		p.shows("Nothing is kept of this conversation", "history is kept for")
	})
}

// testOf is the YAML that the dialog shows.
func (p *tab) testOf() string {
	p.t.Helper()
	p.until("the test is written", `document.querySelector('dialog pre')?.textContent.includes('name:')`)
	return p.eval(`document.querySelector('dialog pre').textContent`)
}

func TestConsoleInABrowser_playground(t *testing.T) {
	o := openOffice(t, nil)
	p := o.watch(browser(t), "/console/try", "en")
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
	p := o.watch(browser(t), "/console/try", "en")
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

func TestConsoleInABrowser_byKeyboardOnly(t *testing.T) {
	o := openOffice(t, func(s *app.Settings) { s.AdminToken = "" })
	o.desk.Begin("s1")
	o.says("s1", "先别转人工", "转人工")
	p := o.tab(browser(t), "en")
	p.open("/console/")
	p.until("two lines", `document.querySelectorAll('.decision').length === 2`)
	p.expects("status of 403")
	p.press("j")
	p.eval(`localStorage.setItem('escalator.author', 'li'); ''`)
	p.press("r")
	p.shows("set ESCALATOR_ADMIN_TOKEN")
	p.until("no label is shown", `!document.querySelector('.mark[aria-pressed=true]')`)
	p.press("j")
	p.until("the older one is chosen", `document.querySelector('.decision.chosen .words')?.textContent === '先别转人工' && document.activeElement.matches('.words')`)
	p.press(kb.Enter)
	p.shows("Not transferred: ask-human was a near miss (negated).")
	p.press("j")
	p.shows("Transferred to default: ask-human matched.")
	p.press(kb.Escape)
	p.until("the list is back", `location.pathname === '/console/' && document.querySelectorAll('.decision').length === 2`)
	p.press("/")
	p.eval(`document.activeElement.select(); ''`) // a key sent by the protocol types its letter all the same
	p.press("negated")
	p.until("it is filtered", `document.querySelectorAll('.decision').length === 1 && location.search === '?q=negated'`)
	p.press(kb.Escape)
	p.press("gt")
	p.until("Try is shown", `location.pathname === '/console/try' && document.querySelector('.composer textarea')`)
	p.press("/")
	p.eval(`document.activeElement.select(); ''`)
	p.press("转人工" + kb.Enter)
	p.shows("Transferred to default: ask-human matched.")
	p.press(kb.Escape)
	p.press("?")
	p.shows("type a message", "this list")
	p.press(kb.Escape)
	p.press("gd")
	p.until("Delivery is shown", `location.pathname === '/console/delivery'`)
}

func TestConsoleInABrowser_watchingLooksRight(t *testing.T) {
	o := openOffice(t, nil)
	ctx := browser(t)
	o.desk.Begin("s1")
	o.says("s1", "怎么改地址", "先别转人工，我先自己再看一看这个问题到底要怎么解决才好", "转人工")
	o.desk.Begin("s2")
	o.says("s2", "where is my parcel", "where is my parcel?", "where IS my parcel??")
	for _, language := range []string{"en", "zh-CN"} {
		for _, dark := range []bool{false, true} {
			p := o.watch(ctx, "/console/", language)
			p.dark(dark)
			for _, width := range []int64{1280, 390} {
				p.size(width, 800)
				for view, ready := range map[string]string{
					"/console/": ".decision", "/console/c": ".found li", "/console/c/s1": ".story", "/console/try?text=%E8%BD%AC%E4%BA%BA%E5%B7%A5": ".story", "/console/try": ".composer",
				} {
					p.open(view)
					p.until(view+" is there", `document.querySelector('`+ready+`') && document.querySelector('.service a')`)
					p.looksRight(view + " " + language)
				}
			}
		}
	}
}
