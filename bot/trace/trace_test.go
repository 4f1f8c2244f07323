package trace_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/trace"
)

// named is a span with a traceparent.
type named struct {
	trace.None
	traceparent string
}

func (n named) Traceparent() string { return n.traceparent }

const (
	id   = "4bf92f3577b34da6a3ce929d0e0e4736"
	here = "00-" + id + "-00f067aa0ba902b7-01"
)

func TestID_isThatOfATraceThatIsRecorded(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "x": "", here: id, "00-" + id + "-00f067aa0ba902b7-00": "", "00-" + id + "-00f067aa0ba902b7-03": id, "00-" + id + "-00f067aa0ba902b7-02": "", here + "-x": "",
	} {
		if got := trace.ID(in); got != want {
			t.Errorf("ID(%q) = %q, want %q", in, got, want)
		}
	}
}

// What others wrote about a trace goes on with that trace only.
func TestOnward_namesTheSpan_andLeavesTheRest(t *testing.T) {
	for _, c := range []struct {
		span     trace.Span
		in, want http.Header
	}{
		{trace.None{}, http.Header{"A": {"1"}, "Traceparent": {"x"}, "Tracestate": {"s=1"}}, http.Header{"A": {"1"}, "Traceparent": {"x"}, "Tracestate": {"s=1"}}},
		{named{traceparent: here}, nil, http.Header{"Traceparent": {here}}},
		{named{traceparent: here}, http.Header{"Traceparent": {"00-" + id + "-1111111111111111-01"}, "Tracestate": {"s=1"}}, http.Header{"Traceparent": {here}, "Tracestate": {"s=1"}}},
		{named{traceparent: here}, http.Header{"A": {"1"}, "Traceparent": {"00-ffffffffffffffffffffffffffffffff-1111111111111111-01"}, "Tracestate": {"s=1"}}, http.Header{"A": {"1"}, "Traceparent": {here}}},
		{named{traceparent: here}, http.Header{"Tracestate": {"s=1"}}, http.Header{"Traceparent": {here}}},
	} {
		before := c.in.Clone()
		if diff := cmp.Diff(c.want, trace.Onward(c.span, c.in)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(before, c.in); diff != "" {
			t.Errorf("the request's own header was changed: %s", diff)
		}
	}
}

func TestOff_allocatesNothing(t *testing.T) {
	var tracer trace.Tracer = trace.Off{}
	header, ctx := http.Header{"Traceparent": {here}}, t.Context()
	n := testing.AllocsPerRun(100, func() {
		ctx, span := tracer.Start(tracer.Received(ctx, header), "callback", trace.Server)
		if span.IsRecording() {
			span.Set("session", header.Get("x"))
		}
		_ = trace.Onward(span, header)
		_ = trace.ID(span.Traceparent())
		_ = tracer.Under(ctx, "")
		span.End()
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
