package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// streaming is a service whose streams are what a test says: one script for each
// connection. When there is none left, the reader is ended.
type streaming struct {
	t       *testing.T
	list    []string // the answers to those who list, one after the other
	scripts []func(w http.ResponseWriter, r *http.Request)
	end     context.CancelFunc

	mu    sync.Mutex
	asked []string // the queries, with Last-Event-ID behind them
}

func (s *streaming) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, strings.TrimSpace(r.URL.RawQuery+" "+r.Header.Get("Last-Event-ID")))
	var script func(http.ResponseWriter, *http.Request)
	answer := ""
	if streams := r.URL.Query().Get("stream") == "1"; streams && len(s.scripts) > 0 {
		script, s.scripts = s.scripts[0], s.scripts[1:]
	} else if !streams {
		answer, s.list = s.list[0], s.list[1:]
	}
	s.mu.Unlock()
	switch {
	case answer != "":
		_, _ = io.WriteString(w, answer)
	case script == nil:
		s.end()
		<-r.Context().Done()
	default:
		script(w, r)
	}
}

// events sends events, and loses the connection.
func events(all ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, ": ping\n\n"+strings.Join(all, "\n\n")+"\n\n")
	}
}

func made(id, session string) string {
	return fmt.Sprintf("event: decision\nid: %s\ndata: %s", id, madeJSON(id, session))
}

func madeJSON(id, session string) string {
	return fmt.Sprintf(`{"id":%q,"at":"2026-01-05T03:00:0%s","session":%q,"outcome":"transfer","rule":"ask"}`, id, id[1:]+"Z", session)
}

// follows runs decisions --follow against the service until its scripts are at their end.
func (s *streaming) follows(args ...string) result {
	s.t.Helper()
	server := httptest.NewServer(s)
	defer server.Close()
	ctx, end := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer end()
	s.end = end
	var out, errOut strings.Builder
	code := Run(ctx, append([]string{"decisions", "--follow", "--url", server.URL}, args...), Env{Stdout: &out, Stderr: &errOut, Getenv: func(string) string { return "" }})
	return result{code, out.String(), errOut.String()}
}

func TestFollow_goesOnWhereTheConnectionWasLost_withoutGapAndDouble(t *testing.T) {
	s := &streaming{t: t, list: []string{`{"decisions":[` + madeJSON("d2", "s2") + `,` + madeJSON("d1", "s1") + `]}`}}
	s.scripts = []func(http.ResponseWriter, *http.Request){
		events(made("d3", "s3"), `event: transfer`+"\n"+`data: {"id":"d3","transfer":{"outcome":"assigned","agent":"li","took_ms":7,"at":"2026-01-05T03:00:05Z"}}`),
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		events(made("d3", "s3"), `event: transfer`+"\n"+`data: {"id":"d3","transfer":{"outcome":"assigned","agent":"li","took_ms":7,"at":"2026-01-05T03:00:05Z"}}`, made("d4", "s4")),
	}
	r := s.follows("--rule", "ask", "--json")
	want := madeJSON("d1", "s1") + "\n" + madeJSON("d2", "s2") + "\n" + madeJSON("d3", "s3") + "\n" +
		`{"id":"d3","transfer":{"outcome":"assigned","agent":"li","took_ms":7,"at":"2026-01-05T03:00:05Z"}}` + "\n" + madeJSON("d4", "s4") + "\n"
	if r.code != exitOK || r.stdout != want {
		t.Errorf("%+v", r)
	}
	if got := strings.Join(s.asked, "\n"); got != "n=20&rule=ask\nrule=ask&stream=1 d2\nrule=ask&stream=1 d3\nrule=ask&stream=1 d3\nrule=ask&stream=1 d4" {
		t.Errorf("asked\n%s", got)
	}
	const lost, back = "the connection is lost", "connected again; going on where the connection was lost"
	if strings.Count(r.stderr, lost) != 2 || strings.Count(r.stderr, back) != 1 {
		t.Errorf("standard error: %s", r.stderr)
	}
}

func TestFollow_forPeople_showsTransfersWithTheirSession(t *testing.T) {
	s := &streaming{t: t, scripts: []func(http.ResponseWriter, *http.Request){
		events(made("d1", "s1"), `event: transfer`+"\n"+`data: {"id":"d1","transfer":{"outcome":"failed","code":"141004","error":"no such group","took_ms":7,"at":"2026-01-05T03:00:05Z"}}`,
			`event: label`+"\n"+`data: {"id":"d1","label":"wrong","label_by":"li"}`),
	}}
	r := s.follows("-n", "0")
	for _, want := range []string{"transfer    ask", "s1\n", "failed", "s1  failed code 141004 no such", "s1  wrong  by li"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("no %q in\n%s", want, r.stdout)
		}
	}
}

func TestFollow_whatIsNotKeptAnyMore_isToldOf_andTheRestShownOnce(t *testing.T) {
	s := &streaming{t: t, list: []string{`{"decisions":[` + madeJSON("d5", "s5") + `,` + madeJSON("d4", "s4") + `,` + madeJSON("d1", "s1") + `]}`}}
	s.scripts = []func(http.ResponseWriter, *http.Request){
		events(made("d3", "s3")),
		events("event: gap\ndata: {\"missed\":true}", made("d5", "s5"), made("d6", "s6")),
	}
	r := s.follows("-n", "0", "--json")
	want := madeJSON("d3", "s3") + "\n" + madeJSON("d4", "s4") + "\n" + madeJSON("d5", "s5") + "\n" + madeJSON("d6", "s6") + "\n"
	if r.stdout != want || !strings.Contains(r.stderr, "no longer knows where the connection was lost") {
		t.Errorf("%+v", r)
	}
}

func TestFollow_aRefusal_endsWith1(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusServiceUnavailable} {
		s := &streaming{t: t, scripts: []func(http.ResponseWriter, *http.Request){
			func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, `{"error":"planted refusal: set ESCALATOR_ADMIN_TOKEN"}`)
			},
		}}
		if r := s.follows("-n", "0"); r.code != exitBad || !strings.Contains(r.stderr, "set ESCALATOR_ADMIN_TOKEN") {
			t.Errorf("%d: %+v", status, r)
		}
	}
	if r := runIn(t, "", "decisions", "--follow", "-n", "0", "--url", "http://127.0.0.1:1"); r.code != exitBad || !strings.Contains(r.stderr, "the service does not answer") {
		t.Errorf("nobody there: %+v", r)
	}
}
