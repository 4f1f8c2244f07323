package browser_test

import (
	"fmt"
	"strings"
	"testing"
)

const (
	stuck   = "bot_missed: {times: 3, within: 15m}"
	sooner  = "bot_missed: {times: 3, within: 20m}"
	resting = "cooldown: 10m"
)

// rewrite replaces words in the editor as a person does: they are selected, and others are typed.
func (p *tab) rewrite(old, replacement string) {
	p.t.Helper()
	p.until("the editor has "+old, "document.querySelector('.editor textarea')?.value.includes("+quoted(old)+")")
	p.eval(fmt.Sprintf(`(() => {
		const e = document.querySelector('.editor textarea'), at = e.value.indexOf(%[1]s);
		e.focus();
		e.setSelectionRange(at, at + %[1]s.length);
		return '';
	})()`, quoted(old)))
	p.press(replacement)
}

func (p *tab) written() string {
	p.t.Helper()
	return p.eval("document.querySelector('.editor textarea').value")
}

// saves saves what is in the editor, with the author that the browser remembers.
func (p *tab) saves(why string) {
	p.t.Helper()
	p.click("Save…")
	p.confirm("Save and put in force", why)
}

func TestConsoleInABrowser_aRuleIsEdited_checked_saved_andRolledBack(t *testing.T) {
	o := openOffice(t, nil)
	before := o.ruleText()
	p := o.tab("en")
	p.signIn()
	p.open("/console/file")
	p.shows("No mistake", "27 of 27 tests pass", "Nothing differs from the rules in force.")

	p.rewrite(stuck, "bot_mist: {times: 3, within: 15m}")
	p.shows("1 mistake", "bot_missed", "changed, not saved")
	p.until("the line has its mark", "document.querySelectorAll('.signs .bad').length === 1 && document.querySelectorAll('.bands .bad').length === 1")
	p.until("the caret is under the word", `document.querySelector('.caret')?.textContent.split('\n')[1].trim() === '^'`)
	p.until("what has a mistake cannot be saved", "[...document.querySelectorAll('button')].find((b) => b.textContent === 'Save…').disabled")
	p.looksRight("a mistake in the file")
	p.click("rules.yaml:56") // to the line
	p.until("the cursor is in the line", "(() => { const e = document.activeElement; return e.tagName === 'TEXTAREA' && e.value.slice(0, e.selectionStart).split('\\n').pop().includes('when: {') })()")

	p.rewrite("bot_mist: {times: 3, within: 15m}", "bot_missed: {times: 2, within: 15m}")
	p.shows("No mistake", "25 of 27 tests pass", "the third miss in a row escalates", "It is not put in force while a test fails.")
	p.until("what fails a test cannot be saved", "[...document.querySelectorAll('button')].find((b) => b.textContent === 'Save…').disabled")

	p.rewrite("bot_missed: {times: 2, within: 15m}", sooner)
	p.shows("No mistake", "Rules changed", "bot-stuck", "27 of 27 tests pass")
	p.saves("slow typists")
	p.shows("In force: ")
	p.until("nothing is left to save", "document.body.innerText.includes('in force: ')")
	if got := o.ruleText(); got != strings.Replace(before, stuck, sooner, 1) {
		t.Errorf("on disk is\n%s", got)
	}
	if lines := o.log.Lines("rules saved"); len(lines) != 1 || lines[0]["by"] != "li" || lines[0]["why"] != "slow typists" {
		t.Errorf("the log has %v", lines)
	}

	p.click("History")
	p.shows("slow typists", "saved in the console", "in force")
	p.click("What it changed")
	p.shows("Rules changed", "+    when: {"+sooner)
	p.looksRight("what a version changed")
	p.click("Close")
	p.click("Roll back…")
	p.shows("The files on disk are replaced by those of this version.", "-    when: {"+sooner)
	p.enter("Your name", "wang")
	p.enter("Reason", "it called too often")
	p.click("Write ")
	p.shows("rolled back", "it called too often")
	if o.ruleText() != before {
		t.Errorf("on disk is\n%s", o.ruleText())
	}
	if got := p.eval("fetch('/api/rules/history').then((r) => r.json()).then((h) => h.versions[0].version === h.in_force ? h.versions[0].by : '')"); got != "wang" {
		t.Errorf("in force is what %q put there", got)
	}
}

func TestConsoleInABrowser_theFileChangedUnderTheEditor(t *testing.T) {
	for _, c := range []struct {
		name, choice string
		after        func(t *testing.T, o *office, p *tab)
	}{
		{"theirs is taken", "Take theirs, and copy mine", func(t *testing.T, o *office, p *tab) {
			t.Helper()
			p.shows("Your text, set aside", "in force: ")
			if aside := p.eval("document.querySelector('details textarea').value"); !strings.Contains(aside, sooner) || !strings.Contains(p.written(), stuck) || !strings.Contains(p.written(), "cooldown: 11m") {
				t.Errorf("set aside is\n%s\nand written\n%s", aside, p.written())
			}
			if !strings.Contains(o.ruleText(), "cooldown: 11m") {
				t.Error("theirs is gone from the disk")
			}
		}},
		{"mine is kept", "Go on with mine", func(t *testing.T, o *office, p *tab) {
			t.Helper()
			p.shows("No mistake", "tests pass")
			p.saves("mine it is")
			p.until("it is saved", "document.body.innerText.includes('in force: ')")
			if got := o.ruleText(); !strings.Contains(got, sooner) || strings.Contains(got, "cooldown: 11m") {
				t.Errorf("on disk is\n%s", got)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := openOffice(t, nil)
			p := o.tab("en")
			p.expects("status of 412", "/api/rules/file") // where the save is the first to notice
			p.signIn()
			p.open("/console/file")
			p.rewrite(stuck, sooner)
			p.shows("Rules changed")
			o.writeRules(resting, "cooldown: 11m")
			p.saves("slow typists")
			p.shows("The file changed under you", "-  cooldown: 11m", "+  "+resting, "+    when: {"+sooner)
			if !strings.Contains(p.written(), sooner) || !strings.Contains(o.ruleText(), "cooldown: 11m") {
				t.Error("one of both sides is lost")
			}
			p.looksRight("both sides")
			p.click(c.choice)
			c.after(t, o, p)
		})
	}
}

func TestConsoleInABrowser_aReload(t *testing.T) {
	o := openOffice(t, nil)
	p := o.tab("en")
	p.signIn()
	p.open("/console/rules")
	p.shows("bot-stuck")
	o.writeRules("- id: said-yes", "- id: said-yes\n    colour: red")
	p.expects("status of 422")
	p.click("Reload")
	p.shows("The file was refused", "colour", "The rules in force stay.")
	p.until("a caret is under the word", "document.querySelector('dialog .caret')?.textContent.includes('^')")
	p.looksRight("a refused reload")
	p.click("Close")
	p.shows("The file on disk is refused")

	o.writeRules("- id: said-yes\n    colour: red", "- id: said-yes\n    owner: wang")
	p.click("Reload")
	p.shows("In force: ", "Rules changed", "said-yes", "+    owner: wang")
	p.click("Close")
	p.until("the table has the owner", "document.querySelector('tbody')?.innerText.includes('wang') && !document.body.innerText.includes('is refused')")
}
