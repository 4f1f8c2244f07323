package rules

import "time"

// wait is what is kept of a customer in Desk's queue. It goes with the phase.
type wait struct {
	since int64 // 0: nobody waits
	// rule and target say which transfer put the customer there, "" for one that Desk made; timeout is the target's
	// queue_timeout in milliseconds, 0 for none.
	rule, target string
	timeout      int64
	unanswered   bool // it was told that the transfer came to nothing
}

// Wait is a customer's wait in Desk's queue.
type Wait struct {
	Since        time.Time
	Rule, Target string // of the transfer that put the customer there; "" where that was not ours
}

// Waits says since when the customer has been in Desk's queue, and by which transfer; false: the customer is not. While
// Desk is asked whether the customer is still there, the wait goes on.
func (c *Conversation) Waits() (Wait, bool) {
	w := c.recall().recallRare().wait
	return w.public(), w.since != 0
}

func (w *wait) public() Wait {
	return Wait{Since: time.UnixMilli(w.since), Rule: w.rule, Target: w.target}
}

// enqueue begins the wait, unless it has begun.
func (c *Conversation) enqueue(now int64) {
	if m := c.own().ownRare(); m.wait.since == 0 {
		m.wait = wait{since: now}
	}
}

// dequeue ends the wait.
func (c *Conversation) dequeue() {
	if c.memory != nil && c.memory.rare != nil {
		c.memory.rare.wait = wait{}
	}
}

// WaitsFor notes which transfer put the customer into the queue (ResultQueued).
func (c *Conversation) WaitsFor(ruleID string, t *Target) {
	if c.phase != PhaseQueued || t == nil {
		return
	}
	w := &c.own().ownRare().wait
	w.rule, w.target, w.timeout = ruleID, t.ID, t.QueueTimeout.Milliseconds()
}

// LeftQueue says that Desk has taken the customer out of the queue (end_queuing): the transfer that asked for it goes on.
func (c *Conversation) LeftQueue(at time.Time) {
	c.see(at)
	if c.phase == PhaseQueued {
		c.phase = PhaseTransferring
		c.dequeue()
	}
}

// lapse gives the wait of one of our transfers to which nobody answered, once: closed says that the session has ended
// or a new one begun. Else it must have lasted longer than its queue_timeout, or Desk have ended it where there is one.
func (c *Conversation) lapse(now int64, closed, noAgent bool) *Wait {
	w := &c.recall().recallRare().wait
	if c.phase != PhaseQueued || w.rule == "" || w.unanswered {
		return nil
	}
	if !closed && (w.timeout == 0 || !noAgent && now-w.since < w.timeout) {
		return nil
	}
	w.unanswered = true
	told := w.public()
	return &told
}

// nextWait is when a customer in the queue next wants a turn by the clock.
func (p *Policy) nextWait(c *Conversation) (time.Time, bool) {
	w := &c.recall().recallRare().wait
	next := int64(0)
	add := func(after int64) {
		if at := w.since + after; after > 0 && at > c.timer && (next == 0 || at < next) {
			next = at
		}
	}
	for _, d := range p.waits {
		add(d.Milliseconds())
	}
	if w.rule != "" && !w.unanswered {
		add(w.timeout)
	}
	if w.since == 0 || next == 0 {
		return time.Time{}, false
	}
	return time.UnixMilli(next), true
}
