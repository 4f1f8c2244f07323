package desktest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"escalator/bot/desk"
)

// Answer is what the service answered to a callback.
type Answer struct {
	Status     int             `json:"status"`
	Body       json.RawMessage `json:"body,omitempty"` // as it came, if it is JSON
	AIProvider *int            `json:"ai_provider,omitempty"`
	ErrorCode  int             `json:"error_code"`
	Skipped    bool            `json:"skipped,omitempty"` // nothing was sent: no name or no address
	Err        error           `json:"-"`                 // no answer, or none that Chat accepts: 200 and JSON
	Request    Callback        `json:"request"`
}

// Callback is one callback as it was sent, to send it again with Resend.
type Callback struct {
	Command   string          `json:"command"`
	RequestID string          `json:"request_id"`
	Body      json.RawMessage `json:"body"`
}

type delivery struct {
	callback Callback
	answer   chan Answer // of capacity 1: a pump never waits for its reader
}

// Option changes one callback from the usual.
type Option func(*notify)

// notify is the body of Desk.SessionEventNotify.
type notify struct {
	CallbackCommand   string
	SessionID         string `json:"SessionId"`
	Event             string
	EventTime         int64
	ChannelType       string
	ClientUserID      string          `json:"ClientUserId"`
	CustomerServiceID string          `json:"CustomerServiceId"`
	AgentID           string          `json:"AgentId,omitempty"`
	MsgKey            string          `json:",omitempty"`
	MsgBody           json.RawMessage `json:",omitempty"`
	CloudCustomData   string          `json:",omitempty"`
	IsContactUser     bool            `json:",omitempty"`
	Satisfaction      int             `json:"SatisfactionSelected,omitempty"`

	requestID string
	extra     map[string]any
}

// WithRequestID sets RequestID; "" leaves it out, as older callbacks do.
func WithRequestID(id string) Option { return func(n *notify) { n.requestID = id } }

// WithMsgKey sets MsgKey.
func WithMsgKey(key string) Option { return func(n *notify) { n.MsgKey = key } }

// WithEventTime sets EventTime.
func WithEventTime(at time.Time) Option { return func(n *notify) { n.EventTime = at.UnixMilli() } }

// WithCustomData sets CloudCustomData.
func WithCustomData(data string) Option { return func(n *notify) { n.CloudCustomData = data } }

// WithElements replaces MsgBody; it must be valid JSON.
func WithElements(body string) Option {
	return func(n *notify) { n.MsgBody = json.RawMessage(body) }
}

// WithUser sets ClientUserId of this callback.
func WithUser(id string) Option { return func(n *notify) { n.ClientUserID = id } }

// WithField adds a field that the emulator does not know.
func WithField(name string, value any) Option {
	return func(n *notify) {
		if n.extra == nil {
			n.extra = map[string]any{}
		}
		n.extra[name] = value
	}
}

// WithEvent sends the callback under another event name.
func WithEvent(name string) Option { return func(n *notify) { n.Event = name } }

// Begin begins a session, or begins one anew, in the hands of the bot.
func (d *Desk) Begin(id string, opts ...Option) Answer {
	d.mu.Lock()
	s := d.get(id)
	freed := d.release(s)
	s = d.begin(s)
	s.episode++
	if freed {
		d.dispatch()
	}
	n := d.notice(s, desk.EventSessionBegin)
	for _, o := range opts {
		o(&n)
	}
	s.user, s.record.User = n.ClientUserID, n.ClientUserID
	sent := d.send(s, n)
	d.mu.Unlock()
	return <-sent
}

// UserSays sends a message of the customer. While the session is not with the
// bot, the event's name is that of Options.Events, or the one of WithEvent.
func (d *Desk) UserSays(id, text string, opts ...Option) Answer {
	return d.say(id, text, "", opts, func(s *session) string {
		if s.state == desk.StateChatbot {
			return desk.EventUserMessage
		}
		return d.o.Events.UserMessage
	})
}

// BotSays sends a message of Desk's own bot, with a mark such as "fallback"
// unless that is empty.
func (d *Desk) BotSays(id, text, mark string, opts ...Option) Answer {
	data := ""
	if mark != "" {
		data = promptData(mark)
	}
	return d.say(id, text, data, opts, func(*session) string { return desk.EventBotMessage })
}

// AgentSays sends a message of the agent, who thereby has taken the session.
func (d *Desk) AgentSays(id, text string, opts ...Option) Answer {
	return d.say(id, text, "", opts, func(s *session) string {
		if s.state == desk.StateWaiting {
			d.accept(s)
		}
		return d.o.Events.AgentMessage
	})
}

// CloseSession ends a session, with a prompt and an event if they are known.
func (d *Desk) CloseSession(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.sessions[id]; s != nil {
		d.close(s, EndedByAgent)
	}
}

func (d *Desk) say(id, text, data string, opts []Option, name func(*session) string) Answer {
	d.mu.Lock()
	s := d.get(id)
	n := d.message(s, name(s), textBody(text), data)
	for _, o := range opts {
		o(&n)
	}
	sent := d.send(s, n)
	d.mu.Unlock()
	return <-sent
}

func (d *Desk) notice(s *session, event string) notify {
	n := notify{
		CallbackCommand: desk.CommandSessionEvent, SessionID: s.id, Event: event,
		EventTime: d.o.Now().UnixMilli(), ChannelType: "SDK", ClientUserID: s.user, CustomerServiceID: s.service,
		IsContactUser: s.record.Contact,
		requestID:     requestID(),
	}
	if s.agent != nil {
		n.AgentID = s.agent.ID
	}
	return n
}

func requestID() string { return rand.Text() }

func (d *Desk) message(s *session, event string, body json.RawMessage, data string) notify {
	n := d.notice(s, event)
	s.seq++
	n.MsgKey = fmt.Sprintf("%d_%d_%d", s.seq, desk.NewMsgRandom(), d.o.Now().Unix())
	n.MsgBody, n.CloudCustomData = body, data
	return n
}

// send puts a callback behind those that wait for the session. The channel
// gives the answer; nobody has to read it. It needs the lock.
func (d *Desk) send(s *session, n notify) <-chan Answer {
	c := Callback{Command: n.CallbackCommand, RequestID: n.requestID, Body: n.encode()}
	if n.Event == "" || d.callback == "" || d.closed {
		skipped := make(chan Answer, 1)
		skipped <- Answer{Skipped: true, Request: c}
		return skipped
	}
	return d.queueCallback(&s.line, c)
}

// line is callbacks that are sent one after the other.
type line struct {
	pending []*delivery // those that wait, in order
	pumping bool        // a goroutine sends them
}

// queueCallback puts a callback at the end of a line. It needs the lock.
func (d *Desk) queueCallback(l *line, c Callback) <-chan Answer {
	one := &delivery{callback: c, answer: make(chan Answer, 1)}
	l.pending = append(l.pending, one)
	if !l.pumping {
		l.pumping = true
		d.work.Go(func() { d.pump(l) })
	}
	return one.answer
}

func (n *notify) encode() json.RawMessage {
	b, err := json.Marshal(n)
	if err != nil || n.extra == nil {
		return b
	}
	extra, err := json.Marshal(n.extra)
	if err != nil {
		return b
	}
	return append(append(b[:len(b)-1], ','), extra[1:]...)
}

// pump sends the callbacks of one line until none is left.
func (d *Desk) pump(l *line) {
	for {
		d.mu.Lock()
		if len(l.pending) == 0 {
			l.pumping = false
			l.pending = nil
			d.mu.Unlock()
			return
		}
		next := l.pending[0]
		l.pending = l.pending[1:]
		d.mu.Unlock()
		next.answer <- d.Resend(next.callback)
	}
}

// Resend sends a callback now, past the order of its session: Chat repeats a
// callback like this when it got no answer.
func (d *Desk) Resend(c Callback) Answer {
	a := Answer{Request: c}
	ctx, cancel := context.WithTimeout(d.ctx, d.o.CallbackTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.callbackAddress(c), bytes.NewReader(c.Body))
	if err != nil {
		a.Err = err
		return a
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := d.http.Do(req)
	if err != nil {
		if d.ctx.Err() != nil {
			err = ErrClosed
		}
		a.Err = err
		return a
	}
	defer resp.Body.Close()
	a.Status = resp.StatusCode
	a.read(io.LimitReader(resp.Body, 1<<20))
	return a
}

func (a *Answer) read(body io.Reader) {
	data, err := io.ReadAll(body)
	if err != nil {
		a.Err = fmt.Errorf("reading the answer: %w", err)
		return
	}
	var fields struct {
		ErrorCode  int
		AIProvider *int
	}
	if err := json.Unmarshal(data, &fields); err != nil {
		a.Err = fmt.Errorf("the answer is not JSON: %w", err)
		return
	}
	a.Body, a.ErrorCode, a.AIProvider = data, fields.ErrorCode, fields.AIProvider
	if a.Status != http.StatusOK {
		a.Err = fmt.Errorf("HTTP status %d", a.Status)
	}
}

// callbackAddress appends the documented parameters to the configured address.
func (d *Desk) callbackAddress(c Callback) string {
	d.mu.Lock()
	base := d.callback
	d.mu.Unlock()
	q := url.Values{
		"SdkAppid":        {strconv.FormatUint(d.o.SDKAppID, 10)},
		"CallbackCommand": {c.Command},
		"contenttype":     {"json"},
		"ClientIP":        {"127.0.0.1"},
		"OptPlatform":     {"RESTAPI"},
	}
	if c.RequestID != "" {
		q.Set("RequestID", c.RequestID)
	}
	if d.o.Token != "" {
		now := strconv.FormatInt(d.o.Now().Unix(), 10)
		q.Set("RequestTime", now)
		q.Set("Sign", desk.Sign(d.o.Token.Reveal(), now))
	}
	join := "?"
	if strings.Contains(base, "?") {
		join = "&"
	}
	return base + join + q.Encode()
}
