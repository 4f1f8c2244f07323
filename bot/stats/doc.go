// Package stats counts what the rules did in the last day: messages, outcomes, and what
// each rule did, by time.
//
// Its one entry point is New. Bot calls Add for every turn, the API Report.
//
// Invariants:
//
//   - Add is on the way of a callback: it takes one lock, never waits for anything else, and
//     allocates only for a rule that was not counted before.
//   - Memory is bounded: two rings for each thing that is counted, of minutes and of half
//     hours, and at most maxRules rules.
//   - Steps begin at whole minutes and half hours of UTC, so that two reports agree.
package stats
