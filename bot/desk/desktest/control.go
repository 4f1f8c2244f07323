package desktest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// help is what GET / says.
const help = `Desk emulator: a stand-in for Tencent Cloud Desk, for development and tests.

REST API    POST /v4/desk_http_svc/ transfer_to_human, get_session_state, send_msg (also cards), end_session, end_queuing, contact_user,
              describe_reception_realtime_statistics, describe_member_realtime_statistics, describe_session_statistics,
              describe_agent_statistics, describe_im_cdr_list, get_channel_specific_conversation_settings,
              get_im_agent_list_multilingual, get_desk_im_agent_list, get_member_group_list, get_member_list_in_group
            POST /v4/openim_console_http_svc/desc_robot_config
Settings of the service that uses it: ESCALATOR_API_URL=http://<this address>, and the SDKAppID, key and identifier it was started with.

Control (JSON in, JSON out; what comes from the service is under "answer")
GET    /sessions                                      all sessions and their states
POST   /sessions                {"session":"s1","user":"u1"}          begins a session
POST   /sessions/{id}/say       {"from":"user","text":"hello"}        from user, bot or agent; "mark":"fallback" marks a bot message,
                                                      "custom_data", "request_id" and "event" change the callback
POST   /sessions/{id}/accept                          the assigned agent takes the session
POST   /sessions/{id}/connect   {"agent":"li@example.com"}            this agent takes the session now, out of the queue too
POST   /sessions/{id}/close                           ends the session (by the agent) and its record
POST   /sessions/{id}/expire                          the same without a word
POST   /sessions/{id}/rate      {"stars":2,"event":"Session.Rated"}   stars in the record, and a callback with SatisfactionSelected;
                                                      its name is not documented: without "event" none is sent
POST   /sessions/{id}/assign    {"older":false}                       asks for an agent (ChatBot.OnAssignHuman; older: OnAssignAgent) and obeys
POST   /sessions/{id}/flow      {"variables":{"question":"hello"}}    a task flow's API call (Chatbot.InterfaceInvocation)
POST   /im                      {"command":"Bot.OnC2CMessage","from":"jared","to":"@customer_service_account","text":"hello"}
                                                      plain IM; also C2C. and Group.CallbackBeforeSendMsg and CallbackAfterSendMsg,
                                                      Bot.OnGroupMessage; "group", "custom_data", "send_msg_result"
GET    /agents                                        all agents
PUT    /agents/{id}             {"online":true,"groups":[1],"capacity":3,"busy":false,"rest":false}
PUT    /agents/{id}/status      {"status":"free"}                     free, ready, notReady, rest, offline; sends Member.EventNotify
PUT    /groups/{number}         {"name":"Sales"}                      a group's name; a group exists without agents, too
POST   /groups/{number}/queue   {"sessions":["q1","q2"]}              puts these into the group's queue, whoever is free
GET    /records                                       sessions: when asked, taken, ended, by whom, stars
PUT    /entries/{id}            {"robot":true,"robot_type":1,"robot_id":"r","group":1,"texts":{"zh":{"QueueingPrompt":"…"}}}
PUT    /robot                   {"FallbackMsg":"…"}                   fields of what desc_robot_config answers
PUT    /hours                   {"open":false}                        inside or outside working hours
GET    /faults                                        faults that are set
POST   /faults                  {"command":"transfer_to_human","kind":"drop","after":true,"times":2}
                                                      kind: code (with "code"), delay (with "delay":"3s"), drop, 429, 502, html, invalid,
                                                      omit (with "fields":["FreeAgentCnt"]: answers without them);
                                                      "probability":0.1 instead of times stays until cleared
DELETE /faults                                        works again
GET    /ledger                                        what was accepted, said and called; "accepted_twice" must stay empty
`

// maxControl bounds the body of a control request.
const maxControl = 64 << 10

func (d *Desk) routeControl() {
	d.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, help)
	})
	d.mux.HandleFunc("GET /sessions", show(func() any { return d.Sessions() }))
	d.mux.HandleFunc("POST /sessions", control(d.controlBegin))
	d.mux.HandleFunc("POST /sessions/{id}/say", control(d.controlSay))
	d.mux.HandleFunc("POST /sessions/{id}/accept", control(func(r *http.Request, _ struct{}) (any, error) {
		d.Accept(r.PathValue("id"))
		return d.Session(r.PathValue("id")), nil
	}))
	d.mux.HandleFunc("POST /sessions/{id}/close", control(func(r *http.Request, _ struct{}) (any, error) {
		d.CloseSession(r.PathValue("id"))
		return d.Session(r.PathValue("id")), nil
	}))
	d.mux.HandleFunc("POST /sessions/{id}/assign", control(func(r *http.Request, in struct{ Older bool }) (any, error) {
		return d.told(r.PathValue("id"), d.Assign(r.PathValue("id"), in.Older)), nil
	}))
	d.mux.HandleFunc("POST /sessions/{id}/flow", control(func(r *http.Request, in struct{ Variables map[string]string }) (any, error) {
		return d.told(r.PathValue("id"), d.Flow(r.PathValue("id"), in.Variables)), nil
	}))
	d.mux.HandleFunc("POST /im", control(d.controlIM))
	d.routeStaff()
	d.mux.HandleFunc("GET /faults", show(func() any { return d.Faults() }))
	d.mux.HandleFunc("POST /faults", control(d.controlFail))
	d.mux.HandleFunc("DELETE /faults", control(func(*http.Request, struct{}) (any, error) {
		d.ClearFaults()
		return d.Faults(), nil
	}))
	d.mux.HandleFunc("GET /ledger", show(func() any {
		l := d.Ledger()
		return struct {
			Ledger
			Twice []string `json:"accepted_twice"`
		}{l, l.AcceptedTwice()}
	}))
}

func show(what func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, what()) }
}

// control decodes a request's body, an empty one as the zero value, and shows
// the outcome.
func control[T any](do func(*http.Request, T) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in T
		dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControl))
		dec.DisallowUnknownFields()
		err := dec.Decode(&in)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		var out any
		if err == nil {
			out, err = do(r, in)
		}
		if err != nil {
			writeJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		writeJSON(w, http.StatusOK, out)
	}
}

// told is the outcome of a callback as the control pages show it.
type told struct {
	Session Session `json:"session,omitzero"`
	Answer  Answer  `json:"answer"`
	Error   string  `json:"error,omitempty"`
}

func (d *Desk) told(id string, a Answer) told {
	return d.toldOf(d.Session(id), a)
}

func (d *Desk) toldOf(s Session, a Answer) told {
	t := told{Session: s, Answer: a}
	if a.Err != nil {
		t.Error = a.Err.Error()
	}
	return t
}

func (d *Desk) controlBegin(_ *http.Request, in struct{ Session, User string }) (any, error) {
	if in.Session == "" {
		return nil, errors.New(`"session" is missing`)
	}
	var opts []Option
	if in.User != "" {
		opts = append(opts, WithUser(in.User))
	}
	return d.told(in.Session, d.Begin(in.Session, opts...)), nil
}

// saying is the body of POST /sessions/{id}/say.
type saying struct {
	From       string  `json:"from"`
	Text       string  `json:"text"`
	Mark       string  `json:"mark"`
	Event      string  `json:"event"`
	CustomData *string `json:"custom_data"`
	RequestID  *string `json:"request_id"`
}

func (d *Desk) controlSay(r *http.Request, in saying) (any, error) {
	id := r.PathValue("id")
	var opts []Option
	if in.CustomData != nil {
		opts = append(opts, WithCustomData(*in.CustomData))
	}
	if in.RequestID != nil {
		opts = append(opts, WithRequestID(*in.RequestID))
	}
	if in.Event != "" {
		opts = append(opts, WithEvent(in.Event))
	}
	switch in.From {
	case "", "user":
		return d.told(id, d.UserSays(id, in.Text, opts...)), nil
	case "bot":
		return d.told(id, d.BotSays(id, in.Text, in.Mark, opts...)), nil
	case "agent":
		return d.told(id, d.AgentSays(id, in.Text, opts...)), nil
	}
	return nil, errors.New(`"from" must be user, bot or agent`)
}

// imSaying is the body of POST /im.
type imSaying struct {
	Command       string `json:"command"`
	From          string `json:"from"`
	To            string `json:"to"`
	Group         string `json:"group"`
	Text          string `json:"text"`
	CustomData    string `json:"custom_data"`
	SendMsgResult int    `json:"send_msg_result"`
}

func (d *Desk) controlIM(_ *http.Request, in imSaying) (any, error) {
	a := d.SendIM(in.Command, IM{
		From: in.From, To: in.To, Group: in.Group, Text: in.Text, CloudCustomData: in.CustomData, SendMsgResult: in.SendMsgResult,
	})
	if a.Skipped {
		return nil, a.Err
	}
	return d.toldOf(d.SessionOf(in.From, in.To), a), nil
}

// controlFail takes a fault whose delay is written as a duration ("3s").
func (d *Desk) controlFail(_ *http.Request, in struct {
	Fault
	Delay string `json:"delay"`
},
) (any, error) {
	f := in.Fault
	if in.Delay != "" {
		delay, err := time.ParseDuration(in.Delay)
		if err != nil {
			return nil, errors.New(`"delay" must be a duration such as 3s`)
		}
		f.Delay = delay
	}
	if err := d.Fail(f); err != nil {
		return nil, err
	}
	return d.Faults(), nil
}
