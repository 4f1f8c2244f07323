package inbound

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"escalator/bot/desk"
	"escalator/rules"
)

// OwnMark is the key in CloudCustomData by which we know our own messages when
// they come back to us.
const OwnMark = "escalator"

// roleSeat is the role, in CloudCustomData, of words that a person wrote.
const roleSeat = "seat"

// Speaker is who a callback's wire names say is speaking. The rule file has no
// say in it: what a message is must not change with a reload.
type Speaker uint8

// The speakers. Nobody is every event that is no message of a known speaker.
const (
	Nobody Speaker = iota
	Customer
	Robot
	Agent
)

// Message is what a callback means to its conversation. After Read, exactly one
// of Commit and Abort must follow.
type Message struct {
	// Conversation is the id of the conversation that it belongs to; "": none.
	Conversation string
	// Session is Desk's id, "" in plain IM, where User and Service say who talks
	// with whom.
	Session, User, Service string
	// Group is the group in which it was said; "": in none. Agent is the person whom an
	// event names.
	Group, Agent string
	// Name is the event, and RequestID the request, as the log shows them.
	Name, RequestID string

	// Turn is for the rules to decide upon. When it came is for the caller to say.
	Turn *rules.Turn
	// Stars is the rating that came with what is no message, 0: none did.
	Stars int
	// Change moves the phase; nil: it does not. Sent is the sender's time.
	Change *rules.EventKind
	Sent   time.Time
	// Ask says that the turn asks what the rules say, and counts for nothing.
	Ask bool
	// Unknown says that nobody knows what an event of this name means.
	Unknown bool
	// Awaited says that the customer waits for an answer to it.
	Awaited bool

	// Missing are the fields of the body without which nobody knows whose conversation it
	// changes; nil: that is known, or it would change none.
	Missing []string
	// LeftToDesk says that Desk reports this conversation: its copy counts.
	LeftToDesk bool
	// Echo says that the message was counted before, and Acted whether we acted on
	// it then.
	Echo, Acted bool

	said     rules.Turn // where Turn is that of a message
	aliases  *aliases   // nil: there is nothing to commit
	alias    *alias
	echo     *echo  // of plain IM: what Desk may report once more; of Desk: what it has reported once more
	begins   bool   // of Desk: the start of a session
	fromDesk bool   // of Desk: after it, Desk is known to report the chat,
	session  string // under this session
}

// Counts reports whether the callback changes its conversation.
func (m *Message) Counts() bool {
	return m.Conversation != "" && (m.Turn != nil || m.Change != nil)
}

// Customer is under what something may be kept of the customer; "": nobody knows who
// that is, or it is a group.
func (m *Message) Customer() string {
	if m.Group != "" || strings.HasPrefix(m.User, groupPrefix) {
		return ""
	}
	return m.User
}

// Identify names the customer and the session in the turn.
func (m *Message) Identify() *rules.Turn {
	m.Turn.UserID, m.Turn.SessionID = m.Customer(), cmp.Or(m.Session, m.Conversation)
	return m.Turn
}

// groupPrefix begins the ids of groups.
const groupPrefix = "@TGS#"

// leaveToDesk makes it mean nothing: Desk reports it too.
func (m *Message) leaveToDesk() {
	m.LeftToDesk, m.Conversation, m.Turn, m.Change, m.Awaited = true, "", nil, nil, false
}

// Failed is the message that follows where the operator's own bot left this one
// without an answer.
func (m *Message) Failed() *Message {
	miss := *m
	miss.Turn, miss.Change, miss.aliases = &rules.Turn{Kind: rules.BotTurn, Failed: true}, nil, nil
	return &miss
}

// Reader reads callbacks. The zero value is not ready: make one with New. It may
// be used by several goroutines.
type Reader struct {
	accounts accounts
	aliases  aliases
}

// New returns a reader that knows the accounts of the service which do not begin
// with @.
func New(service []string) *Reader {
	r := &Reader{}
	for _, account := range service {
		r.accounts.add(account)
	}
	return r
}

// Read says what a callback that came at a time means under a policy. It waits,
// up to the end of ctx, while another copy of the same message is being decided,
// unless all processes know of the callback (nil: this one is to find out).
func (r *Reader) Read(ctx context.Context, p *rules.Policy, e *desk.Event, at time.Time, known *Known) (*Message, error) {
	m := r.message(e)
	switch e.Command {
	case desk.CommandSessionEvent:
		m.understand(p, e)
		if m.Conversation == "" && (m.Turn != nil || m.Change != nil) {
			m.Missing = empty("SessionId", e.SessionID, "ClientUserId", e.UserID, "CustomerServiceId", e.ServiceID)
		}
		if known != nil {
			r.aliases.place(m, e, at, known)
			return m, nil
		}
		return m, r.aliases.resolveDesk(ctx, m, e, at)
	case desk.CommandBotC2C, desk.CommandC2CAfter:
		if !m.direct(p, e, r.accounts.speaker(e)) {
			if !e.SendFailed && !e.Control() {
				m.Missing = empty("From_Account", e.From, "To_Account", e.To)
			}
			return m, nil
		}
		if known != nil && known.Left {
			m.leaveToDesk()
			return m, nil
		}
		return m, r.aliases.resolveIM(ctx, m, e, at, known != nil)
	case desk.CommandAssignHuman, desk.CommandAssignAgent:
		m.ask(e, "")
	case desk.CommandTaskFlow:
		m.ask(e, taskFlowText(p, e))
	}
	return m, nil
}

// empty returns the names of those that have no value, of pairs of both.
func empty(pairs ...string) (names []string) {
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] == "" {
			names = append(names, pair[0])
		}
	}
	return names
}

// Conversation is the id of the conversation that a callback belongs to, as far
// as is known before it is read; "": none.
func (r *Reader) Conversation(e *desk.Event) string {
	switch e.Command {
	case desk.CommandBotC2C, desk.CommandC2CAfter:
		speaker := r.accounts.speaker(e)
		if speaker == Nobody || e.SendFailed || e.Control() {
			return ""
		}
		return pairID(parties(e, speaker))
	}
	if known := r.aliases.of(e); known != "" {
		return known
	}
	return ownID(e)
}

// Again reads a callback whose message was counted before. It counts for nothing
// and needs no commit.
func (r *Reader) Again(e *desk.Event) *Message {
	r.Noted(e)
	m := r.message(e)
	if m.Session == "" && r.aliases.deskReports(m.Conversation) {
		m.leaveToDesk()
	}
	return m
}

// Noted takes note of what Desk reports, in a callback whose message was counted
// before.
func (r *Reader) Noted(e *desk.Event) {
	if e.Command == desk.CommandSessionEvent {
		r.aliases.noteReported(e)
	}
}

// message is a callback before it is known what it does.
func (r *Reader) message(e *desk.Event) *Message {
	r.accounts.add(e.ServiceID)
	m := &Message{
		Conversation: r.Conversation(e), Session: e.SessionID, User: e.UserID, Service: e.ServiceID,
		Name: cmp.Or(e.Name, e.Command), RequestID: e.RequestID, Sent: e.Time, Group: e.GroupID,
	}
	speaker := r.accounts.speaker(e)
	switch e.Command {
	case desk.CommandBotC2C, desk.CommandC2CAfter:
		m.Session = ""
		m.User, m.Service = parties(e, speaker)
		m.Awaited = speaker == Customer && e.Command == desk.CommandBotC2C
	case desk.CommandSessionEvent:
		m.Awaited = speaker == Customer && !e.Control()
	}
	m.Awaited = m.Awaited && m.Conversation != ""
	return m
}

// understand says what an event of Desk means. Three names are documented by
// Tencent, the rule file may map others; a system mark speaks for itself where
// the service may be speaking.
func (m *Message) understand(p *rules.Policy, e *desk.Event) {
	m.speaks(p, e)
	if m.Turn != nil {
		return
	}
	if m.Stars = rules.Stars(e); m.Stars > 0 && p.Rates() { // whatever the event is, and whatever else it does
		m.Turn = &rules.Turn{Kind: rules.RatingTurn, Sent: e.Time, Fields: e}
	}
}

func (m *Message) speaks(p *rules.Policy, e *desk.Event) {
	kind, known := eventKind(p, e)
	m.Unknown = !known
	if known && kind == rules.EventUserMessage || !known && ofCustomer(e.Name) {
		m.saysCustomer(p, e, known)
		return
	}
	marked, isMark := rules.MarkEvent(e.Mark)
	switch {
	case fromUs(e):
	case isMark: // Desk's own prompt is no answer of the bot
		m.Change = &marked
	case !known:
	case kind == rules.EventSessionBegin:
		m.says(e, rules.StartTurn)
	case kind == rules.EventBotMessage:
		m.says(e, rules.BotTurn)
	default:
		m.Change = &kind
	}
	if m.Change != nil {
		m.Agent, _ = e.Field("AgentId")
	}
}

// saysCustomer makes the turn of a customer's message, with the words that the
// rule file finds in buttons and cards. A client can write anything into
// CloudCustomData, so no mark of it counts.
func (m *Message) saysCustomer(p *rules.Policy, e *desk.Event, known bool) {
	if !known || e.Control() { // the client tells of itself (start of the service, typing, …): no words
		return
	}
	m.says(e, rules.UserTurn)
	m.Turn.Text, m.Turn.Mark = p.Words(e.Text, e), ""
	m.Turn.Unsure = e.Command == desk.CommandSessionEvent && e.Name != desk.EventUserMessage
}

// ofCustomer reports whether an event that nobody knows is, by its name, a
// message of the customer: Tencent's names say who speaks (ChatBot.UserSendMsg).
func ofCustomer(name string) bool { return strings.Contains(strings.ToLower(name), "user") }

// eventKind names what an event is. A message of the bot that carries the role
// of a seat was written by a person.
func eventKind(p *rules.Policy, e *desk.Event) (rules.EventKind, bool) {
	switch e.Name {
	case desk.EventSessionBegin:
		return rules.EventSessionBegin, true
	case desk.EventUserMessage:
		return rules.EventUserMessage, true
	case desk.EventBotMessage:
		if e.Role == roleSeat {
			return rules.EventAgentMessage, true
		}
		return rules.EventBotMessage, true
	default:
		return p.EventKind(e.Name)
	}
}

// ask makes a callback that asks what the rules say to a text.
func (m *Message) ask(e *desk.Event, text string) {
	m.Ask = true
	m.Turn = &rules.Turn{Kind: rules.UserTurn, Text: text, Fields: e}
}

// taskFlowText is the customer's words in a task flow's variables.
func taskFlowText(p *rules.Policy, e *desk.Event) string {
	name := p.TaskFlowText()
	if name == "" {
		return ""
	}
	text, _ := e.Task(name)
	return text
}

// elements are the kinds of message elements that rules know, by Tencent's names.
var elements = map[string]rules.Sends{
	"TIMImageElem":     rules.SendsImage,
	"TIMSoundElem":     rules.SendsSound,
	"TIMVideoFileElem": rules.SendsVideo,
	"TIMFileElem":      rules.SendsFile,
	"TIMLocationElem":  rules.SendsLocation,
	"TIMFaceElem":      rules.SendsFace,
	"TIMCustomElem":    rules.SendsCustom,
}

// says makes the turn of a message: the event as the rules see it.
func (m *Message) says(e *desk.Event, kind rules.TurnKind) {
	m.said = rules.Turn{Kind: kind, Sent: e.Time, Text: e.Text, Mark: e.Mark, Fields: e}
	for _, name := range e.Elements {
		m.said.Sends |= elements[name]
	}
	m.Turn = &m.said
}

// fromUs reports whether a message was sent by this program: it must never feed
// the rules. Only messages of the service are asked.
func fromUs(e *desk.Event) bool {
	if !strings.Contains(e.CloudCustomData, OwnMark) {
		return false
	}
	_, ok := e.Field("CloudCustomData." + OwnMark)
	return ok
}
