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
	bodies   *bodies
	shed     *shed
	now      func() time.Time
	skew     skew

	path           string // of the callbacks
	strangers      *shed  // requests that are unsigned or empty
	countStrangers func()
	countOverload  func()
	countLate      func()
}

// post handles one callback.
func (h *callbacks) post(c *gin.Context) {
	started := h.now()
	event, answer, err := h.handle(c.Request, started)
	result := "ok"
	switch {
	case err != nil:
		result = h.refuse(c, err, event)
	case event == nil: // a stranger's, who need not hold on to the connection
		c.Header("Connection", "close")
		write(c, answer)
	case answer.Repeat:
		result = "duplicate"
		fallthrough
	default:
		write(c, answer)
	}
	h.metrics.callback(event, result, h.now().Sub(started))
}

// shortAnswer is what net/http announces the length of by itself; what is longer than
// 2 KiB it sends in chunks.
const shortAnswer = 1 << 10

// write writes an answer. Gin's Data would allocate what they have in common, for each.
func write(c *gin.Context, answer bot.Answer) {
	header := c.Writer.Header()
	header["Content-Type"] = contentJSON
	if n := len(answer.JSON); n > shortAnswer { // the own bot's
		header.Set("Content-Length", strconv.Itoa(n))
	}
	_, _ = c.Writer.Write(answer.JSON) // a sender that has left is not told
}

// astray answers a POST to another path than that of the callbacks.
func (h *callbacks) astray(c *gin.Context) {
	started := h.now()
	result := h.refuse(c, strayed(c.Request.URL.Path, h.path), nil)
	h.metrics.callback(nil, result, h.now().Sub(started))
}

const jsonType = "application/json"

var contentJSON = []string{jsonType} // shared: nobody changes it

// handle authenticates, reads, decodes and hands on a callback that comes now.
func (h *callbacks) handle(r *http.Request, now time.Time) (*desk.Event, bot.Answer, error) {
	query := desk.ParseQuery(r.URL.RawQuery)
	if err := h.authenticate(query, now); err != nil {
		return nil, bot.AnswerOK(), h.stranger(r, err)
	}
	if _, ours := r.Header[backend.Forwarded]; ours {
		return nil, bot.Answer{}, errCircle
	}
	connection := connectionOf(r)
	if h.shed.full() { // what cannot be worked on need not be read
		h.countOverload()
		return nil, bot.Answer{}, h.shed.turnAway(connection.waited())
	}
	if h.shed.late(connection.waited) {
		h.countLate()
		return nil, bot.Answer{}, h.shed.turnAway(connection.waited())
	}
	body, err := h.bodies.read(r, maxBody)
	if err != nil {
		return nil, bot.Answer{}, err
	}
	if len(body) == 0 {
		return nil, bot.AnswerOK(), h.stranger(r, nil)
	}
	// Only now: who sends slowly must not take the place of one who does not.
	if !h.shed.enter(len(body)) {
		h.countOverload()
		return nil, bot.Answer{}, h.shed.turnAway(connection.waited())
	}
	defer h.shed.leave(len(body))
	connection.busy.Store(true)
	event, err := decode(query, body)
	if err != nil {
		return nil, bot.Answer{}, err
	}
	connection.known.Store(true)
	answer, err := h.bot.Handle(r.Context(), bot.Request{Event: event, Query: r.URL.RawQuery, Header: r.Header})
	if err != nil {
		return event, bot.Answer{}, &causedError{errUnavailable, err}
	}
	return event, answer, nil
}

// stranger judges a request that is unsigned, or that has no body: what the console
// sends to find out whether somebody is there, whatever its query, is all right.
func (h *callbacks) stranger(r *http.Request, refused error) error {
	if !h.strangers.enter(0) {
		h.countStrangers()
		return errOverload
	}
	defer h.strangers.leave(0)
	if refused == nil || emptyBody(r) {
		return nil
	}
	return refused
}

// authenticate checks the app and the signature.
func (h *callbacks) authenticate(q desk.Query, now time.Time) error {
	if q.SDKAppID != h.appID {
		return foreign(q.SDKAppID, h.appID)
	}
	err := h.verifier.Verify(q, now)
	auth, refused := errors.AsType[*desk.AuthError](err)
	if off, told := q.Off(now); told && (!refused || auth.Reason == desk.AuthStale) {
		h.skew.note(off, now)
	}
	if refused {
		return unsigned(auth)
	}
	return err
}

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
	if c := connectionOf(r); c.Conn != nil {
		_ = c.SetReadDeadline(time.Now().Add(strangerTimeout))
	}
	n, err := io.ReadFull(r.Body, make([]byte, 1))
	return n == 0 && errors.Is(err, io.EOF)
}
