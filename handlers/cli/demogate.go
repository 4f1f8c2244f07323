package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
	"escalator/rules/lang"
)

// demoGate takes callbacks that somebody sends by hand, tells of them as of all others, and hands them to the service.
type demoGate struct {
	stage   *stage
	service string // address of its callbacks
	address string // of the gate
	server  *http.Server
	serving sync.WaitGroup
}

// maxByHand bounds a message that is sent by hand, above what the service takes: it is the service that refuses.
const maxByHand = 2 << 20

func openGate(s *stage, service string) (*demoGate, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, lang.Errorf("opening the demo's gate: %w", err)
	}
	g := &demoGate{stage: s, service: service, address: "http://" + l.Addr().String() + demoPath}
	g.server = &http.Server{Handler: g, ReadHeaderTimeout: time.Second}
	g.serving.Go(func() { _ = g.server.Serve(l) })
	return g, nil
}

func (g *demoGate) close() {
	_ = g.server.Close()
	g.serving.Wait()
}

// ServeHTTP implements http.Handler. One message is told whole before the next one.
func (g *demoGate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxByHand))
	if err != nil {
		return
	}
	story, d := g.stage.story, g.stage.desk
	e, err := desk.Decode(desk.ParseQuery(r.URL.RawQuery), body)
	if err != nil {
		e = &desk.Event{Text: string(body[:min(len(body), 200)])}
	}
	if id := e.SessionID; id != "" && d.Session(id).State == desk.StateNotInSession {
		d.Begin(id, desktest.WithUser(e.UserID))
	}
	story.line("by hand", lang.Say("%s   (session %s)", e.Text, cmp.Or(e.SessionID, "-")))
	var status int
	var answer []byte
	g.stage.sends(e.SessionID, func() (a desktest.Answer) {
		status, answer, a.Err = g.pass(r, body)
		var fields struct{ AIProvider *int }
		_ = json.Unmarshal(answer, &fields) // the service answers JSON
		a.AIProvider = fields.AIProvider
		return a
	})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// pass hands a callback to the service as it came.
func (g *demoGate) pass(r *http.Request, body []byte) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(r.Context(), sceneTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.Method, g.service+"?"+r.URL.RawQuery, bytes.NewReader(body)) //nolint:gosec // the host is our own, on loopback
	if err != nil {
		return http.StatusBadGateway, nil, err
	}
	req.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req) //nolint:gosec // the same, so no proxy either
	if err != nil {
		return http.StatusBadGateway, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if answer, err = io.ReadAll(resp.Body); err != nil {
		return http.StatusBadGateway, nil, err
	}
	if resp.StatusCode != http.StatusOK {
		var refused struct{ ErrorInfo string }
		_ = json.Unmarshal(answer, &refused)
		err = lang.Errorf("%d, %s", resp.StatusCode, refused.ErrorInfo)
	}
	return resp.StatusCode, answer, err
}
