// Package handlers is the HTTP side of the service, on Gin: a public listener
// for Tencent's callbacks and an operators' listener for health, metrics and
// the API. All routes stand in two tables (routes.go), each with its auth.
//
// Invariants:
//
//   - A callback is authenticated before its body is read; a body is bounded
//     before it is read and checked before it is looked at.
//   - Everything that we accept is answered with HTTP 200 and JSON in Tencent's
//     form, because anything else makes Tencent send it again.
//   - Nothing on the operators' listener but the two health checks is open
//     where a token is set, and the listener is closed to others without one.
//     A page of another site gets nowhere, with or without a token (operators.go).
//   - No query string, header or body of a stranger reaches the log.
package handlers
