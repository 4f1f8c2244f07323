package desktest

import (
	"encoding/json"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"escalator/bot/desk"
)

func TestControl_everyPage_works(t *testing.T) {
	s := startService(t, "")
	d, c := start(t, Options{CallbackURL: s.URL})
	tests := []struct {
		request, body string
		status        int
		holds         string
	}{
		{"GET /", "", 200, "Desk emulator"},
		{"POST /sessions", `{"session":"s1","user":"u1"}`, 200, `"user":"u1"`},
		{"POST /sessions", `{}`, 400, "session"},
		{"POST /sessions", `{"sesion":"x"}`, 400, "unknown field"},
		{"POST /sessions/s1/say", `{"text":"hello"}`, 200, `"ai_provider":1`},
		{"POST /sessions/s1/say", `{"from":"bot","text":"?","mark":"fallback","request_id":"r1"}`, 200, `"request_id":"r1"`},
		{"POST /sessions/s1/say", `{"from":"agent","text":"hi","event":"Agent.Says","custom_data":"x"}`, 200, `Agent.Says`},
		{"POST /sessions/s1/say", `{"from":"nobody"}`, 400, "user, bot or agent"},
		{"GET /sessions", "", 200, `"state":"Chatbot"`},
		{"PUT /agents/a@x.com", `{"online":true,"groups":[1],"capacity":2}`, 200, `"groups":[1]`},
		{"GET /agents", "", 200, `"capacity":2`},
		{"PUT /agents/a@x.com/status", `{"status":"rest"}`, 200, `"request_id"`},
		{"PUT /agents/a@x.com/status", `{"status":"asleep"}`, 400, "notReady"},
		{"PUT /agents/nobody/status", `{"status":"free"}`, 400, "no agent"},
		{"POST /sessions/s1/flow", `{"variables":{"question":"hello"}}`, 200, `"question":"hello"`},
		{"POST /sessions/s2/assign", `{"older":true}`, 200, `ChatBot.OnAssignAgent`},
		{"POST /sessions/s3/assign", "", 200, `ChatBot.OnAssignHuman`},
		{"POST /im", `{"command":"Bot.OnC2CMessage","from":"jared","to":"@s","text":"hello"}`, 200, `"user":"jared"`},
		{"POST /im", `{"command":"Bot.OnNothing"}`, 400, "no callback of plain IM"},
		{"PUT /hours", `{"open":true}`, 200, `true`},
		{"PUT /groups/2", `{"name":"Night"}`, 200, `Night`},
		{"PUT /groups/two", `{"name":"Night"}`, 400, `number`},
		{"POST /groups/2/queue", `{"sessions":["q1"]}`, 200, `"state":"Queueing"`},
		{"POST /groups/x/queue", `{"sessions":["q2"]}`, 400, `number`},
		{"POST /sessions/q1/connect", `{"agent":"a@x.com"}`, 200, `"state":"Agent"`},
		{"POST /sessions/q1/connect", `{"agent":"nobody"}`, 400, `no agent`},
		{"POST /sessions/q1/rate", `{"stars":2,"event":"Session.Rated"}`, 200, `"SatisfactionSelected":2`},
		{"POST /sessions/q1/rate", `{"stars":2}`, 200, `"skipped":true`},
		{"POST /sessions/q1/rate", `{"stars":6}`, 400, `stars`},
		{"POST /sessions/q1/expire", "", 200, `"state":"NotInSession"`},
		{"GET /records", "", 200, `"rating":2`},
		{"PUT /entries/shop", `{"robot":true,"robot_type":1}`, 200, `"robot_type":1`},
		{"PUT /robot", `{"FallbackMsg":"Sorry"}`, 200, `Sorry`},
		{"POST /faults", `{"kind":"omit"}`, 400, "needs fields"},
		{"POST /faults", `{"command":"send_msg","kind":"drop","delay":"3s"}`, 200, `"delay":3000000000`},
		{"POST /faults", `{"kind":"drop","delay":"3"}`, 400, "duration"},
		{"POST /faults", `{"kind":"code"}`, 400, "needs a code"},
		{"GET /faults", "", 200, `"send_msg"`},
		{"DELETE /faults", "", 200, `[]`},
		{"POST /sessions/s1/accept", "", 200, `"state":"Chatbot"`},
		{"GET /ledger", "", 200, `"accepted_twice":[]`},
		{"POST /sessions/s1/close", "", 200, `"state":"NotInSession"`},
		{"GET /nothing", "", 404, ""},
		{"DELETE /ledger", "", 405, ""},
	}
	for _, tt := range tests {
		t.Run(tt.request, func(t *testing.T) {
			method, path, _ := strings.Cut(tt.request, " ")
			w := httptest.NewRecorder()
			d.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(tt.body)))
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.holds) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if tt.status == 200 && path != "/" && !json.Valid(w.Body.Bytes()) {
				t.Errorf("no JSON: %s", w.Body)
			}
		})
	}
	if _, err := c.SessionState(t.Context(), desk.StateRequest{SessionID: "s1"}); err != nil {
		t.Error(err)
	}
}

func TestControl_faultWithDelay_endsWithClose(t *testing.T) {
	d, c := start(t, Options{})
	if err := d.Fail(Fault{Kind: FaultDelay, Delay: time.Hour}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := c.SessionState(t.Context(), desk.StateRequest{SessionID: "s1"})
		done <- err
	}()
	for len(d.Faults()) > 0 {
		runtime.Gosched()
	}
	d.Close()
	if err := <-done; err != nil { // either is fine: it ended
		t.Logf("the call ended with %v", err)
	}
}
