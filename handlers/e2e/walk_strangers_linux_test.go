package e2e_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	floodWorkers = 8
	floodEvery   = 4 * time.Millisecond // a request of each worker: 2,000/s in all
)

// stray is what a stranger posts: address, query and body.
type stray struct{ path, query, body string }

// flood sends what nobody asked for, over and over.
func flood(kinds func(n int) stray) func(*walk) func() {
	return func(w *walk) func() {
		stop := make(chan struct{})
		var all sync.WaitGroup
		var sent atomic.Int64
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 201, 0, 1)}, Timeout: time.Second}
		client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: floodWorkers}}
		for range floodWorkers {
			all.Go(func() {
				tick := time.NewTicker(floodEvery)
				defer tick.Stop()
				for {
					select {
					case <-tick.C:
						w.post(client, kinds(int(sent.Add(1))))
					case <-stop:
						return
					}
				}
			})
		}
		return func() {
			close(stop)
			all.Wait()
			client.CloseIdleConnections()
			w.note("%d requests nobody asked for", sent.Load())
		}
	}
}

// post sends a request. Whatever comes back is right.
func (w *walk) post(client *http.Client, r stray) {
	url := "http://" + w.process.public + r.path + "?" + r.query
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, url, strings.NewReader(r.body))
	if err != nil {
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

// unasked are the requests of those who found the address by chance.
func unasked(n int) stray {
	now := time.Now()
	body := fmt.Sprintf(`{"CallbackCommand":"Desk.SessionEventNotify","SessionId":"stranger-%d","Event":"New.Event"}`, n)
	kinds := [...]stray{
		{"/callback", "", ""},
		{"/callback", "SdkAppid=1400000000", ""},
		{"/callback", "SdkAppid=1400000000&CallbackCommand=Desk.SessionEventNotify", body},
		{"/callback", sign(now) + "0", body},
		{"/callback", sign(now.Add(-time.Hour)), body},
		{"/callback", strings.ReplaceAll(sign(now), "1400000000", "1400000009"), body},
		{"/callback/", sign(now), body},
		{"/wp-login.php", "", body},
	}
	return kinds[n%len(kinds)]
}

// forged is a request for a person in a session that Desk does not know. A life
// without a token has to believe it.
func forged(n int) stray {
	body := fmt.Sprintf(`{"CallbackCommand":"Desk.SessionEventNotify","SessionId":"forged-%d-%d","Event":"ChatBot.UserSendMsg","ClientUserId":"u%d",`+
		`"CustomerServiceId":"@s","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a human please"}}]}`, time.Now().UnixNano(), n, n)
	return stray{"/callback", "SdkAppid=1400000000&CallbackCommand=Desk.SessionEventNotify", body}
}

// What the operator's own bot does.
const (
	botWorks int32 = iota
	botHangs
	botFails
)

// ownBot is the operator's own bot behind the service.
type ownBot struct {
	url   string
	state atomic.Int32
	since atomic.Int64 // when the state changed, in Unix nanoseconds
}

func newOwnBot(t *testing.T) *ownBot {
	t.Helper()
	b := &ownBot{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch b.state.Load() {
		case botHangs:
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Second):
			}
		case botFails:
			rw.WriteHeader(http.StatusBadGateway)
		default:
			_, _ = io.WriteString(rw, `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","AIProvider":1}`)
		}
	}))
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

func (b *ownBot) set(state int32) {
	b.state.Store(state)
	b.since.Store(time.Now().UnixNano())
}

// slow tells whether the bot hangs, or did so a moment ago.
func (b *ownBot) slow() bool {
	return b.state.Load() == botHangs || time.Since(time.Unix(0, b.since.Load())) < 4*time.Second
}
