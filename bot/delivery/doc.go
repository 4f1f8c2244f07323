// Package delivery takes what the outbox holds to Desk, and speaks for the
// service: the courier, the attempts, the words that rules say, and what an
// operator or an agent changes about transfers that are there.
//
// Its entry points are New, Courier.Start and Courier.Stop. It knows neither
// where transfers come from nor what a conversation is: how a transfer ended it
// tells through Options.Settle.
//
// Invariants:
//
//   - One attempt of a conversation is under way at a time.
//   - After an outcome that is not known, Desk is asked for the state of the
//     session before the transfer is repeated: Desk accepts it at most once.
//   - A transfer leaves the outbox only when Desk has taken it, when nobody
//     waits for it any more, or for good, loudly, with the reason in the log.
package delivery
