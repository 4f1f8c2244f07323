package desktest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"escalator/bot/desk"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service is a callback receiver that records what it gets.
type service struct {
	*httptest.Server
	mu     sync.Mutex
	events []*desk.Event
	query  url.Values
	got    chan *desk.Event
}

func startService(t testing.TB, token desk.Secret) *service {
	t.Helper()
	s := &service{got: make(chan *desk.Event, 1000)}
	verifier := desk.NewVerifier([]desk.Secret{token}, time.Minute)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		q := desk.ParseQuery(r.URL.RawQuery)
		e, err := desk.Decode(q, body)
		if auth := verifier.Verify(q, time.Now()); auth != nil || err != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		s.mu.Lock()
		s.events = append(s.events, e)
		s.query = r.URL.Query()
		s.mu.Unlock()
		s.got <- e
		_, _ = io.WriteString(w, `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"AIProvider":1}`)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *service) next(t testing.TB) *desk.Event {
	t.Helper()
	select {
	case e := <-s.got:
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("no callback")
		return nil
	}
}

func start(t testing.TB, o Options) (*Desk, *desk.Client) {
	t.Helper()
	d := New(o)
	if err := d.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	c, err := desk.NewClient(desk.ClientOptions{Identity: d.Identity(), URL: d.URL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return d, c
}

func codeOf(err error) int {
	if e, ok := errors.AsType[*desk.Error](err); ok {
		return e.Code
	}
	return 0
}

func state(t testing.TB, c *desk.Client, id string) desk.State {
	t.Helper()
	s, err := c.SessionState(t.Context(), desk.StateRequest{SessionID: id})
	if err != nil {
		t.Fatal(err)
	}
	return s.State
}

func TestDesk_transfer_goesToTheFreeAgentAndIsInTheLedger(t *testing.T) {
	d, c := start(t, Options{})
	d.SetAgent(Agent{ID: "a@x.com", Online: true, Groups: []int64{7}, Capacity: 1})
	d.SetAgent(Agent{ID: "b@x.com", Online: true, Capacity: 1})
	d.Begin("s1")
	group := int64(7)
	got, err := c.TransferToHuman(t.Context(), desk.TransferRequest{SessionID: "s1", AgentGroupID: &group, TipIfNoAgent: true})
	if err != nil || got != (desk.TransferResult{AgentID: "a@x.com"}) {
		t.Fatalf("%+v, %v", got, err)
	}
	if s := state(t, c, "s1"); s != desk.StateWaiting {
		t.Error(s)
	}
	d.Accept("s1")
	s, err := c.SessionState(t.Context(), desk.StateRequest{UserID: "user-s1", ServiceID: DefaultService})
	if want := (desk.SessionState{SessionID: "s1", State: desk.StateAgent, AgentID: "a@x.com"}); err != nil || s != want {
		t.Errorf("%+v, %v", s, err)
	}
	l := d.Ledger()
	if len(l.Of("s1")) != 1 || *l.Accepted[0].Group != 7 || l.Accepted[0].Agent != "a@x.com" || l.Count("transfer_to_human", 0) != 1 {
		t.Errorf("%+v", l)
	}
	if want := `{"SessionId":"s1","AgentGroupId":7,"SendTipIfNoAgentOnline":1}`; string(l.Accepted[0].Request) != want {
		t.Errorf("request %s", l.Accepted[0].Request)
	}
}

func TestDesk_fullAgents_makeAQueueInOrderOfPriority(t *testing.T) {
	d, c := start(t, Options{})
	d.SetAgent(Agent{ID: "a@x.com", Online: true, Capacity: 1})
	first := 0
	for i, id := range []string{"s1", "s2", "s3"} {
		d.Begin(id)
		r := desk.TransferRequest{SessionID: id}
		if i == 2 {
			r.Priority = &first
		}
		got, err := c.TransferToHuman(t.Context(), r)
		if err != nil || got.Queued != (i > 0) || (got.AgentID == "") != (i > 0) {
			t.Fatalf("%s: %+v, %v", id, got, err)
		}
	}
	d.CloseSession("s1")
	if a, b := state(t, c, "s3"), state(t, c, "s2"); a != desk.StateWaiting || b != desk.StateQueueing {
		t.Errorf("priority 0: %s, the other: %s", a, b)
	}
	d.SetAgent(Agent{ID: "b@x.com", Online: true})
	if s := state(t, c, "s2"); s != desk.StateWaiting {
		t.Error(s)
	}
}

func TestDesk_sendMsg_isEchoedOnceAsABotMessage(t *testing.T) {
	s := startService(t, "token")
	d, c := start(t, Options{CallbackURL: s.URL + "/callback", Token: "token"})
	d.Begin("s")
	s.next(t)
	r := desk.SendRequest{SessionID: "s", Text: "hello", MsgRandom: 7, CloudCustomData: `{"messageType":"ours"}`}
	for range 2 {
		if err := c.SendMsg(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	e := s.next(t)
	if e.Name != desk.EventBotMessage || e.Text != "hello" || e.CloudCustomData != r.CloudCustomData || e.Mark != "ours" || e.SessionID != "s" {
		t.Errorf("%+v", e)
	}
	d.UserSays("s", "next")
	if e := s.next(t); e.Text != "next" {
		t.Errorf("echoed twice: %+v", e)
	}
	if l := d.Ledger(); len(l.Said) != 1 || l.Repeats != 1 {
		t.Errorf("%+v", l)
	}
	if err := c.SendMsg(t.Context(), desk.SendRequest{From: DefaultService, To: "user-s", Text: "x", MsgRandom: 8}); err != nil {
		t.Error(err)
	}
	if e := s.next(t); e.Text != "x" {
		t.Errorf("%+v", e)
	}
}

func TestDesk_callbacks_areSignedAndAsDocumented(t *testing.T) {
	s := startService(t, "token")
	d, _ := start(t, Options{CallbackURL: s.URL, Token: "token"})
	a := d.Begin("s", WithUser("u1"))
	if a.Err != nil || a.Status != 200 || a.AIProvider == nil || *a.AIProvider != 1 {
		t.Fatalf("%+v", a)
	}
	e := s.next(t)
	if e.Name != desk.EventSessionBegin || e.UserID != "u1" || e.ServiceID != DefaultService || e.RequestID == "" {
		t.Errorf("%+v", e)
	}
	for _, name := range []string{"SdkAppid", "CallbackCommand", "contenttype", "ClientIP", "OptPlatform", "RequestID", "Sign", "RequestTime"} {
		if s.query.Get(name) == "" {
			t.Errorf("%s is missing", name)
		}
	}
	at := time.UnixMilli(1700000000123)
	a = d.UserSays("s", "hi", WithRequestID("r"), WithMsgKey("k"), WithEventTime(at), WithCustomData("c"), WithUser("u2"), WithField("New", 1))
	e = s.next(t)
	if e.RequestID != "r" || e.MsgKey != "k" || !e.Time.Equal(at) || e.CloudCustomData != "c" || e.UserID != "u2" || e.Text != "hi" {
		t.Errorf("%+v", e)
	}
	if v, _ := e.Field("New"); v != "1" {
		t.Errorf("New is %q", v)
	}
	if again := d.Resend(a.Request); again.Err != nil || !bytes.Equal(s.next(t).Body, e.Body) {
		t.Errorf("%+v", again)
	}
	d.UserSays("s", "", WithElements(`[{"MsgType":"TIMImageElem","MsgContent":{}}]`), WithRequestID(""))
	if e = s.next(t); !slices.Equal(e.Elements, []string{"TIMImageElem"}) || e.RequestID != "" {
		t.Errorf("%+v", e)
	}
	d.BotSays("s", "sorry", "fallback")
	if e = s.next(t); e.Name != desk.EventBotMessage || e.Mark != "fallback" {
		t.Errorf("%+v", e)
	}
}

func TestDesk_withoutNames_undocumentedEventsAreNotSent(t *testing.T) {
	s := startService(t, "")
	d, c := start(t, Options{CallbackURL: s.URL})
	d.SetAgent(Agent{ID: "a@x.com", Online: true})
	d.Begin("s")
	if _, err := c.TransferToHuman(t.Context(), desk.TransferRequest{SessionID: "s"}); err != nil {
		t.Fatal(err)
	}
	if a := d.UserSays("s", "hello?"); !a.Skipped {
		t.Errorf("%+v", a)
	}
	if a := d.AgentSays("s", "hi"); !a.Skipped || state(t, c, "s") != desk.StateAgent {
		t.Errorf("%+v", a)
	}
	d.CloseSession("s")
	if len(s.got) != 1 {
		t.Errorf("%d callbacks", len(s.got))
	}
}

func TestDesk_promptsAndNamedEvents_comeInOrder(t *testing.T) {
	s := startService(t, "")
	d, c := start(t, Options{
		CallbackURL: s.URL, Prompts: true, AnswerAtOnce: true,
		Events: Events{UserMessage: "u", AgentMessage: "a", Transferring: "t", WithHuman: "h", NoAgent: "n", Closed: "c"},
	})
	d.SetAgent(Agent{ID: "a@x.com", Capacity: 1})
	d.Begin("s")
	d.Begin("s2")
	transfer := func(id string) {
		_, _ = c.TransferToHuman(t.Context(), desk.TransferRequest{SessionID: id, TipIfNoAgent: true})
	}
	transfer("s")
	d.SetOnline("a@x.com", true)
	transfer("s")
	d.UserSays("s", "x")
	d.AgentSays("s", "y")
	transfer("s2")
	d.UserSays("s2", "waiting")
	d.CloseSession("s")
	d.UserSays("s2", "x")
	var got []string
	for len(s.got) > 0 {
		if e := s.next(t); e.SessionID == "s" {
			got = append(got, e.Name+":"+e.Mark)
		}
	}
	want := []string{
		"SessionBegin:", "ChatBot.RobotSendMsg:failedToConnectAgent", "n:", "ChatBot.RobotSendMsg:connectingToAgent", "t:",
		"ChatBot.RobotSendMsg:connectedToAgent", "h:", "u:", "a:", "ChatBot.RobotSendMsg:proactiveClosure", "c:",
	}
	// The last two may still be on their way: those of another session say nothing about them.
	for len(got) < len(want) {
		if e := s.next(t); e.SessionID == "s" {
			got = append(got, e.Name+":"+e.Mark)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDesk_Await_wakesUpWithEachCall(t *testing.T) {
	d, c := start(t, Options{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 5 {
			_, _ = c.SessionState(t.Context(), desk.StateRequest{SessionID: "s"})
		}
	})
	if err := d.Await(t.Context(), func() bool { return d.Ledger().Count("get_session_state", 0) == 5 }); err != nil {
		t.Error(err)
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Await(ctx, func() bool { return false }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestDesk_answersThatChatWouldNotAccept_areErrors(t *testing.T) {
	answer := "x"
	status := 200
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	defer s.Close()
	d, _ := start(t, Options{CallbackURL: s.URL + "?a=b"})
	if a := d.UserSays("s", "x"); a.Err == nil || a.Status != 200 {
		t.Errorf("%+v", a)
	}
	answer, status = `{"ErrorCode":5}`, 503
	if a := d.UserSays("s", "x"); a.Err == nil || a.Status != 503 || a.ErrorCode != 5 {
		t.Errorf("%+v", a)
	}
	d.SetCallbackURL("http://127.0.0.1:1/")
	if a := d.UserSays("s", "x"); a.Err == nil {
		t.Errorf("%+v", a)
	}
	d.SetCallbackURL("://")
	if a := d.UserSays("s", "x"); a.Err == nil {
		t.Errorf("%+v", a)
	}
}

func TestDesk_Close_endsWaitingCallbacks(t *testing.T) {
	arrived := make(chan struct{}, 10)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		_, _ = io.Copy(io.Discard, r.Body) // so that the server notices that the caller is gone
		<-r.Context().Done()
	}))
	defer s.Close()
	d := New(Options{CallbackURL: s.URL, CallbackTimeout: time.Minute})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if a := d.UserSays("s", "x"); !errors.Is(a.Err, ErrClosed) && !a.Skipped {
				t.Errorf("%+v", a)
			}
		})
	}
	<-arrived
	d.Close()
	wg.Wait()
	if a := d.UserSays("s", "late"); !a.Skipped {
		t.Errorf("%+v", a)
	}
	d.Close()
}
