package delivery

import (
	"escalator/bot/desk"
	"escalator/bot/store"
)

// The attempt as a state machine. An attempt makes up to three kinds of calls: the
// question where the session is (get_session_state), the delivery
// (transfer_to_human), and for a customer in Desk's queue the way out of it
// (end_queuing). What Desk answered, and what was known before, say what is done; the
// tables below are the whole of it.
//
// The question is asked first where something has to be known before a delivery,
// and after a delivery that was refused because of the session's state (141003).
// What was known before it:
//
//	refused   the delivery that was just made was refused (141003)
//	ours      an earlier delivery of ours may have been carried out: its answer
//	          was lost, or its process
//	unsent    nothing of ours can be there: Desk had the session once
//	          (VerifyFirst), an operator tries again, or it is of plain IM and
//	          nobody knows its name yet
//	leaving   an earlier end_queuing may have been carried out, or nobody knows the
//	          session's name yet
//	left      Desk has taken end_queuing, or refused it because of the session's state
//
//	answer            refused          ours             unsent                leaving               left
//	with the robot    count it, again  deliver          store, again at once  store, again at once  store, again at once
//	agent, waiting    assigned         assigned         already_human         already_human         already_human
//	queueing          queued           queued           already_human         end_queuing           failed
//	not in session    session_gone     session_gone     session_gone          failed                failed
//	unknown state     again            again            again                 failed                failed
//	anything else     again            again            again                 again                 again
//	condemns this     failed           failed           failed                failed                failed
//	condemns all      hold             hold             hold                  hold                  hold
//
// "Anything else" is a retryable code, 429, a lost answer, the state of another
// session, and a session of plain IM without its name. A fifth refusal in a round of
// the chain fails instead of "again".
//
// A customer who is in the queue is taken out of it first, once:
//
//	answer                    end_queuing
//	taken, 141027, 141003     ask the state (left)
//	retry, 429                again
//	lost                      again, the question first (leaving)
//	condemns this             failed
//	condemns all              hold
//
// A delivery is made with the session known to be with the robot, or believed so.
// Its columns say where the walk through the chain stands:
//
//	only      the first walk; nobody there ends the transfer
//	first     the first walk; nobody there begins to wait (retry_if_no_agent)
//	waiting   a later walk; nobody there waits on
//	last      a later walk, after which the time to wait is over
//
//	answer            only             first            waiting          last
//	assigned          assigned         assigned         assigned         assigned
//	queued            queued           queued           queued           queued
//	nobody, more      no_agent, next target of the chain (in every column)
//	targets left
//	nobody, chain at  no_agent final,  no_agent, text,  no_agent,        no_agent final
//	its end           text             wait             wait
//	141003            ask the state (in every column)
//	retry, 429        again (in every column)
//	lost              again, the question first (in every column)
//	condemns this     failed (in every column)
//	condemns all      hold (in every column)
//
// Logged, said and counted: see attempt.end and what it calls in outcome.go. "Again" is
// one `retrying` line and a back-off (Retries); past the horizon it is `failed`.
// "Nobody" is 141001, 141011 and, where the target forbids to queue or asks for
// working hours, any 1410xx that no page documents. In the step before a target that
// asks for the customer's last agent it is whatever condemns this transfer: that agent
// may have left the company, and the target tells whether the transfer is to blame.

// question is what was known before get_session_state was asked.
type question uint8

const (
	refused question = iota
	ours
	unsent
	leaving
	left
	questions
)

// walk is where the chain stands when transfer_to_human is called.
type walk uint8

const (
	onlyWalk walk = iota
	firstWalk
	waitingWalk
	lastWalk
	walks
)

// reply is what a call of either kind came to.
type reply uint8

const (
	withRobot reply = iota
	withAgent
	inQueue
	ended
	assigned
	queued
	nobodyYet // nobody of this target, and others are left
	nobodyAtAll
	notNow    // 141003
	elsewhere // a state that no page documents
	tryLater
	lost
	condemnsThis
	condemnsAll
	replies
)

// action is what is done after a reply.
type action uint8

const (
	impossible action = iota // no such reply to such a call
	deliver
	tryNext
	ask
	leave
	askLeft
	storeAndDeliver
	endAssigned
	endQueued
	endAlreadyHuman
	endAlreadyQueued
	endGone
	endNobody
	beginToWait
	waitOn
	again
	countRefusal
	fail
	holdAll
)

var afterQuestion = [replies][questions]action{
	//              refused       ours         unsent            leaving          left
	withRobot:    {countRefusal, deliver, storeAndDeliver, storeAndDeliver, storeAndDeliver},
	withAgent:    {endAssigned, endAssigned, endAlreadyHuman, endAlreadyHuman, endAlreadyHuman},
	inQueue:      {endQueued, endQueued, endAlreadyQueued, leave, fail},
	ended:        {endGone, endGone, endGone, fail, fail},
	elsewhere:    {again, again, again, fail, fail},
	tryLater:     {again, again, again, again, again},
	lost:         {again, again, again, again, again},
	condemnsThis: {fail, fail, fail, fail, fail},
	condemnsAll:  {holdAll, holdAll, holdAll, holdAll, holdAll},
}

var afterLeaving = [replies]action{
	assigned: askLeft, notNow: askLeft, tryLater: again, lost: again, nobodyYet: fail, condemnsThis: fail, condemnsAll: holdAll,
}

var afterDelivery = [replies][walks]action{
	//              only         first        waiting      last
	assigned:     {endAssigned, endAssigned, endAssigned, endAssigned},
	queued:       {endQueued, endQueued, endQueued, endQueued},
	nobodyYet:    {tryNext, tryNext, tryNext, tryNext},
	nobodyAtAll:  {endNobody, beginToWait, waitOn, endNobody},
	notNow:       {ask, ask, ask, ask},
	tryLater:     {again, again, again, again},
	lost:         {again, again, again, again},
	condemnsThis: {fail, fail, fail, fail},
	condemnsAll:  {holdAll, holdAll, holdAll, holdAll},
}

// questionFirst says what has to be asked before a transfer is delivered.
func questionFirst(t *store.Transfer) (q question, needed bool) {
	switch {
	case t.LeaveQueue == store.LeaveDone:
		return left, true
	case t.LeaveQueue == store.LeaveDue:
		return leaving, t.Sent || t.OutcomeUnknown || t.Session == ""
	case t.MayBeOurs():
		return ours, true
	case t.VerifyFirst || t.Session == "":
		return unsent, true
	default:
		return 0, false
	}
}

// stateReply reads the answer to a question.
func stateReply(s desk.SessionState, session string, err *desk.Error) reply {
	if err != nil {
		return questionFailed(err)
	}
	switch s.State {
	case desk.StateChatbot:
		if session == "" { // it cannot be delivered without its name
			return tryLater
		}
		return withRobot
	case desk.StateAgent, desk.StateWaiting:
		return withAgent
	case desk.StateQueueing:
		return inQueue
	case desk.StateNotInSession:
		return ended
	default:
		return elsewhere
	}
}

// questionFailed reads a refusal of a question. A code that speaks of a transfer
// makes no sense here, and condemns nobody.
func questionFailed(err *desk.Error) reply {
	r := refusal(err)
	if r == nobodyYet || r == notNow {
		return tryLater
	}
	return r
}

// refusal reads a refusal, or a fault on the way.
func refusal(err *desk.Error) reply {
	switch err.Verdict() {
	case desk.NextTarget:
		return nobodyYet
	case desk.AskState:
		if err.Err != nil {
			return lost
		}
		return notNow
	case desk.Retry:
		return tryLater
	case desk.Hold, desk.Resign:
		return condemnsAll
	default:
		return condemnsThis
	}
}

// deliveryReply reads the answer to a delivery to the transfer's current target.
func deliveryReply(t *store.Transfer, isQueued bool, err *desk.Error) reply {
	if err == nil {
		if isQueued {
			return queued
		}
		return assigned
	}
	r := refusal(err)
	if r == condemnsThis && (t.Current().LastAgent || err.Unlisted() && picky(t)) {
		r = nobodyYet
	}
	if r == nobodyYet && t.Last() {
		r = nobodyAtAll
	}
	return r
}

// picky reports whether the current target forbids to queue or asks for working
// hours: then an answer that no page documents means "not this one".
func picky(t *store.Transfer) bool {
	set := func(b *bool) bool { return b != nil && *b }
	target := t.Current()
	return set(target.DisableQueuing) || set(target.CheckWorkingHours)
}
