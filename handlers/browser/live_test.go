package browser_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"escalator/handlers/app"
)

// watch opens a view of a signed-in tab.
func (o *office) watch(view, language string) *tab {
	o.t.Helper()
	p := o.tab(language)
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
	p := o.watch("/console/", "en")
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
	p := o.watch("/console/?outcome=near", "en")
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

// missesTwo shows Live to somebody whose stream is lost while two decisions are made.
func missesTwo(o *office, g *gate) *tab {
	o.desk.Begin("s1")
	o.says("s1", "先别转人工")
	p := o.watch("/console/?outcome=near", "en")
	p.expects("502", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION", "ERR_EMPTY_RESPONSE")
	p.lists("near 先别转人工")
	g.shut.Store(true)
	g.CloseClientConnections()
	p.shows("reconnecting")
	o.says("s1", "不要转人工", "转人工是什么意思，别转人工")
	g.shut.Store(false)
	return p
}

func TestConsoleInABrowser_aLostStreamGoesOnWithoutAGap(t *testing.T) {
	o := openOffice(t, nil)
	g := newGate(t, o)
	p := missesTwo(o, g)
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
	p := missesTwo(o, g)
	p.lists("near 转人工是什么意思，别转人工\nnear 不要转人工\nnear 先别转人工")
}

func TestConsoleInABrowser_byKeyboardOnly(t *testing.T) {
	o := openOffice(t, func(s *app.Settings) { s.AdminToken = "" })
	o.desk.Begin("s1")
	o.says("s1", "先别转人工", "转人工")
	p := o.tab("en")
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
