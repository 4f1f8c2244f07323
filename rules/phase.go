package rules

// Phase says who the customer is with.
type Phase uint8

const (
	// PhaseBot: with the bot. The zero value, so a new conversation is with the bot.
	PhaseBot Phase = iota
	// PhaseTransferring: a transfer of ours is committed and not yet answered by Desk.
	PhaseTransferring
	// PhaseQueued: waiting for an agent.
	PhaseQueued
	// PhaseHuman: with an agent.
	PhaseHuman
)

var phaseNames = [...]string{"bot", "transferring", "queued", "human"}

// String names the phase.
func (p Phase) String() string { return phaseNames[min(int(p), len(phaseNames)-1)] }

// EventKind is what a Desk event means.
type EventKind uint8

const (
	EventSessionBegin EventKind = iota
	// EventTransferring: Desk looks for an agent or has put the customer into the queue.
	EventTransferring
	EventWithHuman
	EventNoAgent
	EventClosed
	// EventUserMessage and EventBotMessage are turns: give them to Decide. EventAgentMessage is observed.
	EventUserMessage
	EventBotMessage
	EventAgentMessage
)

var eventNames = [...]string{
	"session_begin", "transferring", "with_human", "no_agent", "closed", "user_message", "bot_message", "agent_message",
}

// String names the kind as the file's `events` do.
func (k EventKind) String() string { return eventNames[min(int(k), len(eventNames)-1)] }

// ParseEventKind reads a word of the file's `events`, or "session_begin".
func ParseEventKind(s string) (EventKind, bool) {
	for i, n := range eventNames {
		if n == s {
			return EventKind(i), true
		}
	}
	return 0, false
}

// MarkEvent says which event a system mark (messageType) amounts to. Decide observes the marks of its turns by itself.
func MarkEvent(mark string) (EventKind, bool) {
	switch mark {
	case "connectingToAgent", "queuing":
		return EventTransferring, true
	case "connectedToAgent":
		return EventWithHuman, true
	case "failedToConnectAgent":
		return EventNoAgent, true
	case "proactiveClosure", "timeoutAutoClosure":
		return EventClosed, true
	}
	return 0, false
}

// Result is how a transfer ended.
type Result uint8

const (
	// ResultAssigned: an agent has it.
	ResultAssigned Result = iota
	// ResultQueued: it waits for an agent.
	ResultQueued
	// ResultNoAgent: nobody was online in the whole chain.
	ResultNoAgent
	// ResultAlreadyHuman: Desk says that an agent had it already.
	ResultAlreadyHuman
	// ResultAlreadyQueued: Desk says that it was in the queue already.
	ResultAlreadyQueued
	// ResultSessionGone: Desk does not know the session any more.
	ResultSessionGone
	// ResultFailed: given up.
	ResultFailed
	// ResultDismissed: an operator ended it.
	ResultDismissed
)

var resultNames = [...]string{
	"assigned", "queued", "no_agent", "already_human", "already_queued", "session_gone", "failed", "dismissed",
}

// String names the result as the log does.
func (r Result) String() string { return resultNames[min(int(r), len(resultNames)-1)] }

// ParseResult reads a result's name.
func ParseResult(s string) (Result, bool) {
	for i, n := range resultNames {
		if n == s {
			return Result(i), true
		}
	}
	return 0, false
}

// EventKinds are the words that ParseEventKind reads.
func EventKinds() []string { return eventNames[:] }
