package browser_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// gate is a proxy before the operators' listener that can be shut.
type gate struct {
	*httptest.Server
	shut   atomic.Bool
	forget atomic.Bool // whoever resumes names an event that is no longer kept
	held   atomic.Pointer[held]

	instead atomic.Pointer[http.HandlerFunc] // answers what is asked of the API and of /readyz
}

// held is the next request for a path, which waits until it is let go.
type held struct {
	path       string
	came, goes chan struct{}
}

func (g *gate) hold(path string) *held {
	h := &held{path: path, came: make(chan struct{}), goes: make(chan struct{})}
	g.held.Store(h)
	return h
}

func (g *gate) keep(r *http.Request) {
	h := g.held.Load()
	if h == nil || r.URL.Path != h.path || !g.held.CompareAndSwap(h, nil) {
		return
	}
	close(h.came)
	select {
	case <-h.goes:
	case <-r.Context().Done():
	}
}

func newGate(t *testing.T, o *office) *gate {
	t.Helper()
	to, err := url.Parse(o.admin)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host }, FlushInterval: -1}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	g := &gate{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.shut.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		if g.forget.Load() && r.Header.Get("Last-Event-ID") != "" {
			r.Header.Set("Last-Event-ID", "0-0-long-gone")
		}
		if other := g.instead.Load(); other != nil && !strings.HasPrefix(r.URL.Path, "/console/") {
			(*other)(w, r)
			return
		}
		g.keep(r)
		defer func() { _ = recover() }() // a stream that is cut
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(g.Close)
	o.admin = g.URL
	return g
}
