// Package notify tells the staff what happened: in the chat that a team reads, or
// at any address that takes a POST.
//
// Its entry points are New, Notifier.Tell for what happens anywhere, and
// Notifier.Record for what must be stored together with a conversation. What a message
// says is in text.go, how each channel wants it in the file named after it.
//
// Invariants:
//
//   - Events about the same matter (a team, a kind, and a target or a rule) are one
//     record: the team gets one message per `every`, and one when it is over. What is
//     over before it was told is not told.
//   - Before a message is sent its record is put with its version: of several
//     replicas one sends. A process that dies while it sends leaves a message that
//     is sent once more.
//   - Nobody waits for this package: Tell only puts an event into a queue that is
//     bounded. A kill loses what is in it.
//   - Addresses and keys are read for each message. Neither they nor what an address
//     answers reach a log line, an error, a metric or a record.
//   - Customers' words are masked before they are stored, and not stored where no team
//     shows them.
package notify
