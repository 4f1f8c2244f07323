package otlp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/sirupsen/logrus/hooks/test"
	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"escalator/bot/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a tracer and a collector in virtual time.
type world struct {
	*Tracer
	t   *testing.T
	log *test.Hook

	mu      sync.Mutex
	answer  func(r *http.Request) (*http.Response, error)
	asked   int
	arrived int // spans that were taken
	dropped int
}

// inWorld runs a test with a collector that takes everything at first.
func inWorld(t *testing.T, sampler, share string, run func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c, problems := (&Settings{Endpoint: "http://collector:4318", Sampler: sampler, SamplerArg: share}).Read()
		if problems != nil {
			t.Fatal(problems)
		}
		log, hook := test.NewNullLogger()
		w := &world{t: t, log: hook, answer: status(http.StatusOK, "", nil)}
		w.Tracer = New(c, Options{Version: "1", Instance: "i", Log: log, Dropped: func(spans int) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.dropped += spans
		}})
		w.sender.http.Transport = w
		run(w)
		_ = w.Close(t.Context())
	})
}

// RoundTrip implements http.RoundTripper.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	var request collector.ExportTraceServiceRequest
	if err = errors.Join(err, proto.Unmarshal(body, &request)); err != nil {
		w.t.Error(err)
	}
	w.mu.Lock()
	w.asked++
	answer := w.answer
	w.mu.Unlock()
	resp, err := answer(r)
	if err == nil && resp.StatusCode == http.StatusOK {
		w.mu.Lock()
		w.arrived += len(request.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans())
		w.mu.Unlock()
	}
	return resp, err
}

func (w *world) answers(how func(r *http.Request) (*http.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = how
}

func status(code int, body string, header http.Header) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: code, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func away(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

// spans starts and ends so many spans, and fails if one of them takes time.
func (w *world) spans(n int) {
	w.t.Helper()
	began := time.Now()
	for range n {
		_, s := w.Start(context.Background(), "callback", trace.Server)
		s.End()
	}
	if took := time.Since(began); took != 0 {
		w.t.Errorf("%d spans took %s", n, took)
	}
}

// passes lets time pass.
func (w *world) passes(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// want compares what has become of the spans.
func (w *world) want(arrived, dropped int) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.arrived != arrived || w.dropped != dropped {
		w.t.Errorf("%d arrived, %d dropped; want %d and %d", w.arrived, w.dropped, arrived, dropped)
	}
}

func (w *world) wantLines(want ...string) {
	w.t.Helper()
	var got []string
	for _, e := range w.log.AllEntries() {
		got = append(got, e.Message)
		if e.Level != logrus.WarnLevel || e.Data["collector"] != "collector:4318" {
			w.t.Errorf("%s: %s %v", e.Message, e.Level, e.Data)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		w.t.Errorf("the log has %q, want %q", got, want)
	}
}

const (
	lineLost  = "traces do not reach their collector: spans that wait too long are dropped"
	lineAgain = "traces reach their collector again"
)

func TestSender_sendsWhatEnded_withinTwoSeconds(t *testing.T) {
	inWorld(t, "", "", func(w *world) {
		w.spans(3)
		w.passes(batchEvery)
		w.want(3, 0)
		w.spans(maxBatch) // a full batch waits for nothing
		w.passes(0)
		w.want(3+maxBatch, 0)
		w.wantLines()
	})
}

// Whatever the collector does: who ends a span does not wait, what is lost is counted, and the log has one line when it
// begins and one when it is over.
func TestSender_aCollectorThatFails_costsTwoLines(t *testing.T) {
	for name, fault := range map[string]func(*http.Request) (*http.Response, error){
		"away": away, "hangs": hang, "busy": status(http.StatusServiceUnavailable, "", nil), "refuses": status(http.StatusForbidden, "", nil),
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, "", "", func(w *world) {
				w.answers(fault)
				for range 60 {
					w.spans(100)
					w.passes(10 * time.Second)
				}
				w.wantLines(lineLost)
				w.answers(status(http.StatusOK, "", nil))
				w.passes(10 * time.Minute)
				w.mu.Lock()
				dropped, arrived := w.dropped, w.arrived
				w.mu.Unlock()
				if dropped == 0 || arrived+dropped != 6000 {
					t.Errorf("%d arrived, %d dropped", arrived, dropped)
				}
				w.spans(1)
				w.passes(batchEvery)
				w.want(arrived+1, dropped)
				w.wantLines(lineLost, lineAgain)
				if last := w.log.LastEntry(); last.Data["dropped"] != int64(dropped) {
					t.Errorf("the log says %v of %d dropped spans", last.Data["dropped"], dropped)
				}
			})
		})
	}
}

func TestSender_aFlood_isDroppedAndCounted(t *testing.T) {
	inWorld(t, "", "", func(w *world) {
		w.answers(hang)
		w.spans(maxBatch)
		w.passes(0) // they are on the wire
		w.spans(maxQueue + 7)
		w.want(0, 7)
	})
}

func TestSender_whatIsRefusedForGood_isNotSentAgain_andWhatIsBusyIs(t *testing.T) {
	inWorld(t, "", "", func(w *world) {
		w.answers(status(http.StatusBadRequest, "", nil))
		w.spans(2)
		w.passes(time.Hour)
		w.want(0, 2)
		if w.asked != 1 {
			t.Errorf("asked %d times", w.asked)
		}
		w.answers(status(http.StatusTooManyRequests, "", http.Header{"Retry-After": {"30"}}))
		w.spans(2)
		w.passes(batchEvery + 29*time.Second)
		if w.asked != 2 {
			t.Errorf("asked %d times before the time that the collector asked for", w.asked)
		}
		w.answers(status(http.StatusOK, "", nil))
		w.passes(time.Minute)
		w.want(2, 2)
	})
}

func TestSender_spansThatTheCollectorRejects_countAsDropped(t *testing.T) {
	inWorld(t, "", "", func(w *world) {
		answer, err := proto.Marshal(&collector.ExportTraceServiceResponse{PartialSuccess: &collector.ExportTracePartialSuccess{RejectedSpans: 2, ErrorMessage: "x"}})
		if err != nil {
			t.Fatal(err)
		}
		w.answers(status(http.StatusOK, string(answer), nil))
		w.spans(5)
		w.passes(batchEvery)
		w.want(5, 2)
		w.wantLines(lineLost)
	})
}

// A stop sends what waits; a collector that hangs holds it up for half a second, and one that is known to fail not at all.
func TestClose_waitsForTheCollector_butNotLong(t *testing.T) {
	for _, c := range []struct {
		name             string
		before, while    func(*http.Request) (*http.Response, error)
		longest          time.Duration
		arrived, dropped int
	}{
		{"takes", nil, status(http.StatusOK, "", nil), 0, maxBatch + 3, 0},
		{"hangs", nil, hang, closeTimeout, 0, maxBatch + 3},
		{"failed before", away, hang, 0, 0, maxBatch + 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, "", "", func(w *world) {
				if c.before != nil {
					w.answers(c.before)
					w.spans(1)
					w.passes(batchEvery)
				}
				w.answers(c.while)
				w.spans(maxBatch + 3)
				began := time.Now()
				_ = w.Close(w.t.Context())
				if took := time.Since(began); took > c.longest {
					t.Errorf("it took %s", took)
				}
				w.want(c.arrived, c.dropped)
				w.spans(1) // one that ends later does no harm
			})
		})
	}
}
