package desk_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/desk"
)

func TestClient_backupHost_isCalledAtOnceOnlyWhenTheFirstGotNothing(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	tests := []struct {
		name  string
		err   error
		hosts []string // called by two calls
	}{
		{"refused", refused, []string{"first.example", "second.example", "second.example"}},
		{"reset after sending", &net.OpError{Op: "read", Err: syscall.ECONNRESET}, []string{"first.example", "second.example"}},
		{"closed", io.EOF, []string{"first.example", "second.example"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var hosts []string
			c := newClient(t, trip(func(r *http.Request) (*http.Response, error) {
				hosts = append(hosts, r.URL.Host)
				if r.URL.Host == "first.example" {
					return nil, tt.err
				}
				return respond(200, `{"ErrorCode":0}`)
			}), withBackup)
			_ = c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s"})
			if err := c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s"}); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(tt.hosts, hosts); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestClient_bothHostsAway_triesEachOnceAndStartsWithTheFirstAgain(t *testing.T) {
	var hosts []string
	c := newClient(t, trip(func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Host)
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}), withBackup)
	for range 2 {
		e := asError(t, c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s"}))
		if !e.Transport() || !errors.Is(e, syscall.ECONNREFUSED) {
			t.Errorf("%v", e)
		}
	}
	if diff := cmp.Diff([]string{"first.example", "second.example", "first.example", "second.example"}, hosts); diff != "" {
		t.Error(diff)
	}
}

func TestClient_slowHost_isLeftAfterTheTimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, trip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		}))
		began := time.Now()
		e := asError(t, c.SendMsg(t.Context(), desk.SendRequest{SessionID: "s"}))
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("took %v", took)
		}
		if !errors.Is(e, context.DeadlineExceeded) || !e.Transport() || !strings.Contains(e.Error(), "time limit") {
			t.Errorf("%v", e)
		}
	})
}
