// Package desktest is a stand-in for Tencent Cloud Desk, built from PROTOCOL.md
// and nothing else. It keeps sessions and agents, serves the REST commands that
// Escalator calls, sends callbacks, and can be told to fail in every way that a
// real service fails.
//
// What always holds:
//
//   - It is stricter than Desk where Escalator must not rely on leniency
//     (parameters, signature, field types), and no more generous anywhere.
//   - Callbacks of one session are sent one after the other, in order; those of
//     different sessions side by side. Those that name no session are sent at
//     once; a callback holds the fields that its page lists, and no others.
//   - What it accepted is in the Ledger, whether or not the answer arrived.
//   - Event names that no page gives are never sent, unless Options.Events says
//     so; prompts as bot messages only with Options.Prompts.
//   - After Close no goroutine of it is left.
//
// The codes for "all agents busy" and "outside working hours" are not
// documented. CodeBusy and CodeClosed are stand-ins from the range of Desk's
// private codes, so that clients cannot know them. The same holds for the values
// of MemberStatus, for every EndStatus but EndedByAgent, for what 141012 means
// and for what end_queuing leaves of a session: nobody may rely on them.
//
// Nor is it documented whether Desk has a session for who talks to a robot
// account; the emulator has one for each account of the service.
//
// Begin with New; Start opens a loopback listener. The control pages, described
// by GET /, make it usable by hand.
package desktest
