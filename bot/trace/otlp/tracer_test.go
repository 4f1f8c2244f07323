package otlp

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unsafe"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"escalator/bot/trace"
)

const foreignTrace = "4bf92f3577b34da6a3ce929d0e0e4736"

func from(flags string) http.Header {
	return http.Header{trace.Header: {"00-" + foreignTrace + "-00f067aa0ba902b7-" + flags}, "Tracestate": {"a=1"}}
}

// traceOf is the trace that a callback with these headers is in, and whether it is recorded.
func (w *world) traceOf(h http.Header) (id string, recorded bool) {
	_, s := w.Start(w.Received(context.Background(), h), "callback", trace.Server)
	defer s.End()
	return strings.Split(s.Traceparent(), "-")[1], s.IsRecording()
}

// Whoever reaches the callbacks may send the header: it must not have more recorded than the operators want.
func TestReceived_aStrangersSampling_isBounded(t *testing.T) {
	for _, sampler := range []string{"parentbased_traceidratio", "traceidratio"} {
		inWorld(t, sampler, "0", func(w *world) {
			recorded, theirs := 0, 0
			for range 10 * foreignPerSecond {
				id, yes := w.traceOf(from("01"))
				if yes {
					recorded++
				}
				if id == foreignTrace {
					theirs++
				}
			}
			if theirs != foreignPerSecond || recorded > foreignPerSecond {
				t.Errorf("%s: of 1000 callbacks at once %d are in the stranger's trace, %d are recorded", sampler, theirs, recorded)
			}
			w.passes(time.Second)
			if id, _ := w.traceOf(from("01")); id != foreignTrace {
				t.Errorf("%s: a second later the header is not believed", sampler)
			}
		})
	}
}

// A proxy that samples one in a hundred sends "not sampled" with the others.
func TestReceived_notSampled_isBelieved(t *testing.T) {
	inWorld(t, "parentbased_always_on", "", func(w *world) {
		for range 10 * foreignPerSecond {
			if id, recorded := w.traceOf(from("00")); recorded || id != foreignTrace {
				t.Fatalf("%s is recorded: %v", id, recorded)
			}
		}
	})
}

func TestReceived_whatIsNoTraceparent_countsForNothing(t *testing.T) {
	inWorld(t, "", "", func(w *world) {
		for _, h := range []http.Header{
			nil,
			{},
			{trace.Header: {}},
			{trace.Header: {""}},
			{trace.Header: {"x"}},
			{trace.Header: {from("01").Get(trace.Header), from("01").Get(trace.Header)}},
			from("zz"),
			{trace.Header: {"00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01"}},
			{trace.Header: {strings.Repeat("a", 1<<16)}},
		} {
			if id, recorded := w.traceOf(h); id == foreignTrace || !recorded {
				t.Errorf("%.80v: %s %v", h, id, recorded)
			}
		}
	})
}

func TestSampler_aShare_isRecorded(t *testing.T) {
	inWorld(t, "traceidratio", "0.25", func(w *world) {
		recorded := 0
		for range 4000 {
			if _, yes := w.traceOf(nil); yes {
				recorded++
			}
		}
		if recorded < 800 || recorded > 1200 {
			t.Errorf("%d of 4000", recorded)
		}
	})
}

// What is stored with a transfer leads to the same trace in another process.
func TestUnder_aTraceparentOfAnEarlierProcess_isGoneOnWith(t *testing.T) {
	for _, sampler := range []string{"always_on", "parentbased_always_off"} {
		var stored string
		inWorld(t, sampler, "", func(w *world) {
			_, s := w.Start(w.t.Context(), "decision", trace.Internal)
			stored = s.Traceparent()
			s.End()
		})
		inWorld(t, sampler, "", func(w *world) {
			_, s := w.Start(w.Under(w.t.Context(), stored), "transfer", trace.Internal)
			defer s.End()
			if s.Traceparent()[:36] != stored[:36] || trace.ID(s.Traceparent()) != trace.ID(stored) || s.IsRecording() != (trace.ID(stored) != "") {
				t.Errorf("%s: %s after %s", sampler, s.Traceparent(), stored)
			}
		})
	}
}

// A session id is a piece of a body of up to 1 MiB, and 2,048 spans may wait.
func TestSet_keepsACopy(t *testing.T) {
	inWorld(t, "", "", func(w *world) {
		body := strings.Repeat("x", 1<<10)
		_, s := w.Start(w.t.Context(), "callback", trace.Server)
		defer s.End()
		s.Set("session", body[:10])
		for _, a := range s.(span).Span.(sdk.ReadOnlySpan).Attributes() {
			if kept := a.Value.AsString(); unsafe.StringData(kept) == unsafe.StringData(body) || kept != "xxxxxxxxxx" {
				t.Errorf("%s is a piece of the body", a.Key)
			}
		}
	})
}

func TestSettings_read(t *testing.T) {
	const at = "http://127.0.0.1:4318"
	for _, c := range []struct {
		set  Settings
		want string // the address, or the problem; "": off
	}{
		{Settings{}, ""},
		{Settings{Endpoint: at}, at + "/v1/traces"},
		{Settings{Endpoint: at + "/otlp/"}, at + "/otlp/v1/traces"},
		{Settings{Endpoint: at, TracesEndpoint: "https://c.example/x"}, "https://c.example/x"},
		{Settings{Endpoint: at, Disabled: "true"}, ""},
		{Settings{Endpoint: at, Disabled: "TRUE", Protocol: "grpc"}, ""},
		{Settings{Endpoint: at, Exporter: "none", Sampler: "xray"}, ""},
		{Settings{Protocol: "grpc", Sampler: "xray"}, ""}, // the platform sets them for all
		{Settings{Endpoint: at, Disabled: "yes"}, `OTEL_SDK_DISABLED: "yes" is neither true nor false`},
		{Settings{Exporter: "jaeger"}, `OTEL_TRACES_EXPORTER: "jaeger" is none of otlp, none`},
		{Settings{Endpoint: "127.0.0.1:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT: it is not an address like http://127.0.0.1:4318"},
		{Settings{TracesEndpoint: "grpc://x"}, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: it is not an address like http://127.0.0.1:4318"},
		{Settings{Endpoint: "http://u:secret@c"}, "OTEL_EXPORTER_OTLP_ENDPOINT: only scheme, host, port and path belong here; credentials go into OTEL_EXPORTER_OTLP_HEADERS"},
		{Settings{Endpoint: at, Protocol: "grpc"}, `OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" is not supported, only http/protobuf, which collectors accept on port 4318`},
		{Settings{Endpoint: at, Timeout: "10s"}, `OTEL_EXPORTER_OTLP_TIMEOUT: "10s" is not a number of milliseconds like 10000`},
		{Settings{Endpoint: at, Headers: "secret"}, "OTEL_EXPORTER_OTLP_HEADERS: it is not of the form name=value,name=value, the values percent-encoded (it is not shown)"},
		{Settings{Endpoint: at, Headers: "a=secret%0d%0ab"}, "OTEL_EXPORTER_OTLP_HEADERS: it is not of the form name=value,name=value, the values percent-encoded (it is not shown)"},
		{Settings{Endpoint: at, Attributes: "a"}, "OTEL_RESOURCE_ATTRIBUTES: it is not of the form name=value,name=value, the values percent-encoded"},
		{Settings{Endpoint: at, Sampler: "xray"}, `OTEL_TRACES_SAMPLER: "xray" is none of always_off, always_on, parentbased_always_off, parentbased_always_on, parentbased_traceidratio, traceidratio`},
		{Settings{Endpoint: at, Sampler: "traceidratio", SamplerArg: "10%"}, `OTEL_TRACES_SAMPLER: OTEL_TRACES_SAMPLER_ARG: "10%" is not a share of the traces between 0 and 1, like 0.1`},
		{Settings{Endpoint: at, Sampler: "traceidratio", SamplerArg: "NaN"}, `OTEL_TRACES_SAMPLER: OTEL_TRACES_SAMPLER_ARG: "NaN" is not a share of the traces between 0 and 1, like 0.1`},
		{Settings{Endpoint: at, Sampler: "always_on", SamplerArg: "x"}, at + "/v1/traces"}, // it has no argument
	} {
		config, problems := c.set.Read()
		got := ""
		if config != nil {
			got = config.url
		}
		for _, p := range problems {
			got += p.String()
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", c.set, got, c.want)
		}
		if strings.Contains(got, "secret") {
			t.Errorf("a secret is shown: %s", got)
		}
	}
}

func TestSettings_allProblems_atOnce(t *testing.T) {
	_, problems := (&Settings{Endpoint: "x", Protocol: "grpc", Timeout: "0", Sampler: "x", Headers: "x", Attributes: "x"}).Read()
	if len(problems) != 6 {
		t.Errorf("%d: %v", len(problems), problems)
	}
}

func TestSettings_headersAndAttributes_areDecoded(t *testing.T) {
	config, problems := (&Settings{Endpoint: "http://c", Headers: "Authorization=Basic%20eA==,x-a = b", Attributes: "service.name=n,a=%E4%BC%9A", ServiceName: "desk"}).Read()
	if problems != nil {
		t.Fatal(problems)
	}
	if got := fmt.Sprint(config.header, config.attributes); got != "map[Authorization:[Basic eA==] X-A:[b]] map[a:会 service.name:desk]" {
		t.Error(got)
	}
}
