package otlp

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	otelsdk "go.opentelemetry.io/otel/sdk"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	otel "go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	res "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	wire "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// sdkVersion is that of the SDK that makes the spans.
var sdkVersion = otelsdk.Version()

// encode writes spans of one resource and scope, which all of ours are.
func encode(batch []sdk.ReadOnlySpan) ([]byte, error) {
	first := batch[0]
	spans := make([]*wire.Span, 0, len(batch))
	for _, s := range batch {
		spans = append(spans, encodeSpan(s))
	}
	return proto.Marshal(&collector.ExportTraceServiceRequest{ResourceSpans: []*wire.ResourceSpans{{
		Resource: &res.Resource{Attributes: attributes(first.Resource().Attributes())},
		ScopeSpans: []*wire.ScopeSpans{{
			Scope: &common.InstrumentationScope{Name: first.InstrumentationScope().Name, Version: first.InstrumentationScope().Version},
			Spans: spans,
		}},
	}}})
}

func encodeSpan(s sdk.ReadOnlySpan) *wire.Span {
	here, parent := s.SpanContext(), s.Parent()
	id, spanID := here.TraceID(), here.SpanID()
	out := &wire.Span{
		TraceId: id[:], SpanId: spanID[:], Name: s.Name(), Kind: wireKinds[s.SpanKind()], Flags: flags(here.TraceFlags(), parent),
		StartTimeUnixNano: uint64(s.StartTime().UnixNano()), EndTimeUnixNano: uint64(s.EndTime().UnixNano()),
		Attributes: attributes(s.Attributes()), DroppedAttributesCount: uint32(s.DroppedAttributes()),
	}
	if above := parent.SpanID(); above.IsValid() {
		out.ParentSpanId = above[:]
	}
	if s.Status().Code == codes.Error {
		out.Status = &wire.Status{Code: wire.Status_STATUS_CODE_ERROR, Message: s.Status().Description}
	}
	return out
}

var wireKinds = map[otel.SpanKind]wire.Span_SpanKind{
	otel.SpanKindInternal: wire.Span_SPAN_KIND_INTERNAL,
	otel.SpanKindServer:   wire.Span_SPAN_KIND_SERVER,
	otel.SpanKindClient:   wire.Span_SPAN_KIND_CLIENT,
}

// flags are those of W3C, and whether the parent is of another process.
func flags(own otel.TraceFlags, parent otel.SpanContext) uint32 {
	all := uint32(own) | uint32(wire.SpanFlags_SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK)
	if parent.IsRemote() {
		all |= uint32(wire.SpanFlags_SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK)
	}
	return all
}

// attributes writes texts and numbers: there are no others.
func attributes(all []attribute.KeyValue) []*common.KeyValue {
	out := make([]*common.KeyValue, 0, len(all))
	for _, a := range all {
		v := &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: a.Value.String()}}
		if a.Value.Type() == attribute.INT64 {
			v.Value = &common.AnyValue_IntValue{IntValue: a.Value.AsInt64()}
		}
		out = append(out, &common.KeyValue{Key: string(a.Key), Value: v})
	}
	return out
}
