package handlers_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot"
	"escalator/handlers"
)

// panicking breaks on every callback.
type panicking struct{ handlers.Operations }

func (panicking) Handle(context.Context, bot.Request) (bot.Answer, error) { panic("planted") }

func TestServer_aPanic_is500InTencentsForm_andInTheLogOnly(t *testing.T) {
	var out strings.Builder
	log := logrus.New()
	log.SetOutput(&out)
	s := handlers.New(handlers.Options{
		Bot: panicking{}, SDKAppID: 1, CallbackPath: "/callback",
		Log: log, Registry: prometheus.NewRegistry(), NotReady: func() []string { return nil },
	})
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/callback?SdkAppid=1&Sign=planted-sign", strings.NewReader(`{"a":1}`))
	r.Header.Set("Cookie", "planted-cookie")
	s.Public().ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), `"ActionStatus":"FAIL"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if strings.Contains(w.Body.String(), "planted") {
		t.Error("the sender is told what broke")
	}
	if !strings.Contains(out.String(), "server_test.go") || strings.Contains(out.String(), "planted-") {
		t.Errorf("log: %s", out.String())
	}
}

// openRoutes answer without the token: to sign in is to send it, and the console's files
// hold nothing.
var openRoutes = []string{
	"/healthz", "/readyz", "/api/session", "/", "/console", "/console/assets/:hash/*name", "/console/", "/console/c", "/console/c/:session", "/console/try",
	"/console/rules", "/console/rules/:id", "/console/file", "/console/history", "/console/delivery", "/console/suggest",
}

func TestServer_everyAdminRouteIsClosed_butTheHealthChecks(t *testing.T) {
	log := logrus.New()
	log.SetOutput(&strings.Builder{})
	s := handlers.New(handlers.Options{
		Bot: panicking{}, SDKAppID: 1, CallbackPath: "/callback", AdminToken: "secret",
		Log: log, Registry: prometheus.NewRegistry(), NotReady: func() []string { return nil },
	})
	routes := s.AdminRoutes()
	if len(routes) < 5 {
		t.Fatalf("only %d routes", len(routes))
	}
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		open := slices.Contains(openRoutes, path)
		for _, bearer := range []string{"", "wrong", "secre", "secret "} {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(method, path, nil)
			r.Host = "localhost"
			if bearer != "" {
				r.Header.Set("Authorization", "Bearer "+bearer)
			}
			s.Admin().ServeHTTP(w, r)
			if closed := w.Code == http.StatusUnauthorized; closed == open {
				t.Errorf("%s with %q: %d", route, bearer, w.Code)
			}
		}
	}
}

// broken is a listener that the system has taken away.
type broken struct{ net.Listener }

func (broken) Accept() (net.Conn, error) { return nil, errors.New("planted: no more connections") }

func TestServe_oneListenerFails_endsAtOnce(t *testing.T) {
	for _, which := range []string{"public", "operators'"} {
		t.Run(which, func(t *testing.T) {
			var listeners [2]net.Listener
			for i := range listeners {
				var err error
				if listeners[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
					t.Fatal(err)
				}
			}
			log := logrus.New()
			log.SetOutput(&strings.Builder{})
			s := handlers.New(handlers.Options{
				Bot: panicking{}, SDKAppID: 1, CallbackPath: "/callback",
				Log: log, Registry: prometheus.NewRegistry(), NotReady: func() []string { return nil },
			})
			public, admin := net.Listener(broken{listeners[0]}), listeners[1]
			if which != "public" {
				public, admin = admin, public
			}
			served := make(chan error, 1)
			go func() { served <- s.Serve(public, admin) }()
			select {
			case err := <-served:
				if err == nil || !strings.Contains(err.Error(), "planted") {
					t.Errorf("ended with %v", err)
				}
			case <-time.After(5 * time.Second):
				t.Error("half a service goes on in silence")
			}
			if err := s.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
