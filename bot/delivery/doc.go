// Package delivery takes what the outbox holds to Desk, and speaks for the
// service: the courier, the attempts, the words that rules say, and what an
// operator or an agent changes about transfers that are there.
//
// Its entry points are New, Courier.Start and Courier.Stop. It knows neither
// where transfers come from nor what a conversation is: how a transfer ended it
// tells through Options.Settle. What an answer of Desk leads to stands in two
// tables (table.go), and nowhere else.
//
// Invariants:
//
//   - One attempt of a conversation is under way at a time.
//   - After an outcome that is not known, Desk is asked for the state of the
//     session before the transfer is repeated: Desk accepts it at most once.
//   - A transfer leaves the outbox only when Desk has taken it, when nobody
//     waits for it any more, or for good, loudly, with the reason in the log. Its
//     last line says final.
//   - What we delivered ourselves is assigned or queued, whatever came between: a
//     transfer that may have been sent is never stored as one that was not.
//   - Only calls speak for Desk: what ends without one moves neither the breaker
//     nor the hold.
//   - Where anybody may forge a request (Transfer.Unproven), those of sessions that
//     Desk does not know take a share of the calls, and keep no real one waiting.
//   - A transfer that an earlier process left is tried once, whatever its age.
package delivery
