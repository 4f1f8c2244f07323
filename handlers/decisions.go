package handlers

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"escalator/bot/decisions"
	"escalator/bot/desk"
	"escalator/bot/mask"
	"escalator/rules"
	"escalator/rules/lang"
)

const (
	// shownDecisions is how many decisions are listed unless ?n= says otherwise.
	shownDecisions = 100
	// streamPing keeps proxies from closing a silent stream.
	streamPing = 15 * time.Second
	// resumeTimeout is how long a reader that resumes waits for what is being restored
	// after a start.
	resumeTimeout = 5 * time.Second
	// maxSought is how many characters may be looked for.
	maxSought = 200
)

// decisionQuery are the names that the query of GET /api/decisions may have.
var decisionQuery = []string{"n", "before", "stream", "session", "user", "rule", "outcome", "reason", "since", "q", "label"}

// decisions lists recent decisions, newest first, or streams those to come.
func (s *Server) decisions(c *gin.Context) {
	f, err := readFilter(c, s.Now())
	if err == nil {
		switch c.Query("stream") {
		case "1":
			if c.Query("n") == "" && c.Query("before") == "" {
				s.streamDecisions(c, f)
				return
			}
			err = lang.Errorf("a stream takes neither n nor before: it shows what is decided from now on")
		case "", "0":
		default:
			err = lang.Errorf("stream must be 1, or left out")
		}
	}
	n, before := shownDecisions, c.Query("before")
	if text, given := c.GetQuery("n"); given && err == nil {
		if n, err = strconv.Atoi(text); err != nil || n < 1 {
			err = lang.Errorf("n must be a number above 0")
		}
	}
	if before != "" && !decisions.IsID(before) && err == nil {
		err = lang.Errorf("before must be the id of a decision")
	}
	if err != nil {
		fail(c, http.StatusBadRequest, lang.Of(err))
		return
	}
	page, err := s.Bot.Decisions().Page(c.Request.Context(), f, min(n, decisions.Keep), before)
	switch {
	case errors.Is(err, decisions.ErrNoHistory):
		fail(c, http.StatusNotFound, lang.Of(err))
	case err != nil:
		writeHistoryError(c, err)
	default:
		page.Decisions = decisions.RecordsIn(language(c), page.Decisions)
		c.JSON(http.StatusOK, page)
	}
}

// readFilter reads which decisions are asked for.
func readFilter(c *gin.Context, now time.Time) (*decisions.Filter, error) {
	f := &decisions.Filter{
		Session: mask.Clip(desk.ID(c.Query("session"))), User: mask.Clip(desk.ID(c.Query("user"))), Rule: c.Query("rule"), Reason: c.Query("reason"),
		Label: c.Query("label"), Text: c.Query("q"),
	}
	if words := c.Query("outcome"); words != "" {
		f.Outcomes = strings.Split(words, ",")
	}
	for _, word := range f.Outcomes {
		if all := decisions.Outcomes(); !slices.Contains(all, word) {
			return nil, lang.Errorf("outcome has %q; there are: %s", word, strings.Join(all, ", "))
		}
	}
	if all := rules.Reasons(); f.Reason != "" && !slices.Contains(all, f.Reason) {
		return nil, lang.Errorf("reason has %q; there are: %s", f.Reason, strings.Join(all, ", "))
	}
	if f.Label != "" && f.Label != decisions.Right && f.Label != decisions.Wrong {
		return nil, lang.Errorf("label must be %s or %s", decisions.Right, decisions.Wrong)
	}
	if utf8.RuneCountInString(f.Text) > maxSought {
		return nil, lang.Errorf("q has more than %d characters", maxSought)
	}
	var ok bool
	if f.Since, ok = readTime(c.Query("since"), time.Time{}, now); !ok {
		return nil, lang.Errorf("since is a time like 2027-02-06T09:00:00Z (write + in it as %2B), or how long ago, like 15m")
	}
	return f, nil
}

// streamDecisions sends decisions as server-sent events until the reader goes
// away, falls behind, or the service stops.
func (s *Server) streamDecisions(c *gin.Context, f *decisions.Filter) {
	if !s.watchers.enter(0) {
		s.reached.of(limitStreams)()
		c.Header("Retry-After", strconv.Itoa(int(streamPing.Seconds())))
		refuse(c, http.StatusServiceUnavailable, "too many are watching: try again later")
		return
	}
	defer s.watchers.leave(0)
	c.Header("Content-Type", "text/event-stream")
	c.Header("X-Accel-Buffering", "no")
	if c.Request.Method == http.MethodHead { // it would never end
		return
	}
	ctx, cancel := context.WithCancel(c.Request.Context())
	defer cancel()
	withServer := context.AfterFunc(s.streams, cancel)
	defer withServer()
	out := &stream{c: c, w: http.NewResponseController(c.Writer), language: language(c), slow: s.reached.of(limitSlowStream)}
	// It watches before the reader gets the head of the answer: who then reads the list has all in one or the other.
	resume, done := context.WithTimeout(ctx, resumeTimeout)
	watcher, gap := s.Bot.Decisions().Watch(resume, f, c.GetHeader("Last-Event-ID"))
	done()
	begin := "id: " + watcher.ID() + "\n\n" // who sees nothing more can resume here
	if gap {
		begin = "event: gap\nid: " + watcher.ID() + "\ndata: {\"missed\":true}\n\n"
	}
	if out.send([]byte(": decisions as they are made\n\n" + begin)) {
		out.follow(ctx, watcher)
	}
}

// stream is a stream of server-sent events to one reader.
type stream struct {
	c    *gin.Context
	w    *http.ResponseController
	slow func() // counts a reader that is cut off

	language lang.Language
}

// follow sends what happens until ctx ends or the reader falls behind.
func (o *stream) follow(ctx context.Context, w *decisions.Watcher) {
	for {
		wait, cancel := context.WithTimeout(ctx, streamPing)
		events, err := w.Next(wait)
		cancel()
		switch {
		case errors.Is(err, decisions.ErrBehind):
			o.slow()
			return
		case ctx.Err() != nil:
			return
		case err != nil:
			if !o.send([]byte(": ping\nid: " + w.ID() + "\n\n")) {
				return
			}
			continue
		}
		texts := make([][]byte, len(events))
		for i, e := range events {
			texts[i] = e.Text(o.language)
		}
		if !o.send(texts...) {
			return
		}
	}
}

// send sends texts, and reports whether the reader has taken them.
func (o *stream) send(texts ...[]byte) bool {
	// The server's own write timeout would cut the stream.
	_ = o.w.SetWriteDeadline(time.Now().Add(writeTimeout))
	var err error
	for _, text := range texts {
		if _, err = o.c.Writer.Write(text); err != nil {
			break
		}
	}
	if err == nil {
		err = o.w.Flush()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		o.slow()
	}
	return err == nil
}

// labelRequest is the body of PUT /api/decisions/{id}/label.
type labelRequest struct {
	Label *string `json:"label"`
	By    string  `json:"by"`
	Why   string  `json:"why"`
}

// label keeps that somebody calls a decision right or wrong, or takes that back.
func (s *Server) label(c *gin.Context) {
	var in labelRequest
	if !readJSON(c, &in) {
		return
	}
	if in.By = strings.TrimSpace(in.By); in.Label == nil || !slices.Contains([]string{decisions.Right, decisions.Wrong, ""}, *in.Label) || in.By == "" {
		fail(c, http.StatusBadRequest, `a label needs "label" ("right", "wrong", or "" to remove it) and "by" (who says so)`)
		return
	}
	c.Set(actor, in.By)
	record, err := s.Bot.Decisions().SetLabel(c.Request.Context(), pathValue(c, "id"), decisions.Label{Label: *in.Label, By: in.By, Why: in.Why})
	switch {
	case errors.Is(err, decisions.ErrUnknown):
		fail(c, http.StatusNotFound, lang.Of(err))
	case err != nil:
		fail(c, http.StatusServiceUnavailable, lang.Of(err))
	default:
		c.JSON(http.StatusOK, record.In(language(c)))
	}
}

// labels shows all labels as `escalator eval` reads them.
func (s *Server) labels(c *gin.Context) {
	lines, wordless, err := s.Bot.Decisions().Lessons(c.Request.Context())
	if err != nil {
		fail(c, http.StatusServiceUnavailable, lang.Of(err))
		return
	}
	c.Header("Escalator-Labels-Without-Words", strconv.Itoa(wordless))
	c.Data(http.StatusOK, "application/x-ndjson", lines)
}
