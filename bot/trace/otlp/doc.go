// Package otlp records traces and sends them to an OpenTelemetry collector, as protobuf over
// HTTP. Its settings are those of OpenTelemetry's standard. New is its entry point.
//
// Invariants:
//
//   - Who ends a span never waits. Spans wait in a queue of fixed size; what finds it full
//     is dropped and counted.
//   - A collector that is away costs one line of the log when spans begin to be lost and
//     one when they arrive again, and nothing else.
//   - Close takes closeTimeout at most.
//   - What is set to be secret (the headers, a password in an address) is in no error.
//
// The spans are made by OpenTelemetry's SDK. Its exporter is not used: it brings grpc and
// a gateway along, 16 MB of program that this service never calls.
package otlp
