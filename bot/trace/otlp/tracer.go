package otlp

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	otel "go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"

	"escalator/bot/trace"
)

// name is that of the service where nobody gave it one, and of what makes the spans.
const name = "escalator"

// foreignPerSecond is how many callbacks a second go on with a trace that a stranger's
// header names. Without a bound whoever reaches the callbacks could have each of them
// recorded, whatever share the operators want.
const foreignPerSecond = 100

// Tracer implements trace.Tracer.
type Tracer struct {
	tracer      otel.Tracer
	provider    *sdk.TracerProvider
	sender      *sender
	parentBased bool
	foreign     *rate.Limiter
}

// New starts to record traces.
func New(c *Config, o Options) *Tracer {
	t := &Tracer{sender: newSender(c, o), parentBased: c.parentBased, foreign: rate.NewLimiter(foreignPerSecond, foreignPerSecond)}
	t.provider = sdk.NewTracerProvider(
		sdk.WithSampler(c.sampler),
		sdk.WithResource(resourceOf(c, o)),
		sdk.WithSpanProcessor(t.sender),
		sdk.WithoutPanicRecording(), // a panic may quote what a customer wrote
	)
	t.tracer = t.provider.Tracer(name, otel.WithInstrumentationVersion(o.Version))
	return t
}

func resourceOf(c *Config, o Options) *resource.Resource {
	all := []attribute.KeyValue{
		attribute.String("telemetry.sdk.language", "go"),
		attribute.String("telemetry.sdk.name", "opentelemetry"),
		attribute.String("telemetry.sdk.version", sdkVersion),
		attribute.String("service.version", o.Version),
		attribute.String("service.instance.id", o.Instance),
	}
	for name, value := range c.attributes { // of two with one name the last one counts
		all = append(all, attribute.String(name, value))
	}
	all = append(all, attribute.String("service.name", cmp.Or(c.attributes["service.name"], name)))
	return resource.NewSchemaless(all...)
}

// Close sends what waits, if the collector takes it at once, and ends the sending.
func (t *Tracer) Close(ctx context.Context) error {
	return t.provider.Shutdown(ctx)
}

var kinds = map[trace.Kind]otel.SpanKind{trace.Internal: otel.SpanKindInternal, trace.Server: otel.SpanKindServer, trace.Client: otel.SpanKindClient}

// Start implements trace.Tracer.
func (t *Tracer) Start(ctx context.Context, name string, kind trace.Kind) (context.Context, trace.Span) {
	ctx, s := t.tracer.Start(ctx, name, otel.WithSpanKind(kinds[kind]))
	return ctx, span{s}
}

const traceparent = "traceparent"

// Under implements trace.Tracer.
func (t *Tracer) Under(ctx context.Context, parent string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceparent: parent})
}

// Received implements trace.Tracer. A header that says "not sampled" costs us nothing and is
// believed. Others are believed up to foreignPerSecond; beyond that a callback starts a trace
// of its own, with an id of ours, and the sampler decides.
func (t *Tracer) Received(ctx context.Context, header http.Header) context.Context {
	parent := header[trace.Header]
	if len(parent) != 1 {
		return ctx
	}
	under := t.Under(ctx, parent[0])
	s := otel.SpanContextFromContext(under)
	if !s.IsValid() || (s.IsSampled() || !t.parentBased) && !t.foreign.Allow() {
		return ctx
	}
	return under
}

// span implements trace.Span.
type span struct{ otel.Span }

// prefix tells our attributes from the standard's.
const prefix = name + "."

// Set implements trace.Span. Values are copied: they may be pieces of a callback's body, and
// a piece that waits in the queue would keep all of it.
func (s span) Set(pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			s.SetAttributes(attribute.String(prefix+pairs[i], strings.Clone(pairs[i+1])))
		}
	}
}

// SetInt implements trace.Span.
func (s span) SetInt(name string, value int) { s.SetAttributes(attribute.Int(prefix+name, value)) }

// Fail implements trace.Span.
func (s span) Fail(why string) { s.SetStatus(codes.Error, why) }

// End implements trace.Span.
func (s span) End() { s.Span.End() }

// Traceparent implements trace.Span.
func (s span) Traceparent() string {
	out := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(otel.ContextWithSpan(context.Background(), s.Span), out)
	return out[traceparent]
}
