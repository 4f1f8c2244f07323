package rules

import (
	"slices"
	"time"
)

// Conversation is all that is remembered of one conversation. The zero value is a new one in PhaseBot. It is a value
// of at most 96 bytes until something happens in it; what happens is kept behind pointers, so copy it with CopyFrom.
// It is not safe for concurrent use. All times in it are milliseconds since 1970, 0 for never.
type Conversation struct {
	seen     int64 // the last turn or event
	sent     int64 // EventTime of the last phase change
	waiting  int64 // the customer's message that has no answer of the bot yet
	timer    int64 // the last timer turn
	missAt   int64 // the miss of the exchange under way; see misses.go
	began    int64 // the bot phase, 0 until something happens in it
	turns    uint32
	epoch    uint32 // how many bot phases there were before this one
	phase    Phase
	exchange exchange
	streak   uint8
	lang     [2]byte
	first    bool         // it is the first session of a customer of whom nothing was kept
	prints   fingerprints // of the customer's last messages, while a rule has `repeats`
	memory   *memory
}

// memory is what is kept of things that do not happen in every conversation.
type memory struct {
	confirmed int64 // when Desk last said that it is queued or with a human
	misses    []int64
	said      []saidStamp
	moods     []moodStamp
	rules     []ruleState
	accepted  []int64 // transfers that Desk accepted, for per_session; survives the session
	offer     pendingOffer
	leftQueue bool   // a rule has taken the customer out of Desk's queue in this session
	userID    string // kept where turns by the clock must know whose they are; see meet
	rare      *rareMemory
}

// rareMemory is what few conversations need: apart, because it takes more than all the rest.
type rareMemory struct {
	users       []int64 // when the customer's last messages came, while a rule has `rate`
	userFields  []fieldValue
	startFields []fieldValue
	panelFields []fieldValue // see panel.go
	message     openMessage
	wait        wait
}

// fieldValue is the value of a path that some rule asks for.
type fieldValue struct {
	path  string
	value string
}

// ruleState is what happened to one rule. What a rule would have done while in shadow is kept apart: nothing of it
// holds once the rule acts. Phases are counted from 1, so that 0 means never.
type ruleState struct {
	id        string
	shadow    bool
	offerOver bool
	spentNow  bool   // nor does the miss count that the exchange under way may come to
	spent     uint8  // how many of the misses, the oldest, the rule has fired on: they count for it no more
	offeredIn uint32 // the bot phase in which its offer was made
	awayIn    uint32 // the bot phase in which it would have made a transfer (in shadow)
	fired     int64
	noAgent   int64
}

// pendingOffer is a question that the customer has not answered.
type pendingOffer struct {
	rule string
	at   int64
	left uint8 // how many more messages of the customer may answer it
}

// UserID names the customer, as far as the conversation had to remember it.
func (c *Conversation) UserID() string { return c.recall().userID }

// Phase says who the customer is with.
func (c *Conversation) Phase() Phase { return c.phase }

// Language is the conversation's language, "" while unknown.
func (c *Conversation) Language() string {
	if c.lang[0] == 0 {
		return ""
	}
	for _, l := range languages { // gives a constant instead of allocating
		if l[0] == c.lang[0] && l[1] == c.lang[1] {
			return l
		}
	}
	return string(c.lang[:])
}

// Seen is the time of the last turn or event, zero if there was none.
func (c *Conversation) Seen() time.Time {
	if c.seen == 0 {
		return time.Time{}
	}
	return time.UnixMilli(c.seen)
}

// CopyFrom makes c a deep copy of o, reusing c's memory.
func (c *Conversation) CopyFrom(o *Conversation) {
	if c == o {
		return
	}
	prints, m := append(c.prints[:0], o.prints...), c.memory
	*c = *o
	c.prints, c.memory = prints, m
	switch {
	case o.memory != nil:
		c.own().copyFrom(o.memory)
	case c.memory != nil:
		c.memory.copyFrom(&memory{})
	}
}

func (m *memory) copyFrom(o *memory) {
	m.confirmed = o.confirmed
	m.misses = append(m.misses[:0], o.misses...)
	m.said = append(m.said[:0], o.said...)
	m.moods = append(m.moods[:0], o.moods...)
	m.rules = append(m.rules[:0], o.rules...)
	m.accepted = append(m.accepted[:0], o.accepted...)
	m.offer, m.leftQueue, m.userID = o.offer, o.leftQueue, o.userID
	if m.rare != nil || o.rare != nil {
		m.ownRare().copyFrom(o.recallRare())
	}
}

func (m *rareMemory) copyFrom(o *rareMemory) {
	m.users = append(m.users[:0], o.users...)
	m.userFields = append(m.userFields[:0], o.userFields...)
	m.startFields = append(m.startFields[:0], o.startFields...)
	m.panelFields = append(m.panelFields[:0], o.panelFields...)
	m.message, m.wait = o.message, o.wait
}

// own gives the memory, made on first use.
func (c *Conversation) own() *memory {
	if c.memory == nil {
		c.memory = &memory{}
	}
	return c.memory
}

// recall gives the memory to read; it is empty when there is none.
func (c *Conversation) recall() *memory {
	if c.memory == nil {
		return &noMemory
	}
	return c.memory
}

// ownRare and recallRare are own and recall for what is rare.
func (m *memory) ownRare() *rareMemory {
	if m.rare == nil {
		m.rare = &rareMemory{}
	}
	return m.rare
}

func (m *memory) recallRare() *rareMemory {
	if m.rare == nil {
		return &noRareMemory
	}
	return m.rare
}

// Never written.
var (
	noMemory     memory
	noRareMemory rareMemory
)

// rule gives the state of a rule to read, nil if nothing ever happened to it.
func (c *Conversation) rule(id string, shadow bool) *ruleState {
	m := c.recall()
	for i := range m.rules {
		if m.rules[i].id == id && m.rules[i].shadow == shadow {
			return &m.rules[i]
		}
	}
	return nil
}

// ownRule gives the state of a rule to write.
func (c *Conversation) ownRule(id string, shadow bool) *ruleState {
	if s := c.rule(id, shadow); s != nil {
		return s
	}
	m := c.own()
	if len(m.rules) >= maxRuleStates {
		m.rules = slices.Delete(m.rules, 0, 1)
	}
	m.rules = append(m.rules, ruleState{id: id, shadow: shadow})
	return &m.rules[len(m.rules)-1]
}

// phaseNumber counts the bot phases from 1.
func (c *Conversation) phaseNumber() uint32 { return c.epoch + 1 }

// maxRuleStates bounds the memory of rules that are long gone from the file: they are forgotten, the oldest first.
const maxRuleStates = 256

// fresh forgets everything but what belongs to the customer and not to the session: the accepted transfers and the
// language.
func (c *Conversation) fresh() {
	m := c.memory
	*c = Conversation{seen: c.seen, sent: c.sent, epoch: c.epoch + 1, lang: c.lang}
	if m != nil && len(m.accepted) > 0 {
		c.memory = &memory{accepted: m.accepted}
	}
}

// away notes that Desk says that the customer is in the queue or with a person.
func (c *Conversation) away(p Phase, now int64) {
	c.phase, c.own().confirmed = p, now
	c.endMessage()
	if p == PhaseQueued {
		c.enqueue(now)
	} else {
		c.dequeue()
	}
}

// toBot begins a new bot phase within the session.
func (c *Conversation) toBot() {
	if c.phase == PhaseBot {
		return
	}
	c.phase, c.began = PhaseBot, c.seen
	c.epoch++
	c.turns, c.waiting = 0, 0
	c.endOffer()
	c.dequeue()
}

// Observe moves the phase by a Desk event or system mark. sent is the event's own time (zero if unknown): an event
// older than the last phase change is ignored, whenever it arrives. It gives the wait in the queue that ended with it
// and that nobody answered, nil where none did.
func (c *Conversation) Observe(k EventKind, at, sent time.Time) (unanswered *Wait) {
	now := c.see(at)
	if !c.inOrder(k, sent) {
		return nil
	}
	switch k {
	case EventSessionBegin, EventClosed:
		unanswered = c.lapse(now, true, false)
		c.fresh()
	case EventTransferring:
		// While a transfer of ours is under way this is its echo, and the answer of Desk will tell more.
		if c.phase == PhaseBot || c.phase == PhaseQueued {
			c.away(PhaseQueued, now)
		}
	case EventWithHuman, EventAgentMessage:
		c.away(PhaseHuman, now)
		c.waiting = 0
	case EventNoAgent:
		// Likewise: the answer to our own transfer decides, there may be a next target in the chain.
		if c.phase != PhaseTransferring {
			unanswered = c.lapse(now, false, true)
			c.toBot()
		}
	case EventUserMessage, EventBotMessage: // turns: Decide counts them
	}
	return unanswered
}

// inOrder takes note of an event's own time and says whether the event is news.
func (c *Conversation) inOrder(k EventKind, sent time.Time) bool {
	if sent.IsZero() || k == EventUserMessage || k == EventBotMessage {
		return true
	}
	s := sent.UnixMilli()
	if s < c.sent {
		return false
	}
	c.sent = s
	return true
}

// Settle records how a transfer of a rule ended, also in what is kept of the customer; u may be nil.
func (p *Policy) Settle(c *Conversation, u *User, ruleID string, r Result, at time.Time) {
	now := c.see(at)
	switch r {
	case ResultAssigned, ResultQueued:
		m := c.own()
		m.accepted = pushStamp(m.accepted, now)
		c.away(PhaseHuman, now) // whatever wait there was is over
		if r == ResultQueued {
			c.away(PhaseQueued, now)
		}
	case ResultAlreadyHuman:
		c.away(PhaseHuman, now)
	case ResultAlreadyQueued:
		c.away(PhaseQueued, now)
	case ResultSessionGone:
		c.fresh()
	case ResultNoAgent:
		c.ownRule(ruleID, false).noAgent = now
		p.restAgain(u, ruleID, false, now)
		p.nobodyThere(c, u, now)
		c.toBot()
	default:
		c.toBot()
	}
}

// nobodyThere ends the transfers that shadow rules would have made in this phase as the real one ended.
func (p *Policy) nobodyThere(c *Conversation, u *User, now int64) {
	rules := c.own().rules
	for i := range rules {
		if s := &rules[i]; s.shadow && s.awayIn == c.phaseNumber() {
			s.noAgent = now
			p.restAgain(u, s.id, true, now)
		}
	}
}

// maxStamps bounds every ring of stamps.
const maxStamps = maxCount

// pushStamp adds a stamp to a ring that keeps the newest.
func pushStamp(ring []int64, at int64) []int64 {
	if len(ring) < maxStamps {
		return append(ring, at)
	}
	copy(ring, ring[1:])
	ring[len(ring)-1] = at
	return ring
}

// countSince counts the stamps that are at most so old.
func countSince(ring []int64, now, within int64) int {
	n := 0
	for _, at := range ring {
		if now-at <= within {
			n++
		}
	}
	return n
}

// maxAwayFromBot is how long a conversation that is being transferred, queued or with a human is kept.
const maxAwayFromBot = 24 * time.Hour

// Expiry says until when the conversation must be kept: the session's time to live in the bot phase, a day in the
// others, and as long as its accepted transfers count for per_session.
func (p *Policy) Expiry(c *Conversation) time.Time {
	until := c.seen + p.lifetime(c)
	for _, at := range c.recall().accepted {
		until = max(until, at+p.perSession.Per.Milliseconds())
	}
	return time.UnixMilli(until)
}

func (p *Policy) lifetime(c *Conversation) int64 {
	if c.phase == PhaseBot {
		return p.sessionTTL.Milliseconds()
	}
	return maxAwayFromBot.Milliseconds()
}
