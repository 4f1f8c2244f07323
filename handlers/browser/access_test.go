package browser_test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"escalator/handlers/app"
)

// consolePaths are all views whose data this version has.
var consolePaths = []string{"/", "/c", "/c/s-human", "/try", "/rules", "/rules/ask-human", "/file", "/history", "/delivery", "/suggest"}

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

// Every view as everybody sees it: in both languages, in light and dark, on a desk and on a phone.
func TestConsoleInABrowser_everyViewIsForEverybody(t *testing.T) {
	o := openOffice(t, nil)
	o.busy()
	for _, look := range []struct {
		name, languages string
		dark            bool
		width           int64
	}{{"light, English, wide", "en", false, 1280}, {"dark, Chinese, narrow", "zh-CN", true, 390}, {"dark, English, wide", "en", true, 1280}, {"light, Chinese, narrow", "zh-CN", false, 390}} {
		t.Run(look.name, func(t *testing.T) {
			o := *o
			o.t = t
			p := o.tab(look.languages)
			p.signIn()
			p.dark(look.dark)
			p.size(look.width, 844)
			for _, path := range consolePaths {
				p.open("/console" + path)
				p.until(path+" is there", "document.querySelector('main h1') && !document.querySelector('[aria-busy]')")
				p.looksRight(path)
				if failed := p.eval("document.querySelector('main [role=alert]:not([hidden])')?.innerText || ''"); failed != "" {
					t.Errorf("%s says %s", path, failed)
				}
			}
		})
	}
}
