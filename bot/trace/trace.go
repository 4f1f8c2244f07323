// Package trace is how the bot reports what it does for a callback, and how long each part
// takes, to a tracing system.
//
// Invariants:
//
//   - A span holds identifiers as the log has them, and never a word of a customer's, a
//     text of Desk's or a secret.
//   - Off costs nothing: no allocation, no clock, no lock. What has to be computed for a
//     span is computed after IsRecording.
//   - Whoever begins or ends a span never waits for the tracing system.
//
// Package otlp has the Tracer that sends spans to an OpenTelemetry collector.
package trace

import (
	"context"
	"net/http"
)

// Kind says on which side of a call a span is.
type Kind uint8

// The kinds of spans.
const (
	Internal Kind = iota // work of our own
	Server               // somebody waits for our answer
	Client               // we wait for somebody's answer
)

// Tracer begins spans. Off is the one that records nothing.
type Tracer interface {
	// Start begins a span beneath the one that ctx carries, or a trace of its own. Spans
	// that begin with the ctx that it returns are beneath the new one.
	Start(ctx context.Context, name string, kind Kind) (context.Context, Span)
	// Under returns a ctx whose spans are beneath the one with this traceparent, which may
	// be of an earlier process. One that says nothing leaves ctx as it is.
	Under(ctx context.Context, traceparent string) context.Context
	// Received is Under for what a stranger's request says. It is believed within bounds.
	Received(ctx context.Context, header http.Header) context.Context
}

// Span is one piece of work.
type Span interface {
	// IsRecording reports whether anybody will see what is set.
	IsRecording() bool
	// Set adds attributes, as pairs of name and value. A value "" is left out.
	Set(pairs ...string)
	// SetInt adds a number.
	SetInt(name string, value int)
	// Fail says in a few fixed words what went wrong.
	Fail(why string)
	// End ends the span.
	End()
	// Traceparent names the span in the form of W3C, for what goes on elsewhere or later;
	// "": tracing is off.
	Traceparent() string
}

// Off records nothing.
type Off struct{}

// Start implements Tracer.
func (Off) Start(ctx context.Context, _ string, _ Kind) (context.Context, Span) { return ctx, None{} }

// Under implements Tracer.
func (Off) Under(ctx context.Context, _ string) context.Context { return ctx }

// Received implements Tracer.
func (Off) Received(ctx context.Context, _ http.Header) context.Context { return ctx }

// None is the span of which nobody wants to know.
type None struct{}

// IsRecording implements Span.
func (None) IsRecording() bool { return false }

// Set implements Span.
func (None) Set(...string) {}

// SetInt implements Span.
func (None) SetInt(string, int) {}

// Fail implements Span.
func (None) Fail(string) {}

// End implements Span.
func (None) End() {}

// Traceparent implements Span.
func (None) Traceparent() string { return "" }

// The places of the parts of a traceparent: "00-<32 hex digits>-<16>-<2>".
const (
	idAt, idEnd = 3, 3 + 32
	flagsAt     = idEnd + 1 + 16 + 1
)

// ID is the trace id of a traceparent of ours; "": there is none, or the trace is not
// sampled.
func ID(traceparent string) string {
	if len(traceparent) != flagsAt+2 || traceparent[flagsAt+1]&1 == 0 {
		return ""
	}
	return traceparent[idAt:idEnd]
}

// The headers of W3C's trace context, as net/http writes them.
const (
	Header = "Traceparent"
	state  = "Tracestate"
)

// Onward returns the header of a request that goes on with a span: a copy that names it.
// What others wrote about a trace that we have not gone on with is left out.
func Onward(s Span, header http.Header) http.Header {
	here := s.Traceparent()
	if here == "" {
		return header
	}
	header = header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if before := header.Get(Header); len(before) < idEnd || before[idAt:idEnd] != here[idAt:idEnd] {
		header.Del(state)
	}
	header.Set(Header, here)
	return header
}
