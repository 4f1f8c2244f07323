package desktest

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// maxCalls is how many of the last calls the ledger keeps; accepted transfers
// and messages are all kept.
const maxCalls = 1000

// Accepted is a transfer that the emulator accepted.
type Accepted struct {
	Session string          `json:"session"`
	Episode int             `json:"episode"` // counts the session's stays with the bot
	At      time.Time       `json:"at"`
	Group   *int64          `json:"group,omitempty"`  // as asked for
	Agents  []string        `json:"agents,omitempty"` // as asked for
	Agent   string          `json:"agent,omitempty"`  // who got it at once
	Queued  bool            `json:"queued,omitempty"`
	Request json.RawMessage `json:"request"` // every field as it came
}

// Said is a message that send_msg brought.
type Said struct {
	Session         string          `json:"session"`
	At              time.Time       `json:"at"`
	MsgRandom       uint32          `json:"msg_random"`
	MsgBody         json.RawMessage `json:"msg_body"`
	CloudCustomData string          `json:"cloud_custom_data,omitempty"`
}

// Contacted is a session that contact_user started.
type Contacted struct {
	Session string    `json:"session"`
	User    string    `json:"user"`
	Service string    `json:"service"`
	Agent   string    `json:"agent"`
	At      time.Time `json:"at"`
}

// Call is one REST call that arrived.
type Call struct {
	At      time.Time       `json:"at"`
	Command string          `json:"command"`
	Code    int             `json:"code"` // what the emulator decided, also if a fault hid it; -1 if it did not act
	Fault   Kind            `json:"fault,omitempty"`
	Request json.RawMessage `json:"request,omitempty"`
}

// Ledger is the account of what happened.
type Ledger struct {
	Accepted []Accepted `json:"accepted"`
	Said     []Said     `json:"said"`
	Repeats  int        `json:"repeated_messages"` // send_msg with a MsgRandom that was there before
	Calls    []Call     `json:"calls"`             // the last ones

	Contacted []Contacted `json:"contacted"`

	counts  map[count]int
	waiting chan struct{} // closed at the next change; nil while nobody waits
}

type count struct {
	command string
	code    int
}

func newLedger() Ledger { return Ledger{counts: map[count]int{}} }

// call records a call. It needs the lock.
func (l *Ledger) call(c Call) {
	l.counts[count{c.Command, c.Code}]++
	if len(l.Calls) >= 2*maxCalls {
		l.Calls = slices.Clone(l.Calls[maxCalls:])
	}
	l.Calls = append(l.Calls, c)
	if l.waiting != nil {
		close(l.waiting)
		l.waiting = nil
	}
}

// Ledger returns a copy of the account.
func (d *Desk) Ledger() Ledger {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.ledger
	// Copied onto empty slices, so that JSON shows [] and not null.
	l.Accepted, l.Said = append([]Accepted{}, l.Accepted...), append([]Said{}, l.Said...)
	l.Contacted = append([]Contacted{}, l.Contacted...)
	l.Calls = append([]Call{}, l.Calls[max(0, len(l.Calls)-maxCalls):]...)
	l.counts, l.waiting = maps.Clone(l.counts), nil
	return l
}

// Count tells how often a command was answered with a code.
func (l Ledger) Count(command string, code int) int { return l.counts[count{command, code}] }

// Of returns the accepted transfers of one session.
func (l Ledger) Of(session string) []Accepted {
	var of []Accepted
	for _, a := range l.Accepted {
		if a.Session == session {
			of = append(of, a)
		}
	}
	return of
}

// AcceptedTwice returns the sessions that were transferred more than once in one
// stay with the bot, in order. It can only happen with Options.AcceptRepeats.
func (l Ledger) AcceptedTwice() []string {
	type stay struct {
		session string
		episode int
	}
	seen, twice := map[stay]bool{}, map[string]bool{}
	for _, a := range l.Accepted {
		s := stay{a.Session, a.Episode}
		if seen[s] {
			twice[a.Session] = true
		}
		seen[s] = true
	}
	ids := slices.AppendSeq([]string{}, maps.Keys(twice))
	slices.Sort(ids)
	return ids
}

// Await returns nil as soon as the condition holds; it is tried again after
// every REST call that arrives. A test needs no sleep with it.
func (d *Desk) Await(ctx context.Context, holds func() bool) error {
	for {
		d.mu.Lock()
		if d.ledger.waiting == nil {
			d.ledger.waiting = make(chan struct{})
		}
		changed := d.ledger.waiting
		d.mu.Unlock()
		if holds() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
