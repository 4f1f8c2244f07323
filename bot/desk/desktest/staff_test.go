package desktest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"escalator/bot/desk"

	"github.com/google/go-cmp/cmp"
)

// agentOf returns the AgentId of a session event.
func agentOf(e *desk.Event) string {
	id, _ := e.Field("AgentId")
	return id
}

func TestDesk_reception_countsAgentsByStatusAndQueuesByGroup(t *testing.T) {
	d, c := start(t, Options{})
	for i, a := range []Agent{{Online: true}, {Online: true, Capacity: 1}, {Online: true, Busy: true}, {Online: true, Rest: true}, {}} {
		a.ID, a.Groups = fmt.Sprintf("%d@x.com", i), []int64{1, 2}
		d.SetAgent(a)
	}
	d.SetGroup(7, "Night")
	d.Enqueue(2, "q1", "q2")
	d.Enqueue(7, "q3")
	d.Begin("bot")
	d.SetState("talks", desk.StateAgent, "1@x.com")
	n := func(i int) *int { return &i }
	want := desk.Reception{
		Free: n(2), Busy: n(1), Rest: n(1), Queue: n(3), Accepting: n(1), Transferring: n(4),
		GroupQueues: map[string]int{"1": 0, "2": 2, "7": 1},
	}
	got, err := c.Reception(t.Context())
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	groups, err := c.Groups(t.Context())
	if err != nil || len(groups.Items) != 3 || groups.Items[2].Name != "Night" || *groups.Items[0].Members != 5 {
		t.Errorf("%+v %v", groups.Items, err)
	}
	members, err := c.GroupMembers(t.Context(), 1)
	if err != nil || len(members.Items) != 5 || members.Items[0] != "0@x.com" {
		t.Errorf("%v %v", members.Items, err)
	}
	if _, err := c.GroupMembers(t.Context(), 99); codeOf(err) != 141004 {
		t.Errorf("unknown group: %v", err)
	}
}

func TestDesk_members_haveANumberForEachStatus(t *testing.T) {
	d, c := start(t, Options{})
	for i := range 105 {
		d.SetAgent(Agent{ID: fmt.Sprintf("%03d@x.com", i), Online: true})
	}
	all, err := c.Members(t.Context())
	if err != nil || len(all.Items) != 105 || *all.Total != 105 {
		t.Fatalf("%d of %v, %v", len(all.Items), all.Total, err)
	}
	seen := map[int]string{}
	for _, status := range []string{"free", "notReady", "rest", "offline", "ready"} {
		d.SetStatus("007@x.com", status)
		one, err := c.Members(t.Context(), "007@x.com", "nobody@x.com")
		if err != nil || len(one.Items) != 1 {
			t.Fatalf("%+v %v", one, err)
		}
		n := *one.Items[0].Status
		if other, ok := seen[n]; ok && !(status == "ready" && other == "free") {
			t.Errorf("%d is %s and %s", n, other, status)
		}
		seen[n] = status
	}
}

func TestDesk_queue_isServedWhenSomebodyGetsFree(t *testing.T) {
	s := startService(t, "")
	d, c := start(t, Options{CallbackURL: s.URL, Prompts: true, AnswerAtOnce: true})
	d.SetAgent(Agent{ID: "a@x.com", Groups: []int64{1}, Online: true, Rest: true, Capacity: 1})
	d.Enqueue(2, "other")
	d.Enqueue(1, "first", "second")
	for range 3 {
		s.next(t) // queuing
	}
	d.SetStatus("a@x.com", "free")
	var marks []string
	for range 3 { // of the session and, beside it, of the agent
		if e := s.next(t); e.SessionID == "first" && agentOf(e) == "a@x.com" {
			marks = append(marks, e.Mark)
		}
	}
	if diff := cmp.Diff([]string{markConnecting, markConnected}, marks); diff != "" {
		t.Error(diff)
	}
	d.CloseSession("first")
	want := map[string]desk.State{"first": desk.StateNotInSession, "second": desk.StateAgent, "other": desk.StateQueueing}
	for id, state := range want {
		if got := d.Session(id).State; got != state {
			t.Errorf("%s is %s, want %s", id, got, state)
		}
	}
	if r, err := c.Reception(t.Context()); err != nil || *r.Queue != 1 || r.GroupQueues["1"] != 0 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestDesk_whoRests_getsNobody(t *testing.T) {
	d, c := start(t, Options{})
	d.SetAgent(Agent{ID: "a@x.com", Online: true, Rest: true})
	d.Begin("s")
	busy := desk.Flag(true)
	r, err := c.TransferToHuman(t.Context(), desk.TransferRequest{SessionID: "s", AllowBusyAgents: &busy})
	if err != nil || !r.Queued {
		t.Errorf("%+v %v", r, err)
	}
}

func TestDesk_connect_takesASessionOutOfTheQueue(t *testing.T) {
	s := startService(t, "")
	d, _ := start(t, Options{CallbackURL: s.URL, Prompts: true, Events: Events{WithHuman: "Human"}})
	d.SetAgent(Agent{ID: "a@x.com", Online: true, Busy: true})
	d.Enqueue(1, "s")
	s.next(t)
	if err := d.Connect("s", "a@x.com"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{markConnecting, markConnected, "Human"} {
		if e := s.next(t); e.Mark != want && e.Name != want {
			t.Errorf("%s %s, want %s", e.Name, e.Mark, want)
		}
	}
	if got := d.Session("s"); got.State != desk.StateAgent || got.Agent != "a@x.com" {
		t.Errorf("%+v", got)
	}
	if d.Connect("s", "nobody") == nil || d.Connect("nothing", "a@x.com") == nil {
		t.Error("connected what is not there")
	}
}

func TestDesk_endQueuing_leavesTheSessionWithTheBot(t *testing.T) {
	d, c := start(t, Options{})
	d.SetAgent(Agent{ID: "a@x.com", Groups: []int64{1}, Online: true, Busy: true})
	d.Begin("s")
	d.Begin("bot")
	if r, err := c.TransferToHuman(t.Context(), desk.TransferRequest{SessionID: "s"}); err != nil || !r.Queued {
		t.Fatal(r, err)
	}
	for id, want := range map[string]int{"bot": 141027, "nothing": 141005, "": 141006} {
		if err := c.EndQueuing(t.Context(), id); codeOf(err) != want {
			t.Errorf("%q: %v, want %d", id, err, want)
		}
	}
	if err := c.EndQueuing(t.Context(), "s"); err != nil || d.Session("s").State != desk.StateChatbot {
		t.Fatalf("%v, %s", err, d.Session("s").State)
	}
	d.SetStatus("a@x.com", "free")
	if got := d.Session("s"); got.State != desk.StateChatbot {
		t.Errorf("who left the queue was served: %+v", got)
	}
	if _, err := c.TransferToHuman(t.Context(), desk.TransferRequest{SessionID: "s"}); err != nil {
		t.Errorf("transferred anew: %v", err)
	}
	if l := d.Ledger(); len(l.Of("s")) != 2 || len(l.AcceptedTwice()) != 0 {
		t.Errorf("accepted %d times, twice in one stay: %v", len(l.Of("s")), l.AcceptedTwice())
	}
}

func TestDesk_endQueuing_mayEndTheSession(t *testing.T) {
	d, c := start(t, Options{QueuingEnds: true})
	d.Enqueue(1, "s")
	if err := c.EndQueuing(t.Context(), "s"); err != nil || d.Session("s").State != desk.StateNotInSession {
		t.Errorf("%v, %s", err, d.Session("s").State)
	}
}

func TestDesk_contactUser_startsASessionOfTheAgent(t *testing.T) {
	s := startService(t, "")
	d, c := start(t, Options{CallbackURL: s.URL, Prompts: true})
	d.SetAgent(Agent{ID: "off@x.com", Groups: []int64{1}})
	d.SetAgent(Agent{ID: "rest@x.com", Groups: []int64{2}, Online: true, Rest: true})
	group := func(g int64) *int64 { return &g }
	contact := desk.ContactRequest{ServiceID: DefaultService, UserID: "u"}
	for name, tt := range map[string]struct {
		change func(*desk.ContactRequest)
		want   int
	}{
		"nobody is free":      {func(*desk.ContactRequest) {}, 141001},
		"nobody in the group": {func(r *desk.ContactRequest) { r.GroupID = group(1) }, 141001},
		"that one is offline": {func(r *desk.ContactRequest) { r.AgentID = "off@x.com" }, 141011},
		"that one rests":      {func(r *desk.ContactRequest) { r.AgentID = "rest@x.com" }, 141012},
		"that one is unknown": {func(r *desk.ContactRequest) { r.AgentID = "who@x.com" }, 141010},
		"no user":             {func(r *desk.ContactRequest) { r.UserID = "" }, 141004},
	} {
		r := contact
		tt.change(&r)
		if _, err := c.ContactUser(t.Context(), r); codeOf(err) != tt.want {
			t.Errorf("%s: %v, want %d", name, err, tt.want)
		}
	}
	d.SetAgent(Agent{ID: "on@x.com", Groups: []int64{1}, Online: true, Capacity: 1})
	if agent, err := c.ContactUser(t.Context(), contact); err != nil || agent != "on@x.com" {
		t.Fatal(agent, err)
	}
	for _, want := range []string{desk.EventSessionBegin, desk.EventBotMessage} {
		e := s.next(t)
		if is, _ := e.Field("IsContactUser"); e.Name != want || is != "true" || agentOf(e) != "on@x.com" || e.UserID != "u" {
			t.Errorf("%s, IsContactUser %s, of %s", e.Name, is, agentOf(e))
		}
	}
	if got := d.SessionOf("u", DefaultService); got.State != desk.StateAgent {
		t.Errorf("%+v", got)
	}
	if _, err := c.ContactUser(t.Context(), contact); codeOf(err) != 141003 {
		t.Errorf("again: %v", err)
	}
	if l := d.Ledger().Contacted; len(l) != 1 || l[0].User != "u" || l[0].Agent != "on@x.com" {
		t.Errorf("%+v", l)
	}
	d.CloseSession(d.SessionOf("u", DefaultService).ID)
	d.Begin("later", WithUser("u"))
	e := s.next(t)
	for e.SessionID != "later" {
		e = s.next(t)
	}
	if _, is := e.Field("IsContactUser"); is {
		t.Error("a session that the customer began is marked")
	}
}

func TestDesk_contactUser_takesTheSessionOfWhoIsWithTheBot(t *testing.T) {
	d, c := start(t, Options{})
	d.SetAgent(Agent{ID: "a@x.com", Online: true})
	d.Begin("s", WithUser("u"))
	if _, err := c.ContactUser(t.Context(), desk.ContactRequest{ServiceID: DefaultService, UserID: "u"}); err != nil || d.Session("s").State != desk.StateAgent {
		t.Errorf("%v, %+v", err, d.Session("s"))
	}
}

func TestDesk_omittedFields_areUnknown(t *testing.T) {
	d, c := start(t, Options{})
	d.SetAgent(Agent{ID: "a@x.com", Groups: []int64{1}, Online: true})
	err := d.Fail(
		Fault{Command: "describe_reception_realtime_statistics", Kind: FaultOmit, Fields: []string{"FreeAgentCnt", "QueueCnt"}, Times: 1},
		Fault{Command: "describe_reception_realtime_statistics", Kind: FaultOmit, Fields: []string{"Data"}, Times: 1},
	)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Reception(t.Context())
	if err != nil || r.Free != nil || r.Busy == nil || len(r.GroupQueues) != 0 || r.GroupQueues == nil {
		t.Errorf("%+v %v", r, err)
	}
	if r, err = c.Reception(t.Context()); err != nil || r.Busy != nil || r.GroupQueues != nil {
		t.Errorf("%+v %v", r, err)
	}
	if r, err = c.Reception(t.Context()); err != nil || *r.Free != 1 {
		t.Errorf("%+v %v", r, err)
	}
	if d.Fail(Fault{Kind: FaultOmit}) == nil {
		t.Error("nothing to omit is accepted")
	}
}

func TestDesk_newCommands_failAsTheOthersDo(t *testing.T) {
	d, c := start(t, Options{})
	for command, call := range map[string]func() error{
		"describe_reception_realtime_statistics": func() error { _, err := c.Reception(t.Context()); return err },
		"describe_member_realtime_statistics":    func() error { _, err := c.Members(t.Context()); return err },
		"describe_im_cdr_list":                   func() error { _, err := c.Records(t.Context(), time.Unix(0, 0), time.Unix(9, 0), ""); return err },
		"desc_robot_config":                      func() error { _, err := c.RobotConfig(t.Context(), ""); return err },
		"get_desk_im_agent_list":                 func() error { _, err := c.EntriesByID(t.Context(), DefaultService); return err },
		"contact_user":                           func() error { _, err := c.ContactUser(t.Context(), desk.ContactRequest{}); return err },
		"end_queuing":                            func() error { return c.EndQueuing(t.Context(), "s") },
	} {
		for _, f := range []Fault{{Kind: FaultCode, Code: 141009}, {Kind: FaultDrop}, {Kind: Fault502}, {Kind: FaultHTML}, {Kind: FaultInvalid}} {
			f.Command = command
			if err := d.Fail(f); err != nil {
				t.Fatal(err)
			}
			err := call()
			e, ok := errors.AsType[*desk.Error](err)
			if !ok || e.Op != command || (f.Kind == FaultCode) != (e.Code == 141009) || (f.Kind != FaultCode) != e.Transport() {
				t.Errorf("%s, %s: %v", command, f.Kind, err)
			}
		}
	}
}
