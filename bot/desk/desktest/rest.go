package desktest

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"escalator/bot/desk"
)

// maxRequest is Tencent's limit of a body; more is code 93000.
const maxRequest = 12 << 10

// reply is the answer to a REST command: the three fields of each, and its own.
type reply struct {
	code int
	info string
	own  map[string]any
}

// MarshalJSON implements json.Marshaler.
func (r reply) MarshalJSON() ([]byte, error) {
	all := map[string]any{"ActionStatus": "OK", "ErrorCode": r.code, "ErrorInfo": r.info}
	if r.code != 0 {
		all["ActionStatus"] = "FAIL"
	}
	maps.Copy(all, r.own)
	return json.Marshal(all)
}

func refuse(code int, why string) reply { return reply{code: code, info: why} }

func success() reply { return reply{own: map[string]any{}} }

// serveREST takes one call: the fault of the call first, then what Desk does.
func (d *Desk) serveREST(w http.ResponseWriter, r *http.Request) {
	service, command := r.PathValue("service"), r.PathValue("command")
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil {
		return // the caller went away
	}
	call := Call{At: d.o.Now(), Command: command, Code: -1}
	if json.Valid(body) {
		call.Request = body
	}
	f := d.fault(command)
	if f != nil {
		call.Fault = f.Kind
		d.wait(r.Context(), f.Delay)
	}
	answer := reply{}
	acts := f == nil || f.After || f.Kind == FaultDelay || f.Kind == FaultOmit
	switch {
	case f != nil && f.Kind == FaultCode:
		answer = refuse(f.Code, "injected fault")
		call.Code = f.Code
	case acts:
		answer = d.act(r, service+"/"+command, body)
		call.Code = answer.code
	}
	d.mu.Lock()
	d.ledger.call(call)
	d.mu.Unlock()
	if f != nil {
		f.show(w, answer)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// commands is what the emulator serves, by service and command.
var commands = map[string]func(*Desk, fields) reply{
	"desk_http_svc/transfer_to_human": (*Desk).transfer,
	"desk_http_svc/get_session_state": (*Desk).sessionState,
	"desk_http_svc/send_msg":          (*Desk).sendMsg,
	"desk_http_svc/end_session":       (*Desk).endSession,
	"desk_http_svc/end_queuing":       (*Desk).endQueuing,
	"desk_http_svc/contact_user":      (*Desk).contactUser,

	"desk_http_svc/describe_reception_realtime_statistics": (*Desk).receptionNow,
	"desk_http_svc/describe_member_realtime_statistics":    (*Desk).membersNow,
	"desk_http_svc/describe_session_statistics":            (*Desk).sessionStatistics,
	"desk_http_svc/describe_agent_statistics":              (*Desk).agentStatistics,
	"desk_http_svc/describe_im_cdr_list":                   (*Desk).recordList,

	"openim_console_http_svc/desc_robot_config":                (*Desk).robotConfig,
	"desk_http_svc/get_channel_specific_conversation_settings": (*Desk).conversationSettings,
	"desk_http_svc/get_im_agent_list_multilingual":             (*Desk).entryList,
	"desk_http_svc/get_desk_im_agent_list":                     (*Desk).entriesByID,
	"desk_http_svc/get_member_group_list":                      (*Desk).groupList,
	"desk_http_svc/get_member_list_in_group":                   (*Desk).groupMembers,
}

func (d *Desk) act(r *http.Request, command string, body []byte) reply {
	if bad := d.authorize(r); bad != nil {
		return *bad
	}
	f, err := readFields(body)
	switch {
	case len(body) > maxRequest:
		return refuse(93000, "request body over 12k")
	case err != nil || f.named == nil:
		return refuse(90001, "request body is not a JSON object")
	}
	serve := commands[command]
	if serve == nil {
		return refuse(60009, "unknown command")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return serve(d, f)
}

// authorize checks method, parameters and signature (PROTOCOL.md 7.2). Names
// are case-sensitive here.
func (d *Desk) authorize(r *http.Request) *reply {
	q := r.URL.Query()
	fail := func(code int, why string) *reply {
		bad := refuse(code, why)
		return &bad
	}
	app, err := strconv.ParseUint(only(q, "sdkappid"), 10, 64)
	switch {
	case r.Method != http.MethodPost:
		return fail(60002, "POST only")
	case !q.Has("sdkappid"):
		return fail(60012, "sdkappid is missing")
	case err != nil:
		return fail(60006, "sdkappid is invalid")
	case app != d.o.SDKAppID:
		return fail(70020, "sdkappid not found")
	case only(q, "contenttype") != "json":
		return fail(60002, "contenttype must be json")
	case only(q, "identifier") == "":
		return fail(60004, "identifier is missing")
	}
	if _, err := strconv.ParseUint(only(q, "random"), 10, 32); err != nil {
		return fail(60002, "random must be a uint32")
	}
	identity := desk.Identity{SDKAppID: app, Identifier: only(q, "identifier"), Key: d.o.Key}
	if bad := verifyUserSig(only(q, "usersig"), identity, d.o.Now()); bad != nil {
		return fail(bad.code, bad.reason)
	}
	if identity.Identifier != d.o.Identifier {
		return fail(90009, "identifier is not an app admin")
	}
	return nil
}

// only returns a parameter that came exactly once.
func only(q url.Values, name string) string {
	if v := q[name]; len(v) == 1 {
		return v[0]
	}
	return ""
}

// fields is a request's body. Names are case-sensitive, so it is not decoded
// into a struct.
type fields struct {
	named map[string]json.RawMessage
	body  []byte
}

func readFields(body []byte) (f fields, err error) {
	f.body = body
	err = json.Unmarshal(body, &f.named)
	return f, err
}

func (f fields) has(name string) bool {
	_, ok := f.named[name]
	return ok
}

// get reads an optional field and says whether its type is right.
func (f fields) get(name string, v any) bool {
	raw, ok := f.named[name]
	if !ok {
		return true
	}
	return string(raw) != "null" && json.Unmarshal(raw, v) == nil
}

// bit reads an optional 0 or 1.
func (f fields) bit(name string, ok *bool) bool {
	n := 0
	*ok = *ok && f.get(name, &n) && (n == 0 || n == 1)
	return n == 1
}

// transferring is a transfer_to_human that was read.
type transferring struct {
	wish
	tip, hours, prompt, end, noQueue bool
}

func (f fields) transferring() (t transferring, ok bool) {
	priority, timeout := lowestPriority, 0
	ok = f.get("AgentIdList", &t.Agents) && f.get("AgentGroupId", &t.Group) &&
		f.get("Priority", &priority) && priority >= 0 && priority <= lowestPriority &&
		f.get("QueueTimeout", &timeout) && timeout >= 0
	t.Priority = priority
	t.tip = f.bit("SendTipIfNoAgentOnline", &ok)
	t.hours = f.bit("CheckIfDuringWorkingHours", &ok)
	t.prompt = f.bit("SendPromptNotDuringWorkingHours", &ok)
	t.end = f.bit("EndSessionWhenNoMemberOnline", &ok)
	t.noQueue = f.bit("DisableQueuing", &ok)
	t.AllowBusy = f.bit("AllowAssignBusyMember", &ok)
	return t, ok
}

// known finds the session that a request names in a field, or says what is wrong
// with it.
func (d *Desk) known(f fields, name string) (*session, *reply) {
	var id string
	bad := refuse(141004, "illegal parameters: "+name)
	if !f.has(name) || !f.get(name, &id) {
		return nil, &bad
	}
	if id == "" || len(id) > 128 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		bad = refuse(141006, "illegal "+name)
		return nil, &bad
	}
	s := d.sessions[id]
	if s == nil || s.state == desk.StateNotInSession {
		bad = refuse(141005, "session does not exist")
		return nil, &bad
	}
	return s, nil
}

func (d *Desk) transfer(f fields) reply {
	s, bad := d.known(f, "SessionId")
	if bad != nil {
		return *bad
	}
	t, ok := f.transferring()
	switch {
	case !ok:
		return refuse(141004, "illegal parameters")
	case t.Group != nil && !d.knowsGroup(*t.Group):
		return refuse(141004, "illegal parameters: no such AgentGroupId")
	case s.state != desk.StateChatbot && !d.o.AcceptRepeats:
		return refuse(141003, "the session cannot be transferred")
	case t.hours && d.outside:
		if t.prompt {
			d.prompt(s, markAfterHours, "We are closed now.")
		}
		return refuse(CodeClosed, "outside working hours")
	}
	agent, online := d.pick(t.wish)
	switch {
	case !online:
		return d.nobody(s, t)
	case agent == nil && t.noQueue:
		return refuse(CodeBusy, "all agents are busy")
	}
	return d.accepted(s, t.wish, agent, f.body)
}

// nobody is a transfer while no agent is online.
func (d *Desk) nobody(s *session, t transferring) reply {
	if t.tip {
		d.prompt(s, markNoAgent, "No agent is online.")
	}
	d.event(s, d.o.Events.NoAgent)
	if t.end {
		d.end(s, endedNobody)
	}
	return refuse(141001, "no agent online")
}

func (d *Desk) accepted(s *session, w wish, agent *Agent, body []byte) reply {
	entry := Accepted{Session: s.id, Episode: s.episode, At: d.o.Now(), Group: w.Group, Agents: w.Agents, Request: body}
	answer := success()
	inQueue := 0
	d.release(s)
	s.wish = w
	if agent != nil {
		d.assign(s, agent)
		entry.Agent, answer.own["AgentId"] = agent.ID, agent.ID
	} else {
		d.enqueue(s)
		entry.Queued, inQueue = true, 1
	}
	answer.own["IsInQueue"] = inQueue
	d.ledger.Accepted = append(d.ledger.Accepted, entry)
	return answer
}

// sessionState answers both forms. A session that was never seen is not in
// session, as far as the pages tell.
func (d *Desk) sessionState(f fields) reply {
	var id, user, service string
	if !f.get("SessionId", &id) || !f.get("ClientUserId", &user) || !f.get("CustomerServiceId", &service) ||
		(id == "" && (user == "" || service == "")) {
		return refuse(141004, "illegal parameters")
	}
	s := d.sessions[id]
	if id == "" {
		s = d.find(user, service)
	}
	answer := success()
	answer.own["CurrentState"] = desk.StateNotInSession
	if s != nil {
		id, answer.own["CurrentState"] = s.id, s.state
		if s.agent != nil {
			answer.own["AgentId"] = s.agent.ID
		}
	}
	if id != "" {
		answer.own["SessionId"] = id
	}
	return answer
}

// find returns the session of a user that is alive, else any that was.
func (d *Desk) find(user, service string) *session {
	var found *session
	for _, s := range d.sessions {
		if s.user == user && s.service == service && (found == nil || s.state != desk.StateNotInSession) {
			found = s
		}
	}
	return found
}

func (d *Desk) endSession(f fields) reply {
	s, bad := d.known(f, "SessionId")
	switch {
	case bad != nil:
		return *bad
	case s.state != desk.StateAgent && s.state != desk.StateWaiting:
		return refuse(141004, "the session is not with a human")
	}
	d.close(s, EndedByAgent)
	return success()
}
