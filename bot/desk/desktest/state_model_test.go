package desktest

import (
	"fmt"
	"testing"
	"time"

	"escalator/bot/desk"

	"pgregory.net/rapid"
)

// TestDesk_anySequence_keepsItsBooks does to the emulator whatever its client and
// its control pages can do, and compares the figures that it answers with what a
// count of its sessions, agents and records gives.
func TestDesk_anySequence_keepsItsBooks(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		at := &clock{time.Now().Truncate(time.Second)}
		d := New(Options{Now: at.now, AnswerAtOnce: rapid.Bool().Draw(rt, "at once"), QueuingEnds: rapid.Bool().Draw(rt, "queuing ends")})
		defer d.Close()
		session := func() string { return rapid.SampledFrom([]string{"s1", "s2", "s3", "s4"}).Draw(rt, "session") }
		agent := func() string { return rapid.SampledFrom([]string{"a1", "a2", "a3"}).Draw(rt, "agent") }
		group := func() int64 { return rapid.Int64Range(1, 2).Draw(rt, "group") }
		rest := func(serve func(*Desk, fields) reply, body string) { d.serveBody(rt, serve, body) }
		rt.Repeat(map[string]func(*rapid.T){
			"agent": func(*rapid.T) {
				d.SetAgent(Agent{ID: agent(), Groups: []int64{group()}, Online: true, Capacity: rapid.IntRange(0, 2).Draw(rt, "capacity")})
			},
			"status": func(*rapid.T) {
				d.SetStatus(agent(), rapid.SampledFrom([]string{"free", "notReady", "rest", "offline"}).Draw(rt, "status"))
			},
			"begin":   func(*rapid.T) { d.Begin(session()) },
			"enqueue": func(*rapid.T) { d.Enqueue(group(), session()) },
			"connect": func(*rapid.T) { _ = d.Connect(session(), agent()) },
			"accept":  func(*rapid.T) { d.Accept(session()) },
			"close":   func(*rapid.T) { d.CloseSession(session()) },
			"expire":  func(*rapid.T) { d.Expire(session()) },
			"rate":    func(*rapid.T) { d.Rate(session(), rapid.IntRange(1, 5).Draw(rt, "stars")) },
			"later":   func(*rapid.T) { at.at = at.at.Add(time.Minute) },
			"transfer": func(*rapid.T) {
				rest((*Desk).transfer, fmt.Sprintf(`{"SessionId":%q,"AgentGroupId":%d}`, session(), group()))
			},
			"leave the queue": func(*rapid.T) { rest((*Desk).endQueuing, fmt.Sprintf(`{"SessionID":%q}`, session())) },
			"contact": func(*rapid.T) {
				rest((*Desk).contactUser, fmt.Sprintf(`{"IMAgentUserId":%q,"ClientUserId":"user-%s"}`, DefaultService, session()))
			},
			"": func(rt *rapid.T) { checkBooks(rt, d) },
		})
	})
}

// serveBody lets a command act as serveREST does, without HTTP.
func (d *Desk) serveBody(t *rapid.T, serve func(*Desk, fields) reply, body string) {
	f, err := readFields([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	serve(d, f)
}

func checkBooks(t *rapid.T, d *Desk) {
	states, serving := map[desk.State]int{}, map[string]int{}
	for _, s := range d.Sessions() {
		states[s.State]++
		has := s.Agent != ""
		if has != (s.State == desk.StateWaiting || s.State == desk.StateAgent) {
			t.Fatalf("%s is %s with agent %q", s.ID, s.State, s.Agent)
		}
		if has {
			serving[s.Agent]++
		}
	}
	for _, a := range d.Agents() {
		if a.Serving != serving[a.ID] {
			t.Fatalf("%s serves %d, its sessions are %d", a.ID, a.Serving, serving[a.ID])
		}
	}
	running := 0
	for _, r := range d.Records() {
		if r.Ended.IsZero() {
			running++
		}
		if !r.Took.IsZero() && (r.Asked.IsZero() || r.Agent == "") || !r.Ended.IsZero() && r.EndStatus == "" {
			t.Fatalf("%+v", r)
		}
	}
	if all := len(d.Sessions()) - states[desk.StateNotInSession]; running != all {
		t.Fatalf("%d records run, %d sessions", running, all)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.receptionNow(fields{}).own["Data"].(map[string]any)
	waiting := 0
	for _, g := range now["CurrentGroupQueueCnt"].([]map[string]any) {
		waiting += g["QueueCnt"].(int)
	}
	if now["CurrentQueueCnt"] != states[desk.StateQueueing] || now["CurrentAgentAcceptCnt"] != states[desk.StateAgent] || waiting > states[desk.StateQueueing] {
		t.Fatalf("%v, sessions are %v", now, states)
	}
}
