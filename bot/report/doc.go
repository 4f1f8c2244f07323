// Package report says what became of the customers whom the rules called a person for:
// facts of conversations (recorded callbacks, or the history), joined with Desk's own
// records of sessions by the session's id.
//
// Its entry points are Gathering, which takes facts and records in any order, and Live,
// which reports on the running service.
//
// Invariants:
//
//   - A session counts once: in the period in which it began, for the rule that called a
//     person last in it.
//   - What nobody told is unknown. A figure is never 0 while a session that might be in it
//     is unknown (docs/tune.md says what each figure means).
//   - Everything is bounded: sessions, records, time.
package report
