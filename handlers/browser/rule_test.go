package browser_test

import "testing"

func TestConsoleInABrowser_aRuleAndItsMute(t *testing.T) {
	o := openOffice(t, nil)
	o.busy()
	p := o.tab("en")
	p.signIn()
	p.open("/console/rules")
	p.click("ask-human")
	p.shows("Fired in 24 h", "says: [$ask_human]", "ask_human", "pack", "Last firings", "Near misses", "plain ask in Chinese")
	p.until("the last firing leads to its conversation", `[...document.querySelectorAll('td a')].some((a) => a.pathname === '/console/c/s-refused')`)
	p.until("the near miss says why", "document.body.innerText.includes('先别转人工')")
	p.looksRight("a rule")

	p.click("Mute…")
	p.shows("The last hour without it", "Without it:")
	p.until("three decisions would be none", "/3 decisions of ask-human/.test(document.querySelector('.preview').innerText)")
	p.looksRight("a mute")
	p.click("30 minutes")
	p.confirm("Mute ask-human", "it calls for everybody")
	p.shows("Muted by li until", "it calls for everybody", "muted")
	o.says("s-muted", "转人工")
	p.open("/console/rules")
	p.until("the table says so", "document.querySelector('tbody tr')?.innerText.includes('muted')")
	p.click("ask-human")
	p.click("End the mute")
	p.enter("Your name", "li")
	p.click("ask-human decides again")
	p.until("it is over", "!document.body.innerText.includes('Muted by') && document.body.innerText.includes('enforce')")
	muted, after := 0, len(o.log.Lines("operator"))
	for _, l := range o.log.Lines("decision") {
		if l["session"] == "s-muted" && l["reason"] == "muted" {
			muted++
		}
	}
	if muted != 1 || after < 2 {
		t.Errorf("%d messages met the mute, %d changes are written down", muted, after)
	}
}

func TestConsoleInABrowser_aRuleThatIsNotThere_saysSo(t *testing.T) {
	o := openOffice(t, nil)
	p := o.tab("en")
	p.expects("status of 404")
	p.signIn()
	p.open("/console/rules/ask-humans")
	p.shows("have no rule ask-humans", "ask-human")
}
