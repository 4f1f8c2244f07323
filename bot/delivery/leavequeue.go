package delivery

import (
	"context"

	"escalator/bot/store"
	"escalator/rules"
)

// The way out of Desk's queue (leave_queue): end_queuing, then the question where the
// session is, then the delivery like any other. That the session goes on after
// end_queuing is nowhere documented, so it is called once, and nothing is sent before
// Desk has said that the session is with its robot.

// leave takes the customer out of Desk's queue.
func (a *attempt) leave(ctx context.Context) action {
	t := a.transfer
	if t.Session == "" { // of plain IM, and Desk has not told its name
		return again
	}
	a.called = true
	err := a.opt.Desk.EndQueuing(ctx, t.Session)
	a.note(err)
	r := assigned
	if a.err != nil {
		r = refusal(a.err)
	}
	t.Sent = r == lost
	if r == assigned || r == notNow { // Desk has let go, or says that the customer was not in the queue
		t.LeaveQueue = store.LeaveDone
	}
	return afterLeaving[r]
}

// away notes that the customer is with the robot, out of the queue.
func (a *attempt) away(ctx context.Context) {
	if t := a.transfer; t.LeaveQueue != store.NotLeaving {
		t.LeaveQueue = store.NotLeaving
		a.opt.LeftQueue(ctx, t)
	}
}

// stands is where a transfer leaves the customer that ended with a result: one that
// did not get out of the queue is still there.
func (a *attempt) stands(r rules.Result) rules.Result {
	switch t := a.transfer; {
	case r != rules.ResultFailed || t.LeaveQueue == store.NotLeaving:
		return r
	case a.place == ended:
		return rules.ResultSessionGone
	case t.LeaveQueue == store.LeaveDue || a.place == inQueue:
		return rules.ResultAlreadyQueued
	default:
		return r
	}
}
