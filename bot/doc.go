// Package bot is what the service does with a callback: remember it, count it
// into its conversation, let the rules decide, keep the transfer that is due,
// answer, and deliver the transfer to Desk in the background.
//
// Its one entry point is Bot.Handle; Start and Stop run the courier, which
// delivers.
//
// Invariants:
//
//   - A callback is worked on once; a repeat gets the first answer.
//   - A conversation is changed by one goroutine at a time.
//   - A transfer is in the outbox before the callback that led to it is
//     answered; if it cannot be stored, nothing of the callback is kept and the
//     sender is told to try again (ErrUnavailable).
//   - Nothing calls Desk while a conversation is locked.
//   - After an outcome that is not known, Desk is asked for the state of the
//     session before the transfer is repeated: Desk accepts it at most once.
//   - Customers' words reach the log masked only (see bot/mask).
package bot
