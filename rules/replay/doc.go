// Package replay plays conversations of the past through rules, in virtual
// time, and tells what another rule file would have done.
//
// It runs the very code that serves customers (Policy.Decide, Settle, Observe,
// NextTimer) and knows nothing of where the conversations come from: the caller
// gives events in the order in which they happened. A transfer is taken to have
// ended at once, with an agent, unless an event says otherwise.
//
// Invariants:
//
//   - The same events and the same rules give the same result.
//   - What is kept grows with the number of conversations and of decisions that
//     did something, not with the number of turns.
package replay
