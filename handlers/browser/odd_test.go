package browser_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"escalator/bot/desk/desktest"
	"escalator/handlers/app"
)

// What nobody thought of: addresses that are cut, names that mean something to somebody else, files from another system.

func TestConsoleInABrowser_oddNames(t *testing.T) {
	o := openOffice(t, nil)
	o.writeRules("  - id: ask-human\n", "  - id: history\n    when: {says: [a word of its own]}\n    then: {transfer: default}\n  - id: ask-human\n")
	long := strings.Repeat("x", 150)
	o.writeRules("\ntests:", "\n  - id: "+long+"\n    when: {says: [so long]}\n    then: {transfer: default}\n\ntests:")
	p := o.tab("en")
	p.expects("status of 404")
	p.signIn()
	p.open("/console/rules")
	p.click("Reload")
	p.click("Close")
	p.click("history") // which is a name of the API as well
	p.shows("says: [a word of its own]", "It names no list and no pack: what it looks for stands in its text.")
	p.open("/console/rules/%E5%AE") // cut in the middle of a character
	p.shows("have no rule %E5%AE")
	p.open("/console/file?file=constructor") // which every object of JavaScript has
	p.shows("No mistake")
	if p.written() != o.ruleText() {
		t.Errorf("the editor shows\n%s", p.written())
	}
	p.size(390, 844)
	p.shows("rule `" + long + "` has no test")
	p.looksRight("a long name in the file")
	p.open("/console/rules/" + long)
	p.click("Mute…")
	p.shows("In the last hour " + long)
	p.until("its button is in the dialog", "(() => { const a = document.querySelector('dialog').getBoundingClientRect(), b = document.querySelector('dialog .danger').getBoundingClientRect(); return a.left < b.left && b.right < a.right; })()")
}

// The answer to a save was lost, or two people had the same idea: there is nothing to decide.
func TestConsoleInABrowser_whatTheFileSaysAlreadyIsNotMine(t *testing.T) {
	o := openOffice(t, nil)
	p := o.tab("en")
	p.expects("status of 412")
	p.signIn()
	p.open("/console/file")
	p.rewrite(stuck, sooner)
	p.shows("changed, not saved", "Rules changed", "27 of 27 tests pass")
	o.writeRules(stuck, sooner)
	p.saves("slow typists")
	p.until("nothing is left to save", "!document.querySelector('dialog') && !document.body.innerText.includes('changed, not saved')")
	if text := p.eval("document.body.innerText"); strings.Contains(text, "changed under you") {
		t.Errorf("it asks whose is right: %s", text)
	}
}

// A file whose tests fail is refused; the list of rules says which, and where they stand.
func TestConsoleInABrowser_aFileWhoseTestsFailIsRefusedWithTheirPlaces(t *testing.T) {
	o := openOffice(t, nil)
	p := o.tab("en")
	p.expects("status of 422")
	p.signIn()
	p.open("/console/rules")
	o.writeRules(stuck, "bot_missed: {times: 2, within: 15m}")
	p.click("Reload")
	p.click("Close")
	p.until("they are listed", "[...document.querySelectorAll('.notice li')].some((e) => e.innerText.includes('the third miss in a row escalates: ') && /^rules.yaml:[0-9]+$/m.test(e.innerText))")
}

// A text field has line ends of its own. Those of the file stay.
func TestConsoleInABrowser_aFileFromWindows_keepsItsLineEnds(t *testing.T) {
	o := openOffice(t, nil)
	before := strings.ReplaceAll(o.ruleText(), "\n", "\r\n")
	if err := os.WriteFile(o.rules, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	p := o.tab("en")
	p.signIn()
	p.open("/console/file")
	p.shows("No mistake")
	p.rewrite(stuck, sooner)
	p.shows("changed, not saved", "Rules changed")
	p.rewrite(sooner, stuck)
	p.until("nothing is changed", "!document.body.innerText.includes('changed, not saved')")
	p.rewrite(stuck, sooner)
	p.shows("27 of 27 tests pass", "Rules changed")
	p.click("Save…")
	p.enter("Your name", "wang")
	p.eval("document.activeElement.value += String.fromCharCode(0x202e); ''") // which turns round what follows
	reason := strings.Repeat("客户打字慢", 20)
	p.enter("Reason", reason)
	p.click("Save and put in force")
	p.until("it is saved", "document.body.innerText.includes('In force: ')")
	p.open("/console/history")
	p.shows("wang‹202E›", reason)
	if got := o.ruleText(); got != strings.Replace(before, stuck, sooner, 1) {
		t.Errorf("on disk is\n%q", got)
	}
}

// Files come and go while the editor is open.
func TestConsoleInABrowser_theListOfFilesIsThatOnDisk(t *testing.T) {
	o := openOffice(t, nil)
	p := o.tab("en")
	p.signIn()
	p.open("/console/file")
	p.shows("No mistake")
	if err := os.WriteFile(strings.TrimSuffix(o.rules, "rules.yaml")+"more.yaml", []byte("lists: {more: [more of it]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.writeRules("version: 1\n", "version: 1\ninclude: [more.yaml]\n")
	p.later()
	p.until("there are two", "[...document.querySelectorAll('select option')].map((f) => f.value).join() === 'more.yaml,rules.yaml'")
}

// Somebody broke the file. What is in force is written back from the list of versions.
func TestConsoleInABrowser_theVersionInForceIsWrittenBack(t *testing.T) {
	o := openOffice(t, nil)
	before := o.ruleText()
	p := o.tab("en")
	p.signIn()
	p.expects("status of 422")
	o.writeRules("- id: said-yes", "- id: [")
	p.open("/console/rules")
	p.click("Reload")
	p.click("Close")
	p.click("History")
	p.click("Roll back…")
	p.shows("which were refused, are replaced by those of the version in force")
	p.enter("Your name", "wang")
	p.enter("Reason", "half an edit")
	p.click("Write ")
	p.until("the file is as it was", "![...document.querySelectorAll('button')].some((b) => b.textContent === 'Roll back…')")
	if o.ruleText() != before {
		t.Errorf("on disk is\n%s", o.ruleText())
	}
	o.writeRules(resting, "cooldown: 11m") // and back: the same text is in the list twice
	for _, change := range []func(){func() {}, func() { o.writeRules("cooldown: 11m", resting) }} {
		change()
		p.open("/console/rules")
		p.click("Reload")
		p.click("Close")
	}
	p.open("/console/history")
	p.until("only the newest is in force", "document.querySelectorAll('tbody tr').length === 3 && document.querySelectorAll('tbody .good').length === 1")
}

func TestConsoleInABrowser_whoIsSignedOutUnderADialog_signsIn(t *testing.T) {
	o := openOffice(t, nil)
	p := o.tab("en")
	p.expects("status of 401")
	p.signIn()
	p.open("/console/rules/ask-human")
	p.click("Mute…")
	p.enter("Your name", "li")
	p.enter("Reason", "it calls for everybody")
	p.eval("fetch('/api/session', {method: 'DELETE'}).then((r) => r.text())")
	p.click("Mute ask-human")
	p.shows("Admin token")
	p.until("the keyboard is where the token goes, and nothing lies over it", "document.activeElement.type === 'password' && !document.querySelector('dialog')")
	if text := p.eval("document.body.innerText"); strings.Contains(text, "Authorization") {
		t.Errorf("it speaks to programs: %s", text)
	}
}

// The bar is refused before the view is there.
func TestConsoleInABrowser_aSlowViewDoesNotTakeTheSignInAway(t *testing.T) {
	o := openOffice(t, nil)
	g := newGate(t, o)
	p := o.tab("en")
	p.expects("status of 401", "/favicon.ico")
	p.open("/healthz")
	late := g.hold(p.eval("fetch('/console/').then((r) => r.text()).then((page) => /.console.assets.[0-9a-f]+/.exec(page)[0] + '/js/views/file.js')"))
	p.open("/console/file")
	<-late.came
	p.shows("Admin token")
	close(late.goes)
	p.until("the view has come", "document.title.startsWith('Rule file')")
	p.enter("Admin token", adminToken)
	p.press(kb.Enter)
	p.shows("No mistake")
}

// The scripts of a page that is open all day are gone after an upgrade, and while the service is away.
func TestConsoleInABrowser_aViewThatDoesNotCome(t *testing.T) {
	o := openOffice(t, nil)
	p := o.tab("en")
	p.expects("/views/history.js")
	p.signIn()
	p.open("/console/rules")
	p.shows("ask-human")
	block := func(patterns ...*network.BlockPattern) {
		tell(p, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: patterns})
	}
	block(&network.BlockPattern{URLPattern: "*://*:*/console/assets/*/js/views/history.js", Block: true})
	p.click("History")
	p.shows("Escalator cannot be reached.")
	block()
	p.click("Try again")
	p.shows("What it changed")

	p.open("/console/rules")
	p.shows("ask-human")
	block(&network.BlockPattern{URLPattern: "*://*:*/console/assets/*/js/views/history.js", Block: true})
	p.eval(`(() => {
		const fetched = fetch;
		window.fetch = (to, ...more) => (new URL(to).pathname === '/' ? Promise.resolve(new Response('the page of another version')) : fetched(to, ...more));
		window.old = true;
		return '';
	})()`)
	p.click("History")
	o.until("the page is loaded anew where it was to go", func() bool {
		anew, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("!window.old && location.pathname === '/console/history' && document.body.innerText.includes('Try again')"))
		return err == nil && anew // it fails while the page goes
	})
	block()
	p.click("Try again")
	p.shows("What it changed")
}

// Who has no mouse is, after a dialog, where it was before.
func TestConsoleInABrowser_aDialogGivesTheKeyboardBack(t *testing.T) {
	o := openOffice(t, nil)
	p := o.tab("en")
	p.signIn()
	p.open("/console/rules/ask-human")
	p.shows("Mute…")
	p.eval("document.querySelector('[data-key=mute]').focus(); ''")
	p.press(kb.Enter)
	p.shows("For how long")
	p.press(kb.Escape)
	p.until("the button has it", "!document.querySelector('dialog') && document.activeElement.textContent === 'Mute…'")
}

func TestConsoleInABrowser_undoHasItsAuthor(t *testing.T) {
	o := openOffice(t, nil)
	p := o.tab("en")
	p.signIn()
	p.open("/console/rules/ask-human")
	p.click("Mute…")
	p.confirm("Mute ask-human", "it calls for everybody")
	p.click("Undo")
	p.until("it decides again", "!document.body.innerText.includes('Muted by')")
	p.click("Rules")
	p.click("Reload")
	p.shows("The file has not changed.")
	for _, action := range []string{"DELETE /api/rules/:id/mute", "POST /api/reload"} {
		by := any(nil)
		for _, l := range o.log.Lines("operator") {
			if l["action"] == action {
				by = l["by"]
			}
		}
		if by != "li" {
			t.Errorf("%s was done by %v", action, by)
		}
	}
}

// The page is open all day: what it says is what is.
func TestConsoleInABrowser_deliverySaysWhatIs(t *testing.T) {
	o := openOffice(t, func(s *app.Settings) { s.HistoryFor = 72 * 3600e9 })
	p := o.tab("en")
	p.signIn()
	p.open("/console/delivery")
	p.shows("Up for", "3 d, ")
	said := "[...document.querySelectorAll('dt')].find((e) => e.textContent === 'Rules').nextSibling.textContent"
	was := p.eval(said)
	o.writeRules(resting, "cooldown: 11m")
	p.eval(`fetch('/api/reload', {method: 'POST'}).then((r) => r.text())`)
	p.later()
	p.until("it names the rules in force", said+" !== "+quoted(was))
}

// When Desk is away for long, thousands wait.
func TestConsoleInABrowser_deliveryStaysQuickWhenManyWait(t *testing.T) {
	o := openOffice(t, nil)
	if err := o.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.FaultCode, Code: 60010, Times: 1000}); err != nil {
		t.Fatal(err)
	}
	for i := range 203 {
		o.says(fmt.Sprintf("%s-%d", strings.Repeat("很长的会话名", 6), i), "转人工")
	}
	p := o.tab("en")
	p.signIn()
	p.open("/console/delivery")
	p.shows("Desk refuses every transfer.", "60010", "203", "and 3 more")
	if rows := p.eval("String(document.querySelectorAll('table.cards td a.strong').length)"); rows != "200" {
		t.Errorf("%s rows", rows)
	}
	p.size(390, 844)
	p.looksRight("long names of sessions on a phone")
}

// What was chosen last is shown, not what was answered last; and a failure is shown as one.
func TestConsoleInABrowser_suggestionsOfWhatWasChosen(t *testing.T) {
	o := openOffice(t, nil)
	o.says("s-late", "转人工")
	g := newGate(t, o)
	p := o.tab("en")
	p.expects("status of 502")
	p.signIn()
	p.open("/console/suggest")
	p.shows("From 1 conversations")
	late := g.hold("/api/suggest")
	p.click("3 days")
	<-late.came
	p.click("1 hour")
	p.shows("From 1 conversations")
	p.eval("document.querySelector('.view').lastChild.textContent = 'this stays'; ''")
	close(late.goes)
	p.eval("fetch('/healthz').then((r) => r.text())") // the late one would have been answered before
	p.shows("this stays")
	g.shut.Store(true)
	p.click("1 day")
	p.shows("This cannot be shown")
	g.shut.Store(false)
	p.click("Try again")
	p.shows("From 1 conversations")
}
