package e2e_test

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/slim/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"escalator/bot/desk/desktest"
)

// collector plays an OpenTelemetry collector that is spoken to by OTLP over HTTP.
type collector struct {
	*httptest.Server
	mu       sync.Mutex
	status   int // of its answers
	wire     []byte
	headers  []http.Header
	spans    []*tracepb.Span
	resource map[string]string
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{status: http.StatusOK}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var request collectorpb.ExportTraceServiceRequest
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || err != nil || proto.Unmarshal(body, &request) != nil:
			t.Errorf("%s %s %s: %v", r.Method, r.URL.Path, r.Header.Get("Content-Type"), err)
			w.WriteHeader(http.StatusBadRequest)
			return
		case c.status != http.StatusOK:
			w.WriteHeader(c.status)
			return
		}
		c.wire, c.headers = append(c.wire, body...), append(c.headers, r.Header)
		for _, of := range request.GetResourceSpans() {
			c.resource = attributesOf(of.GetResource().GetAttributes())
			for _, scope := range of.GetScopeSpans() {
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func attributesOf(all []*commonpb.KeyValue) map[string]string {
	m := map[string]string{}
	for _, a := range all {
		m[a.GetKey()] = a.GetValue().GetStringValue()
	}
	return m
}

// of returns the spans of a trace in the order in which they began.
func (c *collector) of(trace string) (spans []*tracepb.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if hex.EncodeToString(s.GetTraceId()) == trace {
			spans = append(spans, s)
		}
	}
	slices.SortStableFunc(spans, func(a, b *tracepb.Span) int {
		return int(int64(a.GetStartTimeUnixNano()) - int64(b.GetStartTimeUnixNano()))
	})
	return spans
}

func (c *collector) has(trace, name string) bool {
	return slices.ContainsFunc(c.of(trace), func(s *tracepb.Span) bool { return s.GetName() == name })
}

// ways are the spans of a trace, each as the names from the first one down to it.
func ways(spans []*tracepb.Span) map[string]int {
	byID := map[string]*tracepb.Span{}
	for _, s := range spans {
		byID[string(s.GetSpanId())] = s
	}
	all := map[string]int{}
	for _, s := range spans {
		way := s.GetName()
		for above := byID[string(s.GetParentSpanId())]; above != nil; above = byID[string(above.GetParentSpanId())] {
			way = above.GetName() + " > " + way
		}
		all[way]++
	}
	return all
}

const (
	tracedRules = `version: 1
notify: {support: {wecom: {url_file: support-url}, words: true, lang: en}}
targets: {default: {group: 1, say_if_queued: "planted-speech"}}
rules:
  - {id: ask, when: {says: [human]}, then: {say: "planted-speech, one moment", transfer: default, notify: [support]}, cooldown: 1s}
`
	plantedWords  = "planted-words"
	plantedHeader = "planted-header-of-the-collector"
)

// tracing are the settings of a service with tracing on.
func tracing(c *collector) []string {
	return []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL, "OTEL_EXPORTER_OTLP_HEADERS=api-key=" + plantedHeader, "OTEL_SERVICE_NAME=handover", "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test"}
}

// One trace tells the whole story of one escalation: the callback, the decision, an attempt that Desk does not answer, a
// kill, and the attempt that succeeds. Nothing that a customer said, nothing that we said and no secret is in it.
func TestTraces_oneTellsTheWholeStory_alsoOverARestart(t *testing.T) {
	t.Parallel()
	c, room := newCollector(t), newChat(t)
	settings := append(tracing(c), "ESCALATOR_SECRETS_DIR="+room.secretsDir(t))
	s := startServiceWithRules(t, tracedRules, settings...)
	if err := s.desk.Fail(desktest.Fault{Command: "transfer_to_human", Kind: desktest.Fault502, Times: 1000}); err != nil {
		t.Fatal(err)
	}
	s.desk.Begin("s1", desktest.WithUser("customer-1"))
	s.says("s1", "a human please, "+plantedWords+" 13812345678")
	trace, _ := s.log("decision", map[string]any{"outcome": "transfer"})["trace_id"].(string)
	if trace == "" || s.log("transfer", map[string]any{"outcome": "retrying"})["trace_id"] != trace {
		t.Fatalf("the lines do not name the same trace, %q", trace)
	}
	room.wants(t, plantedWords) // the team may see it, the trace may not
	eventually(t, "the first attempt in the trace", func() bool {
		return c.has(trace, "transfer") && c.has(trace, "decision") && c.has(trace, "callback") && c.has(trace, "notify") && c.has(trace, "send_msg")
	})
	s.kill()
	printed := s.out.String()
	s.desk.ClearFaults()
	s.start(settings...)
	if line := s.log("transfer", map[string]any{"outcome": "assigned"}); line["trace_id"] != trace {
		t.Errorf("after the restart the trace is %v", line["trace_id"])
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
	printed += s.out.String()

	got := ways(c.of(trace))
	for _, want := range []string{
		"callback", "callback > decision", "callback > decision > notify", "callback > decision > transfer", "callback > decision > transfer > send_msg",
		"callback > decision > transfer > transfer_to_human", "callback > decision > transfer > get_session_state",
	} {
		if got[want] == 0 {
			t.Errorf("no %q in %v", want, got)
		}
	}
	if got["callback > decision > transfer"] < 2 || got["callback"] != 1 {
		t.Errorf("%v", got)
	}
	c.holdsNothingOf(t, plantedWords, "13812345678", "planted-speech", testToken, testKey.Reveal(), plantedKey, plantedHeader, room.URL)
	c.describesTheService(t, "handover")
	if strings.Contains(printed, plantedHeader) {
		t.Error("the log shows the collector's header")
	}
	last := attributesOf(c.of(trace)[len(c.of(trace))-1].GetAttributes())
	if last["escalator.session"] != "s1" {
		t.Errorf("the last span: %v", last)
	}
}

// holdsNothingOf looks for what must not be sent in all that was.
func (c *collector) holdsNothingOf(t *testing.T, planted ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range planted {
		if strings.Contains(string(c.wire), p) {
			t.Errorf("%q is in the traces", p)
		}
	}
	if !strings.Contains(string(c.wire), "customer-1") { // else it looks in the wrong place
		t.Error("the traces do not hold the customer's id")
	}
}

func (c *collector) describesTheService(t *testing.T, name string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.resource; r["service.name"] != name || r["service.version"] == "" || r["service.instance.id"] == "" || r["deployment.environment.name"] != "test" {
		t.Errorf("resource %v", r)
	}
	for _, h := range c.headers {
		if h.Get("api-key") != plantedHeader {
			t.Errorf("a request with the header %q", h.Get("api-key"))
		}
	}
}

// The operator's own bot is told which trace it works in, and one that a proxy began goes on.
func TestTraces_goOnWithTheProxyBefore_andTheBotBehind(t *testing.T) {
	t.Parallel()
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	c, heard := newCollector(t), make(chan http.Header, 1)
	own := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard <- r.Header
		_, _ = io.WriteString(w, `{"ActionStatus":"OK","ErrorCode":0,"AIProvider":0}`)
	}))
	t.Cleanup(own.Close)
	s := startServiceWithRules(t, tracedRules, append(tracing(c), "ESCALATOR_FORWARD_URL="+own.URL)...)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
		r.Header.Set("Tracestate", "proxy=1")
		forwardTo(t, s.url, w, r)
	}))
	t.Cleanup(proxy.Close)
	s.desk.SetCallbackURL(proxy.URL + "/callback")
	s.says("s1", "where is my parcel")
	select {
	case h := <-heard:
		if p := h.Get("Traceparent"); !strings.HasPrefix(p, "00-"+trace+"-") || strings.Contains(p, "00f067aa0ba902b7") || h.Get("Tracestate") != "proxy=1" {
			t.Errorf("the own bot got %q %q", p, h.Get("Tracestate"))
		}
	case <-time.After(soon):
		t.Fatal("the own bot was not asked")
	}
	eventually(t, "the span of the own bot", func() bool { return c.has(trace, "callback") && c.has(trace, "forward") })
	if got := ways(c.of(trace)); got["callback > forward"] != 1 || got["callback > decision"] != 1 {
		t.Errorf("%v", got)
	}
}

// forwardTo passes a request on as it is.
func forwardTo(t *testing.T, to string, w http.ResponseWriter, r *http.Request) {
	t.Helper()
	req, err := http.NewRequestWithContext(r.Context(), r.Method, to+"?"+r.URL.RawQuery, r.Body)
	if err != nil {
		t.Error(err)
		return
	}
	req.Header = r.Header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

// A collector that takes connections and never answers slows neither callbacks nor the stop.
func TestTraces_aCollectorThatHangs_slowsNothing(t *testing.T) {
	hanging := make(chan struct{})
	c := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hanging }))
	t.Cleanup(c.Close)
	t.Cleanup(func() { close(hanging) })
	s := startServiceWithRules(t, tracedRules, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_EXPORTER_OTLP_TIMEOUT=300")
	s.says("s1", "where is my parcel")
	s.log("traces do not reach their collector: spans that wait too long are dropped", nil)
	began := time.Now()
	for range 20 {
		s.says("s2", "where is my parcel")
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("20 callbacks took %s", took)
	}
	began = time.Now()
	if code := s.stop(); code != 0 || time.Since(began) > 3*time.Second {
		t.Errorf("exit %d after %s", code, time.Since(began))
	}
}
