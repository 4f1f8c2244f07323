package browser_test

import (
	"testing"

	"escalator/bot/desk"
)

func TestConsoleInABrowser_whatWasGivenUp_isRetriedOrDismissed(t *testing.T) {
	o := openOffice(t, nil)
	o.busy()
	p := o.tab("en")
	p.signIn()
	p.open("/console/delivery")
	p.shows("90001", "the request's body is not JSON", "s-refused", "s-refused-too")
	p.click("Dismiss")
	p.shows("Nobody is called for this customer any more")
	p.enter("Your name", "li")
	p.enter("Reason", "the customer called")
	p.looksRight("a dismissal")
	p.click("Dismiss it for good")
	p.until("one is left", "document.querySelectorAll('tbody a.strong').length === 1")
	o.says("s-third", "转人工") // nothing is in its way any more
	p.click("Retry")
	p.confirm("Retry now", "Desk was mended")
	p.shows("No transfer was given up.", "Every transfer has arrived.")
	human := 0
	for _, session := range []string{"s-refused", "s-refused-too"} {
		if o.desk.Session(session).State == desk.StateAgent {
			human++
		}
	}
	if human != 1 {
		t.Errorf("%d of both are with a person", human)
	}
	if lines := o.log.Lines("transfer retried by an operator"); len(lines) != 1 || lines[0]["by"] != "li" || lines[0]["why"] != "Desk was mended" {
		t.Errorf("the log has %v", lines)
	}
}

func TestConsoleInABrowser_allOfOneCodeAreRetried(t *testing.T) {
	o := openOffice(t, nil)
	o.busy()
	p := o.tab("en")
	p.signIn()
	p.open("/console/delivery")
	p.click("Retry all 2 of 90001")
	p.confirm("Retry 2 transfers", "Desk was mended")
	p.shows("2 under way again", "No transfer was given up.", "Every transfer has arrived.")
}
