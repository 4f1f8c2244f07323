package rules

import (
	"time"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

var botSilentCondition = &condition{
	key: "bot_silent", turns: onTimer, value: aSpan,
	doc:     "The customer's last message has had no reply of the bot for this time.",
	example: "bot_silent: 30s",
	aka:     []string{"silence", "silent", "no_reply"},
	build:   func(l *loader, n *yaml.Node) leaf { return &silentLeaf{l.window(n)} },
}

// silentLeaf is `bot_silent`.
type silentLeaf struct{ after time.Duration }

func (l *silentLeaf) holds(e *evaluation) verdict {
	return truth(e.c.waiting != 0 && e.now-e.c.waiting >= l.after.Milliseconds())
}

func (l *silentLeaf) explain(e *evaluation, _ verdict) lang.Text {
	if e.c.waiting == 0 {
		return "the customer waits for no answer"
	}
	return lang.Say("silent for %s of %s", ago(e.now-e.c.waiting), formatDuration(l.after))
}

func (l *silentLeaf) implies(other leaf) bool {
	b, ok := other.(*silentLeaf)
	return ok && l.after >= b.after
}

func (l *silentLeaf) need(p *Policy) { p.silences = append(p.silences, l.after) }

// excludes: when the bot is silent for longer than a window, nothing was said in it.
func (l *silentLeaf) excludes(other leaf) lang.Text {
	if b, ok := other.(*saidLeaf); ok && b.within < l.after {
		return lang.Say("`bot_silent` waits for %s without a message of the customer, and `said` wants one in the last %s", formatDuration(l.after), formatDuration(b.within))
	}
	return ""
}
