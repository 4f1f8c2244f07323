package backend_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"escalator/bot/backend"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	query = "SdkAppid=1&CallbackCommand=Desk.SessionEventNotify&Sign=planted-sign&RequestTime=1"
	body  = `{"a":  1,"text":"words of the customer"}`
)

func forward(t *testing.T, bot http.HandlerFunc) ([]byte, error) {
	t.Helper()
	server := httptest.NewServer(bot)
	defer server.Close()
	c, err := backend.New(server.URL + "/hook?key=mine")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.Forward(t.Context(), query, http.Header{"X-Trace": {"7"}, "Connection": {"close"}, "Content-Type": {"application/json"}}, []byte(body))
}

func TestForward_passesEverythingOn_andBringsTheAnswerBack(t *testing.T) {
	answer, err := forward(t, func(w http.ResponseWriter, r *http.Request) {
		got, _ := io.ReadAll(r.Body)
		if string(got) != body || r.URL.RawQuery != "key=mine&"+query || r.URL.Path != "/hook" || r.Header.Get("X-Trace") != "7" ||
			r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Connection") != "" || r.Method != http.MethodPost {
			t.Errorf("got %s %s %v %s", r.Method, r.URL, r.Header, got)
		}
		_, _ = io.WriteString(w, ` {"AIProvider":0,"own":[1]}`)
	})
	if err != nil || string(answer) != ` {"AIProvider":0,"own":[1]}` {
		t.Errorf("answer %s, %v", answer, err)
	}
}

// TestForward_aBotThatMisbehaves_isAnErrorInTime goes through the ways.
func TestForward_aBotThatMisbehaves_isAnErrorInTime(t *testing.T) {
	text := func(status int, s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, s)
		}
	}
	hang := func(r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
	for name, c := range map[string]struct {
		bot  http.HandlerFunc
		want string
	}{
		"slow":         {func(_ http.ResponseWriter, r *http.Request) { hang(r) }, "in time"},
		"status 500":   {text(500, `{"a":1}`), "status 500"},
		"HTML":         {text(200, "<html>It works!</html>"), "no JSON object"},
		"empty":        {text(200, ""), "no JSON object"},
		"white space":  {text(200, " \n"), "no JSON object"},
		"huge":         {text(200, `{"a":"`+strings.Repeat("x", 1<<20)+`"}`), "over 256 KiB"},
		"wrong type":   {text(200, `[1,2]`), "no JSON object"},
		"cut JSON":     {text(200, `{"a":`), "no JSON object"},
		"redirects":    {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, "status 302"},
		"closes early": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "asking the bot"},
		"breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"a":`)
		}, "broke off"},
		"leaves HTTP": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Upgrade", "x")
			w.WriteHeader(http.StatusSwitchingProtocols)
			_ = http.NewResponseController(w).Flush()
			hang(r)
		}, "status 101"},
		"hangs before its trailer": {func(w http.ResponseWriter, r *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n")
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}, "in time"},
		"hangs after headers": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
			hang(r)
		}, "in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := forward(t, c.bot)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			if s := err.Error(); strings.Contains(s, "planted") || strings.Contains(s, "customer") {
				t.Errorf("the error tells too much: %s", s)
			}
		})
	}
}

// Some servers compress whatever was asked for: the bot is well all the same.
func TestForward_anAnswerThatIsGzipUnasked_isUnpacked(t *testing.T) {
	packed := func(answer string) []byte { // before the bot's time begins: packing much takes long
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, answer)
		_ = z.Close()
		return b.Bytes()
	}
	sends := func(body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(body)
		}
	}
	well := sends(packed(`{"AIProvider":0}`))
	answer, err := forward(t, func(w http.ResponseWriter, r *http.Request) {
		if asked := r.Header.Get("Accept-Encoding"); asked != "" {
			t.Errorf("the bot is asked for %s", asked)
		}
		well(w, r)
	})
	if err != nil || string(answer) != `{"AIProvider":0}` {
		t.Errorf("answer %s, %v", answer, err)
	}
	for name, body := range map[string][]byte{
		"over 256 KiB": packed(strings.Repeat(" ", 64<<20)), // 64 KB on the wire
		"unpacking it": []byte(`{"AIProvider":0}`),
	} {
		if answer, err := forward(t, sends(body)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %.40q, %v", name, answer, err)
		}
	}
}

func TestForward_headersOfTencentsConnection_stayThere(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	c, err := backend.New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	header := http.Header{"Connection": {"keep-alive, x-hop", "X-Other"}, "X-Hop": {"1"}, "X-Other": {"1"}, "Te": {"trailers"}, "X-Trace": {"7"}}
	if _, err := c.Forward(t.Context(), query, header, []byte(body)); err != nil {
		t.Fatal(err)
	}
	for name := range header {
		if passed := got.Get(name) != ""; passed != (name == "X-Trace") {
			t.Errorf("%s passed on: %v", name, passed)
		}
	}
	if len(header["X-Hop"]) == 0 {
		t.Error("the callback's own headers were changed")
	}
}

func TestForward_keepsItsConnection(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c, err := backend.New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 20 {
		if _, err := c.Forward(t.Context(), query, http.Header{"Connection": {"close"}}, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestForward_nobodyThere(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	c, err := backend.New("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Forward(t.Context(), query, nil, []byte(body)); err == nil || strings.Contains(err.Error(), "planted") {
		t.Errorf("error %v", err)
	}
}

func TestNew_refusesWhatIsNoAddress(t *testing.T) {
	for _, bad := range []string{"", "bot", "ftp://x/", "http://", "://"} {
		if _, err := backend.New(bad); err == nil {
			t.Errorf("New(%q) = nil error", bad)
		}
	}
}

// What a client of the sender's can read, our caller cannot: it returns the
// answer as it is.
func TestForward_asksForAnAnswerThatIsNotCompressed(t *testing.T) {
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte("\x1f\x8b\x08\x00"))
			return
		}
		if r.Header.Get(backend.Forwarded) == "" || r.Header.Get("X-Trace") != "1" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, `{"ok":1}`)
	}))
	defer bot.Close()
	c, err := backend.New(bot.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	header := http.Header{"Accept-Encoding": {"gzip, deflate"}, "X-Trace": {"1"}}
	answer, err := c.Forward(t.Context(), query, header, []byte(body))
	if err != nil || string(answer) != `{"ok":1}` {
		t.Errorf("%q, %v", answer, err)
	}
}

func TestForward_toEscalatorItself_saysSo(t *testing.T) {
	itself := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusLoopDetected) }))
	defer itself.Close()
	c, err := backend.New(itself.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Forward(t.Context(), query, nil, []byte(body)); err == nil || !strings.Contains(err.Error(), "ESCALATOR_FORWARD_URL") {
		t.Error(err)
	}
}
