// Package rules is the rule language of Escalator and its meaning: a file becomes a Policy, and a Policy decides about
// each turn of a Conversation.
//
// Invariants:
//
//   - Pure. No I/O, no clock, no logger, no goroutine: a Turn brings its own time, so the service, the tests of a file,
//     explain, replay and the benchmarks run the same code in real or virtual time.
//   - Load never panics and reports everything that is wrong at once, each problem with its place and a way out.
//   - The language is declared once, in shapes beside the code that reads them; a condition is one file, named after it
//     (condition.go). The validator, its hints, the JSON Schema and the table of docs/rules.md are derived from that.
//   - A Policy is immutable and safe for concurrent use. A Conversation belongs to one goroutine at a time.
//   - A turn is first counted (count.go), then rules are tried (decide.go). Trying changes nothing, so rules can be
//     tried again to explain them.
//   - What is remembered is bounded by the file: rings of at most 16 stamps, windows no longer than session_ttl. It is
//     kept by rule id, so it survives a reload of the file.
//   - A turn on which nothing fires allocates nothing.
//
// Entry points: Load, Policy.Decide and Policy.Explain, Policy.Settle, Conversation.Observe, Schema.
package rules
