package rules

import (
	"time"

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

func (l *silentLeaf) explain(e *evaluation, _ verdict) string {
	if e.c.waiting == 0 {
		return "the customer waits for no answer"
	}
	return "silent for " + ago(e.now-e.c.waiting) + " of " + formatDuration(l.after)
}

func (l *silentLeaf) implies(other leaf) bool {
	b, ok := other.(*silentLeaf)
	return ok && l.after >= b.after
}

func (l *silentLeaf) need(p *Policy) { p.silences = append(p.silences, l.after) }

// excludes: when the bot is silent for longer than a window, nothing was said in it.
func (l *silentLeaf) excludes(other leaf) string {
	if b, ok := other.(*saidLeaf); ok && b.within < l.after {
		return "`bot_silent` waits for " + formatDuration(l.after) + " without a message of the customer, and `said` wants one in the last " + formatDuration(b.within)
	}
	return ""
}
