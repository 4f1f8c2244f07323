package handlers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"escalator/bot"
	"escalator/bot/backend"
	"escalator/bot/desk"
)

// Handler is what the public listener needs of the bot.
type Handler interface {
	Handle(ctx context.Context, r bot.Request) (bot.Answer, error)
}

// callbacks serves the callback URL.
type callbacks struct {
	bot      Handler
	appID    string
	verifier *desk.Verifier
	metrics  *metrics
	refusals *refusalLog
	shed     shed
	now      func() time.Time
}

// refusal is why a callback was not handled.
type refusal struct {
	status int
	reason string // a short label, for log and metric
	info   string // what to do about it, for the sender's operator
}

func (r *refusal) Error() string { return r.reason }

var (
	errAppID       = &refusal{http.StatusForbidden, "sdkappid", "SdkAppid is missing or of another app"}
	errTooLarge    = &refusal{http.StatusRequestEntityTooLarge, "too_large", "the body is over 1 MiB"}
	errTooDeep     = &refusal{http.StatusBadRequest, "too_deep", "the body is nested deeper than 64"}
	errNotJSON     = &refusal{http.StatusBadRequest, "not_json", "the body is not a JSON object"}
	errConflict    = &refusal{http.StatusBadRequest, "command_conflict", "URL and body name different CallbackCommands"}
	errIncomplete  = &refusal{http.StatusBadRequest, "incomplete", "the body ended early"}
	errCircle      = &refusal{http.StatusLoopDetected, "forwarded_to_itself", "ESCALATOR_FORWARD_URL is Escalator itself: it must be the address of your bot"}
	errUnavailable = &refusal{http.StatusServiceUnavailable, "unavailable", "a decided transfer cannot be stored now: try again"}
)

// post handles one callback.
func (h *callbacks) post(c *gin.Context) {
	started := h.now()
	event, answer, err := h.handle(c.Request)
	result := "ok"
	switch {
	case err != nil:
		result = h.refuse(c, err)
	case answer.Repeat:
		result = "duplicate"
		fallthrough
	default:
		c.Data(http.StatusOK, jsonType, answer.JSON)
	}
	h.metrics.callback(event, result, h.now().Sub(started))
}

const jsonType = "application/json"

// handle authenticates, reads, decodes and hands on a callback.
func (h *callbacks) handle(r *http.Request) (*desk.Event, bot.Answer, error) {
	query := desk.ParseQuery(r.URL.RawQuery)
	if err := h.authenticate(query); err != nil {
		if emptyBody(r) { // the console's probe, whatever its query
			return nil, bot.AnswerOK(), nil
		}
		return nil, bot.Answer{}, err
	}
	if _, ours := r.Header[backend.Forwarded]; ours {
		return nil, bot.Answer{}, errCircle
	}
	if !h.shed.enter() { // before the body: it is what costs memory
		return nil, bot.Answer{}, errOverload
	}
	defer h.shed.leave()
	body, err := readBody(r)
	if err != nil {
		return nil, bot.Answer{}, err
	}
	if len(body) == 0 {
		return nil, bot.AnswerOK(), nil
	}
	event, err := decode(query, body)
	if err != nil {
		return nil, bot.Answer{}, err
	}
	answer, err := h.bot.Handle(r.Context(), bot.Request{Event: event, Query: r.URL.RawQuery, Header: r.Header})
	if err != nil {
		return event, bot.Answer{}, &causedError{errUnavailable, err}
	}
	return event, answer, nil
}

// causedError keeps the fault behind a refusal for the log.
type causedError struct {
	*refusal
	cause error
}

func (r *causedError) Unwrap() error { return r.refusal }

// authenticate checks the app and the signature.
func (h *callbacks) authenticate(q desk.Query) error {
	if q.SDKAppID != h.appID {
		return errAppID
	}
	err := h.verifier.Verify(q, h.now())
	if auth, ok := errors.AsType[*desk.AuthError](err); ok {
		return &refusal{http.StatusForbidden, signReason(auth.Reason), "Sign or RequestTime is missing, wrong or stale"}
	}
	return err
}

func signReason(r desk.AuthReason) string { return "sign_" + string(r) }

func decode(q desk.Query, body []byte) (*desk.Event, error) {
	event, err := desk.Decode(q, body)
	switch {
	case errors.Is(err, desk.ErrTooDeep):
		return nil, errTooDeep
	case err != nil:
		return nil, errNotJSON
	case event.Conflict:
		return nil, errConflict
	}
	return event, nil
}

// emptyBody reports whether a request has no body, reading one byte at most.
func emptyBody(r *http.Request) bool {
	if r.ContentLength != -1 {
		return r.ContentLength == 0
	}
	n, _ := io.ReadFull(r.Body, make([]byte, 1))
	return n == 0
}

// readBody reads the whole body, bounded, in one piece where its length is
// announced.
func readBody(r *http.Request) ([]byte, error) {
	switch {
	case r.ContentLength > maxBody:
		return nil, errTooLarge
	case r.ContentLength >= 0:
		body := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, errIncomplete
		}
		return body, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, errIncomplete
	case len(body) > maxBody:
		return nil, errTooLarge
	}
	return body, nil
}

// refuse answers in Tencent's form, writes a log line, and returns the reason.
func (h *callbacks) refuse(c *gin.Context, err error) (reason string) {
	r, ok := errors.AsType[*refusal](err)
	if !ok { // none of ours is another one
		r = errUnavailable
	}
	if r.status == http.StatusServiceUnavailable {
		c.Header("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	if r.status == http.StatusRequestEntityTooLarge || r.status == http.StatusForbidden {
		c.Header("Connection", "close") // the rest of the body is not read
	}
	h.refusals.write(c, r, err)
	writeFailure(c, r.status, r.info)
	return r.reason
}

// writeFailure writes Tencent's form of a failure.
func writeFailure(c *gin.Context, status int, info string) {
	c.JSON(status, gin.H{"ActionStatus": "FAIL", "ErrorCode": status, "ErrorInfo": info})
}
