package rules

import (
	"time"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

var queuedForCondition = &condition{
	key: "queued_for", turns: onTimer, value: aSpan,
	doc:     "The customer has waited in Desk's queue for this time. Such a rule may speak and notify; a transfer out of the queue needs leave_queue: true.",
	example: "queued_for: 5m",
	aka:     []string{"waiting_for", "in_queue", "queue_time", "waited"},
	build: func(l *loader, n *yaml.Node) leaf {
		d := l.duration(n)
		if d > maxAwayFromBot && !l.bad[n] {
			l.fail(n, "shorten it", "%s is longer than a customer in the queue is remembered (%s)", n.Value, formatDuration(maxAwayFromBot))
		}
		l.queuedFor = append(l.queuedFor, n)
		return &queuedLeaf{d}
	},
}

// queuedLeaf is `queued_for`.
type queuedLeaf struct{ after time.Duration }

func (l *queuedLeaf) holds(e *evaluation) verdict {
	since := e.c.recall().recallRare().wait.since
	return truth(e.c.phase == PhaseQueued && since != 0 && e.now-since >= l.after.Milliseconds())
}

func (l *queuedLeaf) explain(e *evaluation, _ verdict) lang.Text {
	if e.c.phase != PhaseQueued {
		return "the customer is not in the queue"
	}
	return lang.Say("in the queue for %s of %s", ago(e.now-e.c.recall().recallRare().wait.since), formatDuration(l.after))
}

func (l *queuedLeaf) implies(other leaf) bool {
	b, ok := other.(*queuedLeaf)
	return ok && l.after >= b.after
}

func (l *queuedLeaf) need(p *Policy) { p.waits = append(p.waits, l.after) }

// excludes: who waits in the queue is not with the bot.
func (l *queuedLeaf) excludes(other leaf) lang.Text {
	if _, ok := other.(*silentLeaf); ok {
		return "`bot_silent` is about a customer who is with the bot, and `queued_for` about one in the queue"
	}
	return ""
}

// checkQueueAction complains about what a rule cannot do with a customer in the queue, and about leave_queue where nobody
// is in it.
func (l *loader) checkQueueAction(r *rule, then *yaml.Node) {
	if key, _ := l.pair(then, "leave_queue"); key != nil && !r.queues {
		l.fail(key, "take it out, or ask for `queued_for`", "`leave_queue` takes a customer out of the queue, and this rule never holds by `queued_for`")
	}
	if !r.queues {
		return
	}
	for _, word := range []string{"offer", "take_message"} {
		if key, _ := l.pair(then, word); key != nil {
			l.fail(key, "for example {keep: true, say: …}", "a rule that holds by `queued_for` cannot have `%s`: the customer is in the queue", word)
			return
		}
	}
	if key, _ := l.pair(then, "transfer"); key != nil && !hasKey(then, "leave_queue") {
		l.fail(key, "add leave_queue: true beside it, or keep the customer in the queue: {keep: true, say: …}", "the customer is in the queue already: a transfer gives that place up")
	}
}

// lintQueuedFor finds times that no customer can wait, because Desk ends the wait before.
func (l *loader) lintQueuedFor() {
	longest, some := time.Duration(0), false
	for id, t := range l.policy.targets {
		some = some || l.usedGoals[id]
		switch {
		case !l.usedGoals[id] || t.DisableQueuing != nil && *t.DisableQueuing:
		case t.QueueTimeout == 0:
			return
		default:
			longest = max(longest, t.QueueTimeout)
		}
	}
	if !some {
		return // nothing leads anywhere
	}
	for _, n := range l.queuedFor {
		switch d := l.duration(n); {
		case longest == 0:
			l.warn(n.Line, n.Column, "take disable_queuing out of a target, or take this out", "nobody waits in the queue: every target has `disable_queuing`")
		case d >= longest:
			l.warn(n.Line, n.Column, "shorten it, or raise the queue_timeout", "nobody waits for %s: the longest `queue_timeout` is %s", n.Value, formatDuration(longest))
		}
	}
}
