// Package inbound says what a callback means: a message of the customer, the bot
// or an agent, a change of phase, a question, or nothing; and to which
// conversation it belongs. Live traffic and replay read callbacks with the same
// code.
//
// A message may be reported twice, by plain IM and by Desk. Aliases know which
// conversations are the same, so that each message counts once. They change in
// two steps: Read says what a callback would do, Commit or Abort follows with the
// decision, so that a message which could not be stored is nobody's echo. A copy
// that comes meanwhile waits for the first (never the other way round, so no two
// wait for each other) and is told whether we acted on it.
//
// Where other processes may get the other copies, all this is asked of what they
// share: Chat is what to ask there, Known the answer. The aliases of this process then
// follow (Learn), for when it has to go on alone.
//
// The package decides nothing, stores nothing and sends nothing. Its entry point
// is Reader.
package inbound
