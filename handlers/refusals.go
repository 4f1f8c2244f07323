package handlers

import (
	"errors"
	"maps"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/bot/mask"
	"escalator/bot/quiet"
	"escalator/rules/lang"
)

// refusal is why a callback was not handled.
type refusal struct {
	status int
	reason string        // a short label, for log and metric
	info   lang.Text     // what to do about it, for the sender's operator
	closes bool          // the connection ends: the rest of the body is not read, or a stranger holds it
	fields logrus.Fields // more for the log
}

func (r *refusal) Error() string { return r.reason }

var (
	errTooLarge    = &refusal{status: http.StatusRequestEntityTooLarge, reason: "too_large", info: "the body is over 1 MiB", closes: true}
	errTooDeep     = &refusal{status: http.StatusBadRequest, reason: "too_deep", info: "the body is nested deeper than 64"}
	errNotJSON     = &refusal{status: http.StatusBadRequest, reason: "not_json", info: "the body is not a JSON object"}
	errConflict    = &refusal{status: http.StatusBadRequest, reason: "command_conflict", info: "URL and body name different CallbackCommands"}
	errIncomplete  = &refusal{status: http.StatusBadRequest, reason: "incomplete", info: "the body ended early", closes: true}
	errSlow        = &refusal{status: http.StatusRequestTimeout, reason: "slow", info: "the body did not come in time", closes: true}
	errNoRoom      = &refusal{status: http.StatusServiceUnavailable, reason: "no_room", info: "too many bodies are being sent at once: try again", closes: true}
	errCircle      = &refusal{status: http.StatusLoopDetected, reason: "forwarded_to_itself", info: "ESCALATOR_FORWARD_URL is Escalator itself: it must be the address of your bot"}
	errUnavailable = &refusal{status: http.StatusServiceUnavailable, reason: "unavailable", info: "a decided transfer cannot be stored now: try again"}
)

// foreign refuses a callback of another app, and names that: two apps may have been
// mixed up in the console, or here.
func foreign(given, ours string) *refusal {
	name := given
	switch _, err := strconv.ParseUint(given, 10, 64); {
	case given == "":
		name = "missing, or there twice"
	case err != nil: // a stranger's words are not for the log
		name = "no number"
	}
	return &refusal{
		status: http.StatusForbidden, reason: "sdkappid", info: "SdkAppid is missing, or belongs to another app", closes: true,
		fields: logrus.Fields{"sdkappid": name, "expected": ours},
	}
}

// unsigned refuses a callback whose signature is not right. Of one that is right but
// for its time, which only a holder of the token can send, it is told how far that is.
func unsigned(e *desk.AuthError) *refusal {
	r := &refusal{
		status: http.StatusForbidden, reason: signReason(e.Reason), info: "Sign or RequestTime is missing, wrong or stale", closes: true,
	}
	switch {
	case e.Reason == desk.AuthMissing:
		r.fields = logrus.Fields{"hint": "set the token of ESCALATOR_CALLBACK_TOKEN in Desk's console too"}
	case e.Reason == desk.AuthMismatch:
		r.fields = logrus.Fields{"hint": "compare ESCALATOR_CALLBACK_TOKEN with the token in Desk's console"}
	case e.NoTime:
		r.info = "RequestTime is signed correctly, but it is not a number of seconds"
	default:
		seconds := int64(e.Off / time.Second)
		r.fields = logrus.Fields{"skew_s": seconds}
		r.info = lang.Say("Sign is right, but RequestTime is %+d s off our clock: synchronize the clocks (NTP)", seconds)
		if e.Milliseconds {
			r.info = lang.Say("Sign is right, but RequestTime is in milliseconds and must be in seconds (it is %+d s off our clock)", seconds)
		}
	}
	return r
}

func signReason(r desk.AuthReason) string { return "sign_" + string(r) }

// strayed refuses a POST to another path than that of the callbacks, of which only the
// beginning is shown: a part of it may be secret.
func strayed(path, ours string) *refusal {
	shown := path
	if beginning := 4; len(path) > beginning && path != "/callback" {
		if strings.HasPrefix(path, "/callback") {
			beginning = len("/callback")
		}
		shown = strings.ToValidUTF8(path[:beginning], "") + "…"
	}
	r := &refusal{
		status: http.StatusNotFound, reason: "wrong_path", info: astray, closes: true,
		fields: logrus.Fields{"path": shown},
	}
	if how := differs(path, ours); how != "" {
		r.fields["hint"] = how
	}
	return r
}

// astray is what a POST is told that goes to where nothing is.
const astray = "a POST to a path other than ESCALATOR_CALLBACK_PATH"

// writeAstray answers as if nothing were there.
func writeAstray(c *gin.Context) {
	c.Header("Connection", "close")
	writeFailure(c, http.StatusNotFound, astray)
}

// differs says how a path differs from ours, as far as that shows nothing of either.
func differs(path, ours string) string {
	switch {
	case strings.Trim(path, "/") == strings.Trim(ours, "/"):
		return "there is a slash too many, or too few"
	case strings.EqualFold(path, ours):
		return "some letters are small instead of capital, or the other way round"
	case strings.HasSuffix(path, ours):
		return "something stands before it: does a proxy put it there?"
	case strings.HasPrefix(path, ours):
		return "something stands behind it"
	case path != "/" && strings.HasSuffix(ours, path):
		return "its beginning is missing: does a proxy take it off?"
	case path != "/" && strings.HasPrefix(ours, path):
		return "its end is missing"
	}
	return ""
}

// causedError keeps the fault behind a refusal for the log.
type causedError struct {
	*refusal
	cause error
}

func (r *causedError) Unwrap() error { return r.refusal }

// refuse answers in Tencent's form, writes a log line, and returns the reason. event is nil
// where the callback was not decoded.
func (h *callbacks) refuse(c *gin.Context, err error, event *desk.Event) (reason string) {
	r, ok := errors.AsType[*refusal](err)
	if !ok { // none of ours is another one
		r = errUnavailable
	}
	if r.status == http.StatusServiceUnavailable {
		c.Header("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	if r.closes {
		c.Header("Connection", "close")
	}
	h.refusals.write(c, r, err, event)
	writeFailure(c, r.status, r.info)
	return r.reason
}

// writeFailure writes Tencent's form of a failure.
func writeFailure(c *gin.Context, status int, info lang.Text) {
	c.JSON(status, gin.H{"ActionStatus": "FAIL", "ErrorCode": status, "ErrorInfo": info})
}

// refusalLog writes why callbacks are refused, one kind of reason a line: a
// flood of forged callbacks must not fill the disk.
type refusalLog struct {
	log   *logrus.Logger
	lines quiet.Lines
}

func newRefusalLog(log *logrus.Logger) *refusalLog { return &refusalLog{log: log} }

// plainID is what a RequestID looks like: other words of a stranger's are not for the log.
var plainID = regexp.MustCompile(`^[\w.:-]{1,128}$`)

// write tells whose callback it was, as far as that is known.
func (l *refusalLog) write(c *gin.Context, r *refusal, err error, event *desk.Event) {
	f := logrus.Fields{"status": r.status, "reason": r.reason, "why": r.info.String(), "remote": remoteHost(c.Request.RemoteAddr)}
	maps.Copy(f, r.fields)
	if event == nil {
		event = &desk.Event{}
		if id := desk.ParseQuery(c.Request.URL.RawQuery).RequestID; plainID.MatchString(id) {
			event.RequestID = id
		}
	}
	for name, value := range map[string]string{"request_id": event.RequestID, "session": event.SessionID, "user": event.UserID, "event": event.Name} {
		if value != "" {
			f[name] = mask.Clip(value)
		}
	}
	level := logrus.WarnLevel
	if caused, ok := errors.AsType[*causedError](err); ok {
		f["error"] = caused.cause.Error()
		level = logrus.ErrorLevel
	}
	l.lines.Log(r.reason, l.log.WithFields(f), level, "callback refused")
}

func remoteHost(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}
