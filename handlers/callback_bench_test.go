package handlers_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot"
	"escalator/bot/backend"
	"escalator/bot/desk"
	"escalator/bot/history"
	"escalator/bot/mask"
	"escalator/bot/metrics"
	"escalator/bot/store/memory"
	"escalator/handlers"
	"escalator/rules"
)

const (
	benchApp   = 1400000000
	benchToken = "bench-token"
	benchRules = `
version: 1
targets: {default: {}}
rules:
  - {id: ask-human, when: {says: [$ask_human]}, then: {transfer: default}}
  - {id: bot-stuck, when: {bot_missed: {times: 3, within: 15m}}, then: {transfer: default}}
`
)

// noDesk is never called: the courier does not run.
type noDesk struct{ bot.Desk }

// newService makes the whole way of a message but the courier, with a bot
// behind it if own is not nil.
func newService(tb testing.TB, own bot.Backend) *handlers.Server {
	tb.Helper()
	return newServiceWith(tb, own, nil)
}

// newHistory opens a history in a folder of the test's own.
func newHistory(tb testing.TB) *history.History {
	tb.Helper()
	h, err := history.Open(history.Options{Dir: tb.TempDir(), Mask: mask.Masked, For: 72 * time.Hour, Max: 1 << 30, Log: logrus.New()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(h.Close)
	return h
}

func newServiceWith(tb testing.TB, own bot.Backend, kept *history.History) *handlers.Server {
	tb.Helper()
	policy, report := rules.Load([]byte(benchRules), rules.LoadOptions{})
	if policy == nil {
		tb.Fatalf("rules: %+v", report.Errors)
	}
	log := logrus.New()
	log.SetOutput(io.Discard)
	registry := prometheus.NewRegistry()
	outbox := memory.NewOutbox(nil)
	b := bot.New(bot.Options{
		Policy: policy, Desk: noDesk{}, Backend: own, History: kept, Outbox: outbox, Horizon: time.Minute, LogText: mask.Masked, Log: log,
		Dedup: memory.NewDedup(memory.DedupOptions{Keep: 10 * time.Minute, Max: 2_000_000}),
		Conversations: memory.NewConversations(memory.ConversationsOptions{
			Outbox: outbox, Max: 1_000_000, Expires: policy.Expiry,
		}),
		Metrics: metrics.New(registry),
	})
	return handlers.New(handlers.Options{
		Bot: b, SDKAppID: benchApp, CallbackPath: "/callback",
		Verifier: desk.NewVerifier([]desk.Secret{benchToken}, time.Hour), Log: log, Registry: registry,
		NotReady: func() []string { return nil },
	})
}

// bareGin is the least that a Gin handler can do with a callback: read it within
// the same bound and answer a constant.
func bareGin() http.Handler {
	e := gin.New()
	answer := []byte(`{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","AIProvider":1}`)
	e.POST("/callback", func(c *gin.Context) {
		if _, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, 1<<20)); err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		c.Data(http.StatusOK, "application/json", answer)
	})
	return e
}

// BenchmarkCallback compares, over real connections on loopback, a bare Gin
// handler with ours for a message that does not escalate, without and with the history
// of conversations. The ratios are those of the lines. Run it with: make microbench
// BENCH=Callback.
func BenchmarkCallback(b *testing.B) {
	for _, side := range []struct {
		name    string
		handler http.Handler
	}{{"floor", bareGin()}, {"ours", newService(b, nil).Public()}, {"with history", newServiceWith(b, nil, newHistory(b)).Public()}} {
		b.Run(side.name, func(b *testing.B) { benchmarkHTTP(b, side.handler, 32) })
	}
}

// BenchmarkForward compares a small bot asked directly, through the standard library's
// proxy, and through us: the ratios of the lines over many connections, and the
// difference of their medians over one, are what each costs. Client, bot and proxy
// share the processors. Run it with: make microbench BENCH=Forward.
func BenchmarkForward(b *testing.B) {
	server := httptest.NewServer(bareGin())
	defer server.Close()
	own, err := backend.New(server.URL + "/callback")
	if err != nil {
		b.Fatal(err)
	}
	defer own.Close()
	address, err := url.Parse(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	kept := &http.Transport{MaxIdleConnsPerHost: 256}
	defer kept.CloseIdleConnections()
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(address) }, Transport: kept}
	for _, connections := range []int{1, 64} {
		for _, way := range []struct {
			name    string
			handler http.Handler
		}{{"direct", bareGin()}, {"ReverseProxy", proxy}, {"through", newService(b, own).Public()}} {
			b.Run(fmt.Sprintf("%s/connections=%d", way.name, connections), func(b *testing.B) { benchmarkHTTP(b, way.handler, connections) })
		}
	}
}

// benchmarkHTTP asks a handler over loopback, over so many connections, and
// reports the median of the answers' times.
func benchmarkHTTP(b *testing.B, h http.Handler, connections int) {
	listener, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()

	stamp := fmt.Sprint(time.Now().Unix())
	base := fmt.Sprintf("http://%s/callback?SdkAppid=%d&CallbackCommand=%s&contenttype=json&ClientIP=127.0.0.1&OptPlatform=RESTAPI&RequestTime=%s&Sign=%s&RequestID=",
		listener.Addr(), benchApp, desk.CommandSessionEvent, stamp, desk.Sign(benchToken, stamp))
	var n atomic.Int64
	ask := func(client *http.Client) time.Duration {
		i := n.Add(1)
		began := time.Now()
		resp, err := client.Post(fmt.Sprint(base, i), "application/json", strings.NewReader(benchBody(i)))
		if err != nil {
			b.Error(err)
			return 0
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			b.Errorf("status %d", resp.StatusCode)
		}
		return time.Since(began)
	}
	b.ReportAllocs()
	b.ReportMetric(float64(median(askAll(b, ask, connections)).Microseconds()), "p50-us")
}

// askAll asks over so many connections side by side until the benchmark has
// enough, and returns how long each answer took.
func askAll(b *testing.B, ask func(*http.Client) time.Duration, connections int) (all []time.Duration) {
	var mu sync.Mutex
	var work sync.WaitGroup
	left := atomic.Int64{}
	left.Store(int64(b.N))
	b.ResetTimer()
	for range connections {
		work.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			var took []time.Duration
			for left.Add(-1) >= 0 {
				took = append(took, ask(client))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
		})
	}
	work.Wait()
	b.StopTimer()
	return all
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// benchBody is a callback of about 500 bytes, as Desk sends them.
func benchBody(i int64) string {
	return fmt.Sprintf(`{"CallbackCommand":"Desk.SessionEventNotify","SessionId":"2baf4d84-beb4-4607-a1ea-%012d","Event":"ChatBot.UserSendMsg",`+
		`"EventTime":1725540020017,"ChannelType":"SDK","ClientUserId":"user-%d","CustomerServiceId":"@customer_service_account",`+
		`"MsgKey":"152_1600012345_%d","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"我的快递什么时候能到，已经等了三天了 where is my parcel"}}],`+
		`"CloudCustomData":"","IsContactUser":false,"ForwardFromAgentId":""}`, i%10000, i%10000, i)
}
