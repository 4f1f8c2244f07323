package browser_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp/kb"

	"escalator/bot/desk/desktest"
	"escalator/handlers/app"
)

// What goes wrong around a page that is open: answers that are none, a service that has no place, a cookie that ends, Desk that
// refuses everything.

func TestConsoleInABrowser_answersThatAreNone_areSaidInWords(t *testing.T) {
	o := openOffice(t, nil)
	o.says("s1", "先别转人工")
	g := newGate(t, o)
	p := o.watch("/healthz", "en")
	p.expects("status of 500", "status of 502", "status of 401")
	for _, c := range []struct {
		status     int
		body, says string
	}{
		{http.StatusOK, "<!doctype html><title>Sign in to the proxy</title>", "What answered is not Escalator"},
		{http.StatusInternalServerError, `{"error":"internal error; see the log"}`, "internal error; see the log"},
		{http.StatusBadGateway, "<html>Bad gateway</html>", "HTTP 502"},
	} {
		for _, view := range []string{"/console/", "/console/c/s1", "/console/rules", "/console/rules/ask-human", "/console/file", "/console/history", "/console/delivery", "/console/suggest"} {
			answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			g.instead.Store(&answer)
			p.open(view)
			p.shows(c.says, "no answer")
			if c.status != http.StatusOK {
				continue
			}
			g.instead.Store(nil)
			p.click("Try again")
			p.until(view+" is there after all", "document.querySelector('main h1') && !document.body.innerText.includes("+quoted(c.says)+")")
		}
	}
}

// All places of those who watch are taken: the page says so, and goes on when one is free.
func TestConsoleInABrowser_whereTooManyWatch_itSaysSo(t *testing.T) {
	o := openOffice(t, nil)
	watchers := make([]*http.Response, 64)
	for i := range watchers {
		watchers[i] = o.ask("en", http.MethodGet, "/api/decisions?stream=1", "")
	}
	p := o.watch("/console/", "en")
	p.expects("status of 503")
	p.shows("too many are watching", "No decision yet")
	for _, w := range watchers {
		_ = w.Body.Close()
	}
	p.until("it watches", "!document.body.innerText.includes('too many are watching')")
	o.says("s1", "先别转人工")
	p.lists("near 先别转人工")
}

func TestConsoleInABrowser_aCookieThatEnds_isAskedForAnew(t *testing.T) {
	o := openOffice(t, nil)
	o.says("s1", "先别转人工")
	p := o.watch("/console/?outcome=near", "en")
	p.expects("status of 401")
	p.lists("near 先别转人工")
	tell(p, network.ClearBrowserCookies, cdp.Empty{})
	p.click("transfer")
	p.enter("Admin token", adminToken+kb.Enter)
	p.lists("near 先别转人工")
	if at := p.eval("location.search"); at != "?outcome=transfer%2Cnear" {
		t.Errorf("at %s", at)
	}
}

// What is labelled in one tab is so in the other one.
func TestConsoleInABrowser_twoTabs(t *testing.T) {
	o := openOffice(t, nil)
	o.says("s1", "先别转人工")
	one, other := o.watch("/console/", "en"), o.watch("/console/", "zh-CN")
	one.lists("near 先别转人工")
	other.lists("接近命中 先别转人工")
	one.press("j")
	one.press("w")
	other.until("it is labelled in the other tab", `document.querySelector('.mark.wrong[aria-pressed=true]')`)
	o.says("s1", "转人工")
	other.until("both show it", `document.querySelectorAll('.decision').length === 2`)
}

func TestConsoleInABrowser_deskRefusesEverything(t *testing.T) {
	o := openOffice(t, nil)
	if err := o.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultCode, Code: 70009, Times: 100}); err != nil {
		t.Fatal(err)
	}
	o.desk.Begin("s1", desktest.WithEvent("Desk.Tomorrow"))
	o.desk.Begin("s1")
	o.says("s1", "转人工")
	p := o.watch("/console/delivery", "en")
	p.shows("Desk refuses every transfer (70009)", "made with another app's key", "Held since", "degraded", "Unknown events", "Desk.Tomorrow")
	p.until("the transfer is held", "document.querySelector('tbody')?.innerText.includes('held')")
	p.until("it is said once in the banner", "document.querySelectorAll('#banner p').length === 1")
	p.looksRight("a held courier")
	t.Run("and is drained", func(*testing.T) {
		o.ask("en", http.MethodPost, "/api/drain", `{"for":"1ms","by":"wang","why":"an upgrade"}`)
		p.expects("status of 503")
		p.open("/console/delivery")
		p.shows("draining since", "by wang", "Draining since", "not ready")
		p.looksRight("a drained service")
		o.ask("en", http.MethodDelete, "/api/drain?by=wang", "")
		p.open("/console/delivery")
		p.shows("degraded")
		p.until("it is drained no more", "!document.body.innerText.toLowerCase().includes('draining')")
	})
}

// Nobody is there: the customer leaves words, which are shown until somebody deletes them.
func TestConsoleInABrowser_wordsLeft(t *testing.T) {
	o := openOffice(t, nil)
	o.desk.SetOnline("li@example.com", false)
	o.writeRules("\n  default: {}\n", "\n  default: {take_message: {say: Please leave a message., for: 10m, contact_within: 2h}}\n")
	o.writeRules("version: 1\n", "version: 1\ntest_policy: warn\n")
	p := o.watch("/console/rules", "en")
	p.click("Reload")
	p.click("Close")
	o.desk.Begin("s-night")
	o.says("s-night", "转人工")
	o.until("the customer is asked for words", func() bool { return len(o.desk.Ledger().Said) > 0 })
	o.says("s-night", "call me tomorrow")
	p.open("/console/delivery")
	p.shows("Words left", "call me tomorrow", "waits for a free agent")
	p.looksRight("words left")
	p.click("Delete")
	p.enter("Your name", "li"+kb.Enter)
	p.shows("No customer has left a message.")
}

// Without history and without words every page says what it has.
func TestConsoleInABrowser_withoutHistoryAndWords(t *testing.T) {
	o := openOffice(t, func(s *app.Settings) { s.HistoryFor, s.LogText = 0, "none" })
	o.desk.Begin("s1")
	o.says("s1", "先别转人工", "转人工")
	p := o.watch("/console/", "en")
	p.expects("status of 404")
	p.shows("negated", "assigned", "says (the words are not kept)")
	for view, says := range map[string]string{
		"/c/s1": "no history is kept: ESCALATOR_HISTORY_FOR is 0s", "/delivery": "none is kept", "/rules/ask-human": "Near misses", "/suggest": "no history is kept", "/?outcome=none": "no history is kept",
		"/c": "says (the words are not kept)", "/try?session=s1": "no history is kept", "/rules": "said-yes", "/history": "in force",
	} {
		p.open("/console" + view)
		p.shows(says)
		p.looksRight(view)
	}
}

// 1,000 decisions come as fast as they can be made: the page shows the newest, and holds no more of them than fit on it.
func TestConsoleInABrowser_aThousandDecisions(t *testing.T) {
	const all = 1000
	o := openOffice(t, nil)
	p := o.watch("/console/", "en")
	p.shows("No decision yet")
	p.eval(`new PerformanceObserver((l) => { window.longest = Math.max(window.longest || 0, ...l.getEntries().map((e) => e.duration)); }).observe({type: 'longtask'}); ''`)
	heap := func() int {
		got := p.eval("(window.gc && gc(), String(performance.memory.usedJSHeapSize))")
		n, err := strconv.Atoi(got)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := heap()
	for i := range all {
		o.says(fmt.Sprintf("s%d", i%50), fmt.Sprintf("先别转人工 %d", i))
	}
	p.until("the newest is shown", `document.querySelector('.words')?.textContent === '先别转人工 999'`)
	p.until("the figures count them", `document.querySelector('.figure b')?.textContent.startsWith('1,000')`)
	if nodes, err := strconv.Atoi(p.eval("String(document.querySelectorAll('*').length)")); err != nil || nodes > 1500 {
		t.Errorf("%d elements are in the page, %v", nodes, err)
	}
	if grown := heap() - before; grown > 32<<20 {
		t.Errorf("the page grew by %d bytes", grown)
	}
	if longest, err := strconv.ParseFloat(p.eval("String(window.longest || 0)"), 64); err != nil || longest > 1000 {
		t.Errorf("the page stood still for %v ms, %v", longest, err)
	}
	t.Logf("longest task %s ms, %d bytes more", p.eval("String(window.longest || 0)"), heap()-before)
}

// At 200 % a page of 1280 px has the place of 640, and whoever wants nothing to move sees nothing move.
func TestConsoleInABrowser_zoomAndRest(t *testing.T) {
	o := openOffice(t, nil)
	o.busy()
	p := o.watch("/console/", "zh-CN")
	p.size(640, 400)
	tell(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}})
	for _, v := range consolePaths {
		p.open("/console" + v.path)
		p.isThere(v.has)
		if wide := p.sideways(); wide != "" {
			t.Errorf("%s: %s", v.path, wide)
		}
		p.until("nothing moves at "+v.path, "!document.getAnimations().some((a) => a.playState === 'running')")
	}
}
