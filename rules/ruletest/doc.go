// Package ruletest runs the tests of a rule file.
//
// The tests (RULES.md 5) are played in virtual time through the very code that serves customers: Policy.Explain,
// Settle, Observe and NextTimer. Nothing is sent and nothing waits, so thousands of tests run in a second.
//
// A transfer stays under way until the test says how it ended (`desk`), or until something happens that needs an end:
// a message of an agent, a session that closes. Then it was assigned.
//
// Entry point: Run.
package ruletest
