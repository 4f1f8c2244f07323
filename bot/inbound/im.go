package inbound

import (
	"strings"
	"sync"
	"sync/atomic"

	"escalator/bot/desk"
	"escalator/rules"
)

// pairPrefix begins the id of a conversation that is known by who talks to whom,
// because callbacks of plain IM carry no session id.
const pairPrefix = "im:"

// pairID names the conversation of a customer with an account of the service;
// "" where one of the two is missing. pairOf reads it.
func pairID(user, service string) string {
	var room [128]byte
	return string(appendPair(room[:0], user, service))
}

func appendPair(b []byte, user, service string) []byte {
	if user == "" || service == "" {
		return b
	}
	if strings.ContainsAny(user, "|%") {
		user = strings.ReplaceAll(strings.ReplaceAll(user, "%", "%25"), "|", "%7C")
	}
	return append(append(append(append(b, pairPrefix...), user...), '|'), service...)
}

// pairOf says whose conversation an id names, where it began in plain IM.
func pairOf(id string) (user, service string, ok bool) {
	pair, ok := strings.CutPrefix(id, pairPrefix)
	if !ok {
		return "", "", false
	}
	user, service, ok = strings.Cut(pair, "|")
	return strings.ReplaceAll(strings.ReplaceAll(user, "%7C", "|"), "%25", "%"), service, ok
}

// Stored is a conversation that is known by its id alone, after a restart, say.
func Stored(id string) *Message {
	m := &Message{Conversation: id}
	var ok bool
	if m.User, m.Service, ok = pairOf(id); !ok {
		m.Session = id
	}
	return m
}

// ownID names the conversation of a callback of Desk, whatever its aliases.
func ownID(e *desk.Event) string {
	if e.SessionID != "" {
		return e.SessionID
	}
	return pairID(e.UserID, e.ServiceID)
}

// direct says what a message of plain IM does; false: nothing.
func (m *Message) direct(p *rules.Policy, e *desk.Event, speaker Speaker) bool {
	switch {
	case m.Conversation == "": // not delivered, no words, or between two customers or two accounts of ours
		return false
	case speaker == Customer:
		m.saysCustomer(p, e, true)
	case fromUs(e):
		return false
	case speaker == Agent:
		seat := rules.EventAgentMessage
		m.Change = &seat
	default:
		m.says(e, rules.BotTurn)
	}
	return true
}

// parties says who talks with whom in a message of plain IM.
func parties(e *desk.Event, speaker Speaker) (user, service string) {
	switch speaker {
	case Customer:
		return e.From, e.To
	case Robot, Agent:
		return e.To, e.From
	default:
		return "", ""
	}
}

// maxAccounts bounds the accounts that Desk's callbacks may teach: an app has a
// few consultation entries.
const maxAccounts = 1000

// accounts knows which accounts are the service's: those that begin with @
// (customer service accounts and robots), those of the settings, and those that
// Desk's callbacks have named. A consultation entry's id may lack the @.
type accounts struct {
	known sync.Map // account → true
	n     atomic.Int32
}

// add notes an account that needs to be remembered.
func (a *accounts) add(account string) {
	if account == "" || account[0] == '@' {
		return
	}
	if _, known := a.known.Load(account); known || a.n.Load() >= maxAccounts {
		return
	}
	if _, known := a.known.LoadOrStore(strings.Clone(account), true); !known {
		a.n.Add(1)
	}
}

// service reports whether an account is one of the service.
func (a *accounts) service(account string) bool {
	if strings.HasPrefix(account, "@") {
		return true
	}
	_, known := a.known.Load(account)
	return known
}

// speaker says who wrote a callback's message, by its wire names.
func (a *accounts) speaker(e *desk.Event) Speaker {
	robot := Robot
	if e.Role == roleSeat {
		robot = Agent
	}
	switch e.Command {
	case desk.CommandSessionEvent:
		switch e.Name {
		case desk.EventUserMessage:
			return Customer
		case desk.EventBotMessage:
			return robot
		}
	case desk.CommandBotC2C, desk.CommandC2CAfter:
		from, to := a.service(e.From), a.service(e.To)
		switch {
		case from == to || e.From == "" || e.To == "": // between two customers, or two accounts of the service
		case to:
			return Customer
		default:
			return robot
		}
	}
	return Nobody
}
