package handlers_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"escalator/handlers"
)

func TestOperators_oneProfileAtATime(t *testing.T) {
	s, _ := operators(&named{}, func(o *handlers.Options) { o.AdminToken = "secret" })
	server := httptest.NewServer(s.Admin())
	defer server.Close()
	get := func(path string) *http.Response {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		r.Header.Set("Authorization", "Bearer secret")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	trace := get("/debug/pprof/trace?seconds=20") // its beginning is sent at once
	if _, err := bufio.NewReader(trace.Body).Peek(1); err != nil {
		t.Fatal(err)
	}
	if second := get("/debug/pprof/profile?seconds=1"); second.StatusCode != http.StatusTooManyRequests {
		t.Errorf("beside another one: %d", second.StatusCode)
	}
	if index := get("/debug/pprof/"); index.StatusCode != http.StatusOK {
		t.Errorf("the list: %d", index.StatusCode)
	}
	_ = trace.Body.Close()
}

// A profile that somebody takes ends with the service, and is no fault of the stop.
func TestShutdown_aProfileThatRuns_endsAtOnce(t *testing.T) {
	s, _ := operators(&named{}, func(o *handlers.Options) { o.AdminToken = "secret" })
	var listeners [2]net.Listener
	for i := range listeners {
		var err error
		if listeners[i], err = new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(listeners[0], listeners[1]) }()
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listeners[1].Addr().String()+"/debug/pprof/trace?seconds=20", nil)
	r.Header.Set("Authorization", "Bearer secret")
	resp, err := http.DefaultClient.Do(r) // the beginning of a trace is sent at once
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	go func() { _, _ = io.Copy(io.Discard, resp.Body) }()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	if err := errors.Join(s.Shutdown(ctx), <-served); err != nil {
		t.Error(err)
	}
}
