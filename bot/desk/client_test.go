package desk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"escalator/bot/desk"

	"github.com/google/go-cmp/cmp"
)

const plantedKey = "planted-key-5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f"

// trip is an http.RoundTripper made of a function.
type trip func(*http.Request) (*http.Response, error)

func (t trip) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func respond(status int, body string) (*http.Response, error) {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func newClient(t testing.TB, rt http.RoundTripper, change ...func(*desk.ClientOptions)) *desk.Client {
	t.Helper()
	o := desk.ClientOptions{
		Identity:  desk.Identity{SDKAppID: 1400000000, Identifier: "administrator", Key: plantedKey},
		URL:       "https://first.example",
		Transport: rt,
	}
	for _, c := range change {
		c(&o)
	}
	c, err := desk.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func withBackup(o *desk.ClientOptions) { o.BackupURL = "https://second.example" }

func asError(t testing.TB, err error) *desk.Error {
	t.Helper()
	var e *desk.Error
	if !errors.As(err, &e) {
		t.Fatalf("not a *desk.Error: %v", err)
	}
	return e
}

func TestClient_request_isAsDocumented(t *testing.T) {
	var seen []*http.Request
	c := newClient(t, trip(func(r *http.Request) (*http.Response, error) {
		seen = append(seen, r)
		return respond(200, `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`)
	}), func(o *desk.ClientOptions) { o.URL += "/" })
	for range 2 {
		if err := c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s"}); err != nil {
			t.Fatal(err)
		}
	}
	q := seen[0].URL.Query()
	got := []string{seen[0].Method, seen[0].URL.Host, seen[0].URL.Path, q.Get("sdkappid"), q.Get("identifier"), q.Get("contenttype"), seen[0].Header.Get("Content-Type")}
	want := []string{"POST", "first.example", "/v4/desk_http_svc/send_msg", "1400000000", "administrator", "json", "application/json"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	id := desk.Identity{SDKAppID: 1400000000, Identifier: "administrator", Key: plantedKey}
	if issued, want := resign(t, id, q.Get("usersig")); q.Get("usersig") != want.Reveal() || time.Since(issued) > time.Minute {
		t.Errorf("signed with %q, want %q, of now and not of %s", q.Get("usersig"), want.Reveal(), issued)
	}
	if q.Get("random") == seen[1].URL.Query().Get("random") {
		t.Error("random is not fresh")
	}
	if seen[0].GetBody == nil {
		t.Error("GetBody is not set")
	}
}

func TestClient_TransferToHuman_sendsOnlyWhatIsSet(t *testing.T) {
	group, priority, yes, no := int64(0), 0, desk.Flag(true), desk.Flag(false)
	tests := []struct {
		name string
		r    desk.TransferRequest
		want string
	}{
		{"least", desk.TransferRequest{SessionID: "s"}, `{"SessionId":"s","SendTipIfNoAgentOnline":0}`},
		{
			"all",
			desk.TransferRequest{
				SessionID: "s", AgentIDs: []string{"a@x.com"}, AgentGroupID: &group, TipIfNoAgent: true, CheckWorkingHours: &yes,
				PromptOutsideWorkingHours: &no, EndSessionIfNoAgent: &yes, DisableQueuing: &no, AllowBusyAgents: &yes, Priority: &priority,
				QueueTimeout: desk.SecondsOf(90*time.Second + 1),
			},
			`{"SessionId":"s","AgentIdList":["a@x.com"],"AgentGroupId":0,"SendTipIfNoAgentOnline":1,"CheckIfDuringWorkingHours":1,` +
				`"SendPromptNotDuringWorkingHours":0,"EndSessionWhenNoMemberOnline":1,"DisableQueuing":0,"AllowAssignBusyMember":1,"Priority":0,"QueueTimeout":91}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var body string
			c := newClient(t, trip(func(r *http.Request) (*http.Response, error) {
				b, _ := io.ReadAll(r.Body)
				body = string(b)
				return respond(200, `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"AgentId":"test_agent@qq.com","IsInQueue":0}`)
			}))
			got, err := c.TransferToHuman(t.Context(), tt.r)
			if err != nil || got != (desk.TransferResult{AgentID: "test_agent@qq.com"}) {
				t.Errorf("%+v, %v", got, err)
			}
			if body != tt.want {
				t.Errorf("\n got %s\nwant %s", body, tt.want)
			}
		})
	}
}

func TestClient_otherCalls_sendTheDocumentedForms(t *testing.T) {
	var body string
	c := newClient(t, trip(func(r *http.Request) (*http.Response, error) {
		b, _ := io.ReadAll(r.Body)
		body = string(b)
		return respond(200, `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"SessionId":"s","CurrentState":"Agent","AgentId":"test@qq.com","IsInQueue":1}`)
	}))
	tests := []struct {
		name string
		call func() error
		want string
	}{
		{"state by session", func() error {
			got, err := c.SessionState(t.Context(), desk.StateRequest{SessionID: "s", UserID: "u", ServiceID: "@c"})
			if want := (desk.SessionState{SessionID: "s", State: desk.StateAgent, AgentID: "test@qq.com"}); got != want {
				t.Errorf("%+v", got)
			}
			return err
		}, `{"SessionId":"s"}`},
		{"state by user", func() error {
			_, err := c.SessionState(t.Context(), desk.StateRequest{UserID: "u", ServiceID: "@c"})
			return err
		}, `{"ClientUserId":"u","CustomerServiceId":"@c"}`},
		{"message to a session", func() error {
			return c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s", From: "f", Text: "hi", MsgRandom: 7, CloudCustomData: "{}"})
		}, `{"SessionId":"s","MsgRandom":7,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}],"CloudCustomData":"{}"}`},
		{"message to a user", func() error {
			return c.SendMsg(t.Context(), desk.SendRequest{From: "@c", To: "u", Text: "hi"})
		}, `{"FromAccount":"@c","ToAccount":"u","MsgRandom":0,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.call(); err != nil || body != tt.want {
				t.Errorf("%v\n got %s\nwant %s", err, body, tt.want)
			}
		})
	}
}

func TestClient_SessionState_mustBeOfTheSessionThatWasAskedFor(t *testing.T) {
	answer := ""
	c := newClient(t, trip(func(*http.Request) (*http.Response, error) { return respond(200, answer) }))
	answer = `{"ErrorCode":0,"SessionId":"other","CurrentState":"Agent"}`
	_, err := c.SessionState(t.Context(), desk.StateRequest{SessionID: "s"})
	if e := asError(t, err); !errors.Is(err, desk.ErrOtherSession) || e.Verdict() != desk.AskState || e.Transport() {
		t.Errorf("%v: %v, transport %v", e, e.Verdict(), e.Transport())
	}
	if got, err := c.SessionState(t.Context(), desk.StateRequest{UserID: "u", ServiceID: "@c"}); err != nil || got.SessionID != "other" {
		t.Errorf("asked by user: %+v, %v", got, err)
	}
	answer = `{"ErrorCode":0,"CurrentState":"Agent"}` // a missing name is not another one
	if got, err := c.SessionState(t.Context(), desk.StateRequest{SessionID: "s"}); err != nil || got.State != desk.StateAgent {
		t.Errorf("without a name: %+v, %v", got, err)
	}
}

func TestClient_429_asksForTime_inEveryCall(t *testing.T) {
	for body, want := range map[string]desk.Verdict{
		`{"ActionStatus":"FAIL","ErrorCode":60018}`: desk.Retry,
		`{"ErrorCode":429,"ErrorInfo":"slow"}`:      desk.Retry,
		`<html>Too Many Requests</html>`:            desk.AskState,
	} {
		c := newClient(t, trip(func(*http.Request) (*http.Response, error) {
			resp, err := respond(429, body)
			resp.Header.Set("Retry-After", "30")
			return resp, err
		}))
		_, transfer := c.TransferToHuman(t.Context(), desk.TransferRequest{SessionID: "s"})
		_, state := c.SessionState(t.Context(), desk.StateRequest{SessionID: "s"})
		for _, err := range []error{transfer, state, c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s", Text: "hi"})} {
			if e := asError(t, err); e.RetryAfter() != 30*time.Second || e.Verdict() != want {
				t.Errorf("%s %s: after %v, %v", e.Op, body, e.RetryAfter(), e.Verdict())
			} else if want == desk.AskState && !strings.Contains(e.Error(), "HTTP status 429: ") { // whoever reads it should look for a gateway
				t.Errorf("%s %s: %v", e.Op, body, e)
			}
		}
	}
}

func TestClient_answers_areJudgedByErrorCodeAlone(t *testing.T) {
	tests := []struct {
		name    string
		status  int
		body    string
		code    int
		verdict desk.Verdict
	}{
		{"success", 200, `{"ErrorCode":0}`, 0, desk.Done},
		{"no agent", 200, `{"ActionStatus":"FAIL","ErrorCode":141001,"ErrorInfo":"no agent"}`, 141001, desk.NextTarget},
		{"code beside another status", 404, `{"ErrorCode":141005}`, 141005, desk.GiveUp},
		{"negative code", 200, `{"ErrorCode":-1}`, -1, desk.GiveUp},
		{"code as a string", 200, `{"ErrorCode":"0"}`, 0, desk.AskState},
		{"code as a fraction", 200, `{"ErrorCode":0.0}`, 0, desk.AskState},
		{"code as an object", 200, `{"ErrorCode":{}}`, 0, desk.AskState},
		{"no code", 200, `{"ActionStatus":"OK"}`, 0, desk.AskState},
		{"null", 200, `null`, 0, desk.AskState},
		{"array", 200, `[{"ErrorCode":0}]`, 0, desk.AskState},
		{"cut", 200, `{"ErrorCode":0`, 0, desk.AskState},
		{"page", 200, `<html>`, 0, desk.AskState},
		{"nothing", 200, ``, 0, desk.AskState},
		{"too long", 200, `{"ErrorCode":0,"x":"` + strings.Repeat("x", 1<<20) + `"}`, 0, desk.AskState},
		{"too deep", 200, `{"ErrorCode":0,"x":` + strings.Repeat("[", 1<<19) + strings.Repeat("]", 1<<19) + `}`, 0, desk.AskState},
		{"failure with code 0", 200, `{"ActionStatus":"FAIL","ErrorCode":0}`, 0, desk.AskState},
		{"gateway", 502, `{"ErrorCode":0}`, 0, desk.AskState},
		{"gateway with a code", 503, `{"ErrorCode":141005}`, 0, desk.AskState},
		{"redirect", 302, `{"ErrorCode":0}`, 0, desk.AskState},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t, trip(func(*http.Request) (*http.Response, error) { return respond(tt.status, tt.body) }))
			err := c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s"})
			if tt.verdict == desk.Done {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := asError(t, err)
			if e.Code != tt.code || e.Verdict() != tt.verdict || e.Transport() != (e.Err != nil) || e.Status != tt.status || e.Op != "send_msg" {
				t.Errorf("%+v: %v", e, e.Verdict())
			}
		})
	}
}

func TestClient_redirect_isNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer other.Close()
	s := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer s.Close()
	c := newClient(t, nil, func(o *desk.ClientOptions) { o.URL = s.URL })
	if e := asError(t, c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s"})); e.Status != 307 || e.Verdict() != desk.AskState {
		t.Errorf("%+v", e)
	}
}

func TestClient_refusedSignature_isRenewedOnce(t *testing.T) {
	for _, code := range []int{70001, 70003, 70005, 60004, 60005} {
		var sigs []string
		mended := false
		c := newClient(t, trip(func(r *http.Request) (*http.Response, error) {
			sigs = append(sigs, r.URL.Query().Get("usersig"))
			if mended && len(sigs) == 2 {
				return respond(200, `{"ErrorCode":0}`)
			}
			return respond(200, fmt.Sprintf(`{"ErrorCode":%d}`, code))
		}))
		e := asError(t, c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s"}))
		if len(sigs) != 2 || sigs[0] == sigs[1] || e.Verdict() != desk.Resign || e.Code != code {
			t.Errorf("%d: %d calls, %v", code, len(sigs), e)
		}
		sigs, mended = nil, true
		if err := c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s"}); err != nil || len(sigs) != 2 || sigs[0] == sigs[1] {
			t.Errorf("%d: %d calls, %v", code, len(sigs), err)
		}
	}
}

func TestClient_otherCodes_areNotRepeated(t *testing.T) {
	for _, row := range desk.Codes() {
		calls := 0
		c := newClient(t, trip(func(*http.Request) (*http.Response, error) {
			calls++
			return respond(200, fmt.Sprintf(`{"ActionStatus":"FAIL","ErrorCode":%d,"ErrorInfo":"x"}`, row.Code))
		}), withBackup)
		e := asError(t, c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s"}))
		want := 1
		if row.Verdict == desk.Resign {
			want = 2
		}
		if calls != want || e.Verdict() != row.Verdict || e.Transport() {
			t.Errorf("%d: %d calls, %v", row.Code, calls, e.Verdict())
		}
	}
}

func TestClient_certificateThatIsNotTrusted_countsAsNotSent(t *testing.T) {
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = nil
	untrusted.StartTLS()
	defer untrusted.Close()
	good := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"ErrorCode":0}`) }))
	defer good.Close()
	c := newClient(t, nil, func(o *desk.ClientOptions) { o.URL, o.BackupURL = untrusted.URL, good.URL })
	if err := c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s"}); err != nil {
		t.Error(err)
	}
}

func TestClient_cancelledCall_tellsTheCauseAndDoesNotCountForTheBreaker(t *testing.T) {
	why := errors.New("the service stops")
	ctx, cancel := context.WithCancelCause(t.Context())
	calls := 0
	c := newClient(t, trip(func(r *http.Request) (*http.Response, error) {
		calls++
		cancel(why)
		<-r.Context().Done()
		return nil, r.Context().Err()
	}), withBackup)
	e := asError(t, c.SendMsg(ctx, desk.SendRequest{SessionID: "s"}))
	if !errors.Is(e, why) || !errors.Is(e, context.Canceled) || e.Transport() || e.Verdict() != desk.AskState || calls != 1 {
		t.Errorf("%v, transport %v, %d calls", e, e.Transport(), calls)
	}
}

func TestNewClient_wrongSettings_areRefused(t *testing.T) {
	tests := map[string]func(*desk.ClientOptions){
		"no address":       func(o *desk.ClientOptions) { o.URL = "" },
		"no scheme":        func(o *desk.ClientOptions) { o.URL = "console.tim.qq.com" },
		"other scheme":     func(o *desk.ClientOptions) { o.URL = "ftp://x" },
		"control":          func(o *desk.ClientOptions) { o.URL = "https://x\n" },
		"user":             func(o *desk.ClientOptions) { o.URL = "https://u:p@x" },
		"query":            func(o *desk.ClientOptions) { o.URL = "https://x?y" },
		"plain http":       func(o *desk.ClientOptions) { o.URL = "http://console.tim.qq.com" },
		"plain backup":     func(o *desk.ClientOptions) { o.BackupURL = "http://console.tim.qq.com" },
		"no key":           func(o *desk.ClientOptions) { o.Key = "" },
		"short validity":   func(o *desk.ClientOptions) { o.Validity = time.Hour },
		"wrong identifier": func(o *desk.ClientOptions) { o.Identifier = "a b" },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			o := desk.ClientOptions{Identity: desk.Identity{SDKAppID: 1, Identifier: "administrator", Key: plantedKey}, URL: "https://x"}
			spoil(&o)
			if _, err := desk.NewClient(o); err == nil {
				t.Error("accepted")
			}
		})
	}
	for _, address := range []string{"http://127.0.0.1:1", "http://localhost", "http://[::1]:2"} {
		newClient(t, nil, func(o *desk.ClientOptions) { o.URL = address })
	}
	newClient(t, nil, func(o *desk.ClientOptions) { o.URL, o.Insecure = "http://desk.internal", true })
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestClient_manyAtOnce_shareOneSignature(t *testing.T) {
	var mu sync.Mutex
	sigs := map[string]bool{}
	c := newClient(t, trip(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		sigs[r.URL.Query().Get("usersig")] = true
		return respond(200, `{"ErrorCode":0}`)
	}))
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(sigs) != 1 {
		t.Errorf("%d signatures", len(sigs))
	}
}

func TestNewMsgRandom_isFresh(t *testing.T) {
	seen := map[uint32]bool{}
	for range 100 {
		seen[desk.NewMsgRandom()] = true
	}
	if len(seen) < 99 {
		t.Errorf("%d different numbers of 100", len(seen))
	}
}
