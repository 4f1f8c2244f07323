package browser_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"escalator/handlers/app"
)

// consolePaths are all views of an office that is busy.
var consolePaths = []consoleView{
	{"/", ".decision"},
	{"/c", ".found li"},
	{"/c/s-human", ".story"},
	{"/try", ".composer"},
	{"/try?text=%E8%BD%AC%E4%BA%BA%E5%B7%A5", ".story"},
	{"/rules", "tbody"},
	{"/rules/ask-human", "h1"},
	{"/file", ".editor"},
	{"/history", "tbody"},
	{"/delivery", "tbody"},
	{"/suggest", "h1"},
}

// wordyPaths are views with much of customers' own words, and of the rules' in both languages.
var wordyPaths = []consoleView{{"/c/s-address", ".story"}, {"/try?session=s-parcel", ".story"}}

// consoleView is a view, and what it has when it is there.
type consoleView struct{ path, has string }

// isThere waits until the view that is loading is there with its data.
func (p *tab) isThere(has string) {
	p.t.Helper()
	p.until("the view has "+has, "document.querySelector('main .view:not(.left) h1') && document.querySelector('main "+has+"') && document.querySelector('.service a') && !document.querySelector('[aria-busy]')")
}

func TestConsoleInABrowser_signIn(t *testing.T) {
	o := openOffice(t, nil)
	p := o.tab("en")
	p.expects("status of 401")
	p.open("/console/rules?q=human")
	p.shows("Admin token")
	p.looksRight("the sign-in view")
	p.enter("Admin token", "another-token")
	p.press(kb.Enter)
	p.shows("this is not the admin token")
	p.enter("Admin token", adminToken)
	p.press(kb.Enter)
	p.shows("ask-human")
	if got := p.eval("location.search + document.cookie + Object.keys(localStorage).join()"); got != "?q=human" {
		t.Errorf("the page can read %q", got)
	}
	p.open("/console/delivery")
	p.click("Sign out")
	p.shows("Admin token")
	p.open("/console/rules")
	p.shows("Admin token")
}

func TestConsoleInABrowser_withoutAToken_readingIsOpen_andWhatIsNotSaysSo(t *testing.T) {
	o := openOffice(t, func(s *app.Settings) { s.AdminToken = "" })
	p := o.tab("en")
	p.open("/console/file")
	p.shows("Read only.", "ESCALATOR_ADMIN_TOKEN", "No mistake")
	p.until("it is read-only", "document.querySelector('.editor textarea').readOnly && [...document.querySelectorAll('button')].find((b) => b.textContent === 'Save…').disabled")
	p.looksRight("the file without a token")
	o.writeRules(resting, "cooldown: 11m")
	p.open("/console/history")
	p.click("Reload")
	p.shows("In force: ")
	p.click("Close")
	p.shows("Roll back…", "Set ESCALATOR_ADMIN_TOKEN")
	p.until("nobody can roll back", "[...document.querySelectorAll('button')].find((b) => b.textContent === 'Roll back…').disabled")
}

func TestConsoleInABrowser_keyboardOnly(t *testing.T) {
	o := openOffice(t, nil)
	o.busy()
	p := o.tab("en")
	p.signIn()
	p.open("/console/")
	at := func(path string) {
		t.Helper()
		p.until("we are at "+path, "location.pathname === "+quoted("/console"+path)+" && document.querySelector('h1')")
	}
	at("/")
	for _, step := range []struct{ keys, path string }{{"gr", "/rules"}, {"gd", "/delivery"}, {"gt", "/try"}, {"gc", "/c"}, {"gl", "/"}, {"gr", "/rules"}} {
		p.press(kb.Escape) // out of a field that has the keyboard
		p.press(step.keys)
		at(step.path)
	}
	p.until("there are rules", "document.title.startsWith('Rules') && document.querySelector('input[type=search]') && document.querySelector('tbody a.strong')")
	p.press("jj")
	p.until("the second rule has the keyboard", "document.activeElement.textContent === 'said-yes'")
	p.press("k" + kb.Enter)
	at("/rules/ask-human")
	p.until("the rule is shown, not the list any more", "document.querySelector('h1')?.textContent === 'ask-human'")
	p.press("gr")
	at("/rules")
	p.until("there are rules", "document.title.startsWith('Rules') && document.querySelector('input[type=search]') && document.querySelector('tbody a.strong')")
	p.press("/")
	p.until("the filter has the keyboard", "document.activeElement.type === 'search'")
	p.enter("Find a rule", "stuck")
	p.until("the filter is in the address", "location.search === '?q=stuck' && document.querySelectorAll('tbody tr').length === 2")
	p.press(kb.Escape)
	p.press("?")
	p.shows("Keyboard")
	p.looksRight("the keys")
	p.press(kb.Escape)
	p.until("the dialog is closed", "!document.querySelector('dialog[open]')")
	for _, name := range []string{"File", "History", "Suggestions"} {
		p.tabTo(name)
		p.press(kb.Enter)
		p.until("the view is "+name, "document.querySelector('nav.tabs [aria-current]')?.textContent === "+quoted(name))
	}
}

// tabTo presses Tab until a link of that name has the keyboard, and sees that it shows.
func (p *tab) tabTo(name string) {
	p.t.Helper()
	p.until("there is "+name, controlNamed(name))
	for range 60 {
		p.press(kb.Tab)
		if p.eval("document.activeElement.innerText.trim()") == name {
			if outline := p.eval("getComputedStyle(document.activeElement).outlineStyle"); outline == "none" {
				p.t.Errorf("nobody sees that %s has the keyboard", name)
			}
			return
		}
	}
	p.t.Fatalf("Tab does not lead to %s", name)
}

// follow shows a view as a click on a link does: the page stays.
func (p *tab) follow(path string) {
	p.t.Helper()
	p.eval(`(() => {
		document.querySelector('main .view')?.classList.add('left');
		const a = document.createElement('a');
		a.href = ` + quoted("/console"+path) + `;
		document.body.append(a);
		a.click();
		a.remove();
		return '';
	})()`)
}

// Every view as everybody sees it: in both languages, in light and dark, on a desk and on a phone.
func TestConsoleInABrowser_everyViewIsForEverybody(t *testing.T) {
	const desk, phone = 1280, 390
	o := openOffice(t, nil)
	o.says("s-long", "先别转人工，我先自己再看一看这个问题到底要怎么解决才好")
	o.busy()
	for _, look := range []struct {
		name, languages string
		dark            bool
		width, other    int64
	}{
		{"light, English, wide", "en", false, desk, phone},
		{"dark, English, narrow", "en", true, phone, desk},
		{"light, Chinese, narrow", "zh-CN", false, phone, desk},
		{"dark, Chinese, wide", "zh-CN", true, desk, phone},
	} {
		t.Run(look.name, func(t *testing.T) {
			o := *o
			o.t = t
			p := o.tab(look.languages)
			p.signIn()
			p.dark(look.dark)
			p.open("/console/rules")
			p.isThere("tbody")
			for _, v := range slices.Concat(consolePaths, wordyPaths) {
				p.size(look.width, 844)
				p.follow(v.path)
				p.isThere(v.has)
				p.looksRight(v.path)
				if failed := p.eval("document.querySelector('main [role=alert]:not([hidden])')?.innerText || ''"); failed != "" {
					t.Errorf("%s says %s", v.path, failed)
				}
				p.size(look.other, 844)
				if wide := p.sideways(); wide != "" {
					t.Errorf("%s: %s", v.path, wide)
				}
			}
		})
	}
}

// The demo prints a link that signs in. The token stands nowhere else: in no request's address, not in the page's, not in the log.
func TestConsoleInABrowser_aLinkWithTheToken(t *testing.T) {
	const linkToken = "DEMO0TOKEN0OF0THIS0RUN0ABC"
	o := openOffice(t, func(s *app.Settings) { s.AdminToken = linkToken })
	p := o.tab("en")
	p.expects("status of 401")
	signIns := func() (n int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, r := range p.requests {
			if strings.HasPrefix(r, http.MethodPost+" ") && strings.HasSuffix(r, "/api/session") {
				n++
			}
		}
		return n
	}
	p.open("/console/rules?q=human#token=another0token")
	p.shows("Admin token")
	p.until("the token is gone", "location.href.endsWith('/console/rules?q=human')")
	p.open("/console/?token=" + linkToken)
	p.shows("Admin token")
	if n := signIns(); n != 1 {
		t.Errorf("it signed in %d times, want once with the wrong token", n)
	}
	p.open("/console/rules")
	p.shows("Admin token")
	p.eval("location.hash = 'token=" + linkToken + "'; ''") // into the address of the open page
	p.shows("ask-human")
	p.until("the token is gone", "location.href.endsWith('/console/rules')")
	p.open("/console/c#token=another0token") // who is signed in stays so
	p.shows("Recent conversations")
	if n, at := signIns(), p.eval("location.hash"); n != 2 || at != "" {
		t.Errorf("it signed in %d times, want 2, and is at %q", n, at)
	}
	fresh := o.tab("en")
	fresh.expects("status of 401")
	fresh.open("/console/rules/ask-human#token=" + linkToken)
	fresh.shows("ask-human")
	fresh.until("the token is gone", "location.href.endsWith('/console/rules/ask-human') && history.length === 2") // about:blank and this
	if strings.Contains(o.log.String(), linkToken) {
		t.Errorf("the log has the token: %s", o.log)
	}
}
