package browser_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"escalator/bot/desk/desktest"
)

func TestConsoleInABrowser_identifiersAreCopiedWhole_andShowWhatCannotBeSeen(t *testing.T) {
	o := openOffice(t, nil)
	const session = "s-\u202e/evil|%?#;\u200b<b>0123456789"
	o.says(session, "转人工")
	p := o.watch("/console/c", "en")
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
	p := o.watch("/console/c/s1", "en")
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
		p.shows("Not transferred to default: ask-human matched, but the transfer ended like this: failed.")
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
