package desk

import (
	"sort"

	"escalator/rules/lang"
)

// Verdict says what to do after a call.
type Verdict uint8

// The verdicts.
const (
	Done       Verdict = iota // accepted
	Retry                     // again with back-off, see Error.RetryAfter
	Resign                    // the signature was refused, and so was the one that the client made anew
	NextTarget                // no agent online (141001, 141011): the target's chain
	AskState                  // unknown outcome, or 141003: get_session_state decides
	GiveUp                    // condemns this one transfer
	Hold                      // condemns every transfer: settings must be mended
)

var verdictNames = [...]string{"done", "retry", "resign", "next_target", "ask_state", "give_up", "hold"}

// String returns the verdict's name in snake case, fit for a log or a metric.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return "unknown"
}

// Code is one row of the code table.
type Code struct {
	Code    int
	Meaning lang.Text
	WayOut  lang.Text // what an engineer should do about it
	Verdict Verdict
}

// Ways out that several codes share.
const (
	reportBug   lang.Text = "A fault in Escalator: report it with the log line of this transfer."
	waitRetry   lang.Text = "Nothing to do: the call is repeated at growing intervals. If it goes on, ask Tencent support with the time and the code."
	slowDown    lang.Text = "The call is repeated at growing intervals. If it goes on, other programs use the app's quota too: lower their rate, or ask Tencent to raise it."
	checkKey    lang.Text = "Compare ESCALATOR_SDKAPPID, ESCALATOR_SECRET_KEY and ESCALATOR_IDENTIFIER with the console (Chat > application), and the clock of this machine; then run escalator doctor."
	checkCentre lang.Text = "ESCALATOR_API_URL must be the host of the app's data centre (PROTOCOL.md 7.1), and ESCALATOR_SDKAPPID the app's id; then run escalator doctor."
	checkURL    lang.Text = "ESCALATOR_API_URL must be the bare address of the REST host, such as https://console.tim.qq.com; a proxy on the way must leave the query alone."
	makeAdmin   lang.Text = "In the console make the account ESCALATOR_IDENTIFIER an app administrator, or set it to one."
	askTencent  lang.Text = "See the app's state, plan and bills in the Tencent Cloud console; else ask Tencent support."
	checkText   lang.Text = "Look at the text that the rule says: it is what this call carried."
)

// codes is the table of PROTOCOL.md 6.1 and 7.4 in order of the code. Which
// codes hold the courier, end one transfer or ask for the state is decided by
// CONTRACT.md 4; which are repeated by PROTOCOL.md 11.22. 70050 and 70114, that
// PROTOCOL.md 7.4 wants repeated later, are repeated after a minute: they
// condemn no customer.
var codes = []Code{
	{60002, "bad HTTP request or URL", checkURL, GiveUp},
	{60003, "the request is not JSON", reportBug, GiveUp},
	{60004, "account or signature in the URL or body is wrong", checkKey, Resign},
	{60005, "account or signature in the URL or body is wrong", checkKey, Resign},
	{60006, "SDKAppID is invalid", "Compare ESCALATOR_SDKAPPID with the console.", GiveUp},
	{60007, "too many calls to this endpoint", slowDown, Retry},
	{60008, "service timeout or bad HTTP request", waitRetry, Retry},
	{60009, "wrong resource in the URL", checkURL, GiveUp},
	{60010, "the identifier is not an app administrator", makeAdmin, Hold},
	{60011, "too many calls by this app", slowDown, Retry},
	{60012, "SDKAppID is missing", checkURL, GiveUp},
	{60013, "the service could not read its own answer", waitRetry, Retry},
	{60014, "account exchange timed out", waitRetry, Retry},
	{60015, "an account has the wrong type: it must be a string", reportBug, GiveUp},
	{60016, "the app is disabled", askTencent, Hold},
	{60017, "requests of the app are disabled", askTencent, Hold},
	{60018, "too many requests", slowDown, Retry},
	{60019, "too many requests", slowDown, Retry},
	{60020, "the app's edition has expired", "Renew the plan in the Tencent Cloud console.", Hold},
	{60021, "this source address is not allowed", "Add the public address of this machine to the REST API allow-list in the console.", Hold},
	{70001, "the signature has expired", "Set the clock of this machine; signatures are valid for days and renewed at half of that.", Resign},
	{70002, "the signature is empty", "Set the clock of this machine: signing fails only before 1970.", GiveUp},
	{70003, "the signature is malformed, often because it was cut", checkKey, Resign},
	{70005, "the signature is malformed", checkKey, Resign},
	{70009, "the signature was made with another app's key", checkKey, Hold},
	{70013, "the signature was made for another identifier", checkKey, Hold},
	{70014, "the signature was made for another SDKAppID", checkKey, Hold},
	{70016, "no key found for this app", checkCentre, Hold},
	{70020, "SDKAppID not found", checkCentre, Hold},
	{70050, "too many wrong signatures: locked for a minute", checkKey, Retry},
	{70051, "the account is on the block list", askTencent, Hold},
	{70107, "the account was never imported", "Import the account in the console, or set ESCALATOR_IDENTIFIER to an administrator that exists.", GiveUp},
	{70114, "login is restricted for safety", askTencent, Retry},
	{70169, "the service timed out", waitRetry, Retry},
	{70202, "the service timed out", waitRetry, Retry},
	{70206, "wrong number of items in a batch", reportBug, GiveUp},
	{70398, "the app has reached its number of accounts", askTencent, GiveUp},
	{70402, "illegal parameter", reportBug, GiveUp},
	{70403, "an app administrator is needed", makeAdmin, GiveUp},
	{70500, "internal error of the service", waitRetry, Retry},
	{71000, "not in the app's edition", askTencent, GiveUp},
	{72000, "not in the app's edition", askTencent, GiveUp},
	{72001, "the feature is not enabled or its limit is reached", askTencent, GiveUp},
	{90001, "the request's body is not JSON", reportBug, GiveUp},
	{90002, "the shape of MsgBody is wrong", reportBug, GiveUp},
	{90005, "MsgRandom is missing or not an integer", reportBug, GiveUp},
	{90007, "MsgBody is not an array", reportBug, GiveUp},
	{90009, "the identifier is not an app administrator", makeAdmin, Hold},
	{90010, "the message's format is wrong", reportBug, GiveUp},
	{90992, "internal error, also when the app's own before-message callback misbehaves", waitRetry + " Look also at the app's own before-message callback.", Retry},
	{91000, "internal error of the service", waitRetry, Retry},
	{93000, "the request's body is over 12 KB", checkText, GiveUp},
	{141000, "the app is not a Desk app", "Buy or enable Desk for this app, or set ESCALATOR_SDKAPPID to the app that has it.", Hold},
	{141001, "no agent is online", "The target's chain goes on (else, retry_if_no_agent). If agents are online, look at group and agents of the target.", NextTarget},
	{141002, "internal error of Desk", waitRetry, Retry},
	{141003, "this session cannot be transferred", "Often it is with an agent or in the queue already: get_session_state decides.", AskState},
	{141004, "illegal parameter", "Look at group, agents, priority and queue_timeout of the target in the rule file: groups are numbers, agents e-mail addresses.", GiveUp},
	{141005, "the session does not exist", "It ended before the transfer arrived. If this happens often, see whether callbacks of another app or data centre arrive here.", GiveUp},
	{141006, "the SessionId is illegal", "The callback carried an id that Desk does not accept: see whether the sender is really Desk.", GiveUp},
	{141009, "too many calls", slowDown, Retry},
	{141011, "the agent is offline", "The target's chain goes on (else, retry_if_no_agent). If agents are online, look at group and agents of the target.", NextTarget},
	{141027, "the session's state does not allow this", "Often the customer is no longer in the queue: get_session_state decides.", AskState},
}

// unknownCode is what is said of a code that is not in the table.
const unknownCode lang.Text = "a code that no page documents"

// Codes returns a copy of the whole table in order of the code.
func Codes() []Code { return append([]Code(nil), codes...) }

// LookupCode returns the row of a code; ok is false for one that no page
// documents, and the row then says GiveUp.
func LookupCode(code int) (row Code, ok bool) {
	i := sort.Search(len(codes), func(i int) bool { return codes[i].Code >= code })
	if i < len(codes) && codes[i].Code == code {
		return codes[i], true
	}
	return Code{code, unknownCode, "Look the code up in Tencent's pages, and tell us what it means.", GiveUp}, false
}
