package e2e_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"escalator/bot/desk/desktest"
)

// refused stands before the emulator and notes what it refuses for good: where
// the log's line of it was dropped, nothing else would tell a customer who was
// refused from one who was forgotten.
type refused struct {
	url string

	mu    sync.Mutex
	codes map[string]int // of the last answer to a transfer, by session
}

func newRefused(t *testing.T, d *desktest.Desk) *refused {
	t.Helper()
	r := &refused{codes: map[string]int{}}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		if !strings.HasSuffix(req.URL.Path, "/transfer_to_human") {
			d.ServeHTTP(rw, req)
			return
		}
		body, _ := io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(body))
		answer := &noted{ResponseWriter: rw}
		d.ServeHTTP(answer, req)
		r.note(body, answer.text.Bytes())
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// noted is an answer that is kept.
type noted struct {
	http.ResponseWriter
	text bytes.Buffer
}

func (n *noted) Write(p []byte) (int, error) {
	n.text.Write(p)
	return n.ResponseWriter.Write(p)
}

func (r *refused) note(request, answer []byte) {
	var asked struct{ SessionId string } //nolint:revive // the wire's name
	var said struct{ ErrorCode int }
	if json.Unmarshal(request, &asked) != nil || json.Unmarshal(answer, &said) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.codes[asked.SessionId] = said.ErrorCode
}

// finally tells whether the last that Desk said of a session ends its transfer:
// nobody is online, or the session does not exist.
func (r *refused) finally(session string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	code := r.codes[session]
	return code == 141001 || code == 141005
}
