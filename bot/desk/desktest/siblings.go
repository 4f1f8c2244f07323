package desktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"escalator/bot/desk"
)

// assignHuman is the body of ChatBot.OnAssignHuman (PROTOCOL.md 2). EventTime is
// a number on newer pages and a string on the older one.
type assignHuman struct {
	CallbackCommand   string
	SessionID         string `json:"SessionId"`
	ClientUserID      string `json:"ClientUserId"`
	CustomerServiceID string `json:"CustomerServiceId,omitempty"`
	EventTime         any
}

// Assign lets a session with the bot ask for a person under the policy "assigned
// by business server": the service is asked to whom, and whoever fits its answer
// gets the session. Where there is no answer, or one that says nothing, anybody
// may get it. The older name of the callback has its EventTime as a string.
func (d *Desk) Assign(id string, older bool) Answer {
	d.mu.Lock()
	s := d.get(id)
	body := assignHuman{
		CallbackCommand: desk.CommandAssignHuman, SessionID: s.id, ClientUserID: s.user, CustomerServiceID: s.service,
		EventTime: d.o.Now().UnixMilli(),
	}
	if older {
		body.CallbackCommand, body.CustomerServiceID = desk.CommandAssignAgent, ""
		body.EventTime = strconv.FormatInt(d.o.Now().UnixMilli(), 10)
	}
	d.mu.Unlock()
	answer := d.ask(body.CallbackCommand, body)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.obey(s, answer)
	return answer
}

// obey gives a session to whom the service named.
func (d *Desk) obey(s *session, a Answer) {
	var to struct {
		AgentGroupID *int64   `json:"AgentGroupId"`
		AgentIDList  []string `json:"AgentIdList"`
	}
	w := wish{Priority: lowestPriority}
	if a.Err == nil && a.ErrorCode == 0 && json.Unmarshal(a.Body, &to) == nil {
		w.Agents, w.Group = to.AgentIDList, to.AgentGroupID
	}
	agent, online := d.pick(w)
	switch {
	case s.state != desk.StateChatbot:
	case agent != nil:
		d.assign(s, agent)
	case online:
		s.wish = w
		d.enqueue(s)
	default:
		d.prompt(s, markNoAgent, "No agent is online.")
	}
}

// Flow lets a task flow of a session call its API node (PROTOCOL.md 3) with
// variables of the flow's own; the session's are added.
func (d *Desk) Flow(id string, variables map[string]string) Answer {
	d.mu.Lock()
	s := d.get(id)
	all := map[string]string{"SystemClientUserID": s.user, "SystemSessionID": s.id}
	d.mu.Unlock()
	maps.Copy(all, variables)
	return d.ask(desk.CommandTaskFlow, struct {
		CallbackCommand string
		Body            map[string]string
		EventTime       int64
	}{desk.CommandTaskFlow, all, d.o.Now().UnixMilli()})
}

// memberEvent is the body of Member.EventNotify (PROTOCOL.md 1.8).
type memberEvent struct {
	CallbackCommand string
	Event           string
	MemberID        string `json:"MemberId"`
	Status          string
	EventTime       int64
	ClientInfo      []clientInfo
	RestReason      string
}

type clientInfo struct {
	ClientType  string
	IsConnected bool
}

// SetStatus sets an agent's status (free, ready, notReady, rest or offline) and
// sends Member.EventNotify, which has a RequestID.
func (d *Desk) SetStatus(agent, status string) Answer {
	d.mu.Lock()
	a := d.agents[agent]
	if a != nil {
		a.Online, a.Busy, a.Rest = status != "offline", status == "notReady", status == "rest"
		d.dispatch()
	}
	c := d.memberChanged(agent, status)
	d.mu.Unlock()
	if a == nil {
		return Answer{Skipped: true, Err: fmt.Errorf("no agent %q", agent)}
	}
	return d.sendNow(c)
}

func (d *Desk) memberChanged(agent, status string) Callback {
	body, _ := json.Marshal(memberEvent{
		CallbackCommand: desk.CommandMemberChanged, Event: "Member.StatusChange", MemberID: agent, Status: status,
		EventTime: d.o.Now().UnixMilli(), ClientInfo: []clientInfo{{"Web", status != "offline"}},
	})
	return Callback{Command: desk.CommandMemberChanged, RequestID: requestID(), Body: body}
}

// statusChanged sends Member.EventNotify by itself where that is switched on. It
// needs the lock; nobody waits for the answer.
func (d *Desk) statusChanged(a *Agent) {
	if !d.o.MemberEvents || d.callback == "" || d.closed {
		return
	}
	d.queueCallback(&d.members, d.memberChanged(a.ID, a.status()))
}

// IM is a message of plain IM.
type IM struct {
	From, To        string // of a one-to-one message
	Group           string // of a message in a group; then To is the robot that is mentioned
	Text            string
	CloudCustomData string
	SendMsgResult   int // 0: delivered
}

// imMessage is the body of the IM callbacks (PROTOCOL.md 5.1 to 5.3).
type imMessage struct {
	CallbackCommand string
	GroupID         string  `json:"GroupId,omitempty"`
	Type            string  `json:",omitempty"`
	From            string  `json:"From_Account"`
	To              string  `json:"To_Account,omitempty"`
	Operator        string  `json:"Operator_Account,omitempty"`
	Random          *uint32 `json:",omitempty"`
	MsgSeq          int
	MsgRandom       *uint32 `json:",omitempty"`
	MsgTime         int64
	MsgKey          string `json:",omitempty"`
	OnlineOnlyFlag  int
	SendMsgResult   *int   `json:",omitempty"`
	ErrorInfo       string `json:",omitempty"`
	UnreadMsgNum    *int   `json:",omitempty"`
	MsgBody         json.RawMessage
	Robots          []string `json:"AtRobots_Account,omitempty"`
	CloudCustomData string
	EventTime       any `json:",omitempty"`
}

// SendIM sends one callback of plain IM. A message between a customer and an
// account of the service opens a Desk session of the two, which get_session_state
// finds by ClientUserId and CustomerServiceId, unless it was never delivered.
func (d *Desk) SendIM(command string, m IM) Answer {
	body, err := d.imBody(command, m)
	if err != nil {
		return Answer{Skipped: true, Err: err}
	}
	return d.ask(command, body)
}

// imBody fills in the fields that the page of the command lists.
func (d *Desk) imBody(command string, m IM) (*imMessage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.messages++
	random, now := desk.NewMsgRandom(), d.o.Now()
	b := &imMessage{
		CallbackCommand: command, From: m.From, MsgSeq: d.messages, MsgTime: now.Unix(),
		MsgBody: textBody(m.Text), CloudCustomData: m.CloudCustomData,
	}
	key := fmt.Sprintf("%d_%d_%d", b.MsgSeq, random, b.MsgTime)
	switch command {
	case desk.CommandBotC2C, desk.CommandC2CAfter, desk.CommandC2CBefore:
		b.To, b.MsgRandom, b.MsgKey = m.To, &random, key
	case desk.CommandBotGroup, desk.CommandGroupAfter, desk.CommandGroupBefore:
		b.GroupID, b.Type, b.Operator, b.Random = m.Group, "Public", m.From, &random
	default:
		return nil, fmt.Errorf("%q is no callback of plain IM", command)
	}
	if command == desk.CommandBotC2C || command == desk.CommandC2CAfter {
		b.SendMsgResult, b.ErrorInfo = &m.SendMsgResult, "send msg succeed"
		if m.SendMsgResult != 0 {
			b.ErrorInfo = "send msg failed"
		} else {
			d.imSession(m.From, m.To)
		}
	}
	d.imExtras(b, m)
	return b, nil
}

// imExtras fills in what only some of the pages list.
func (d *Desk) imExtras(b *imMessage, m IM) {
	switch b.CallbackCommand {
	case desk.CommandBotC2C:
		b.EventTime = d.o.Now().UnixMilli()
	case desk.CommandC2CAfter:
		unread := 1
		if m.SendMsgResult != 0 {
			unread = -1
		}
		b.UnreadMsgNum = &unread
	case desk.CommandBotGroup:
		b.MsgBody, b.Robots = textBody("@"+m.To+" "+m.Text), []string{m.To}
		b.EventTime = d.o.Now().UnixMilli()
	case desk.CommandGroupAfter: // the sample has a string where the table says Integer
		b.EventTime = strconv.FormatInt(d.o.Now().UnixMilli(), 10)
	}
}

// imSession makes sure that a customer who writes to the service, or the other
// way round, has a session.
func (d *Desk) imSession(from, to string) {
	user, service := from, to
	if isService(from) {
		user, service = to, from
	}
	if isService(user) || !isService(service) {
		return
	}
	if s := d.find(user, service); s != nil && s.state != desk.StateNotInSession {
		return
	}
	id := fmt.Sprintf("im-session-%d", len(d.sessions)+1)
	d.begin(&session{id: id, user: user, service: service, episode: 1})
}

func isService(account string) bool { return account != "" && account[0] == '@' }

// ask sends a callback at once and returns the answer.
func (d *Desk) ask(command string, body any) Answer {
	b, err := json.Marshal(body)
	if err != nil {
		return Answer{Skipped: true, Err: err}
	}
	return d.sendNow(Callback{Command: command, Body: b})
}

var errNoAddress = errors.New("no callback URL is set")

func (d *Desk) sendNow(c Callback) Answer {
	d.mu.Lock()
	silent := d.callback == "" || d.closed
	d.mu.Unlock()
	if silent {
		return Answer{Skipped: true, Request: c, Err: errNoAddress}
	}
	return d.Resend(c)
}
