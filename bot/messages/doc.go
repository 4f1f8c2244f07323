// Package messages keeps the words that customers leave when nobody is there
// (take_message), and has each customer contacted once when somebody is free.
//
// The words of a conversation are one record (store.KindWords). They are put with
// the conversation that they change, so they are durable before the callback is
// answered. All else is the work of one process at a time, the holder of a lease:
// Keeper.Reading is told who is free, Start and Stop run it.
//
// A record goes from state to state like this:
//
//	waiting    → calling     somebody is free: written down before contact_user is called
//	           → done        the customer reached a person in another way
//	           → given_up    contact_within is over
//	calling    → contacted   Desk accepted
//	           → waiting     Desk refused, or was never reached: tried again with a later reading
//	           → given_up    Desk refused for good
//	           → unknown     the answer was lost, or the process that called
//	staff_only               nobody can be contacted: the callback named no customer or no account
//
// Invariants:
//
//   - contact_user is called only by who put the record as calling, with its version:
//     of two processes one does. So Desk accepts it at most once for the words of one
//     request.
//   - A record that is calling for longer than a call may take is unknown, after a
//     restart too. It is never called again.
//   - Words that a shared store has lost are put back by a process that saw them.
//   - Each end is one line "message" in the log, and the staff is told.
package messages
