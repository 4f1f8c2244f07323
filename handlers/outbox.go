package handlers

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"escalator/bot/delivery"
	"escalator/bot/desk"
	"escalator/rules/lang"
)

// outbox lists the transfers on their way and those that were given up.
func (s *Server) outbox(c *gin.Context) {
	list, err := s.Bot.Transfers(c.Request.Context())
	if err != nil {
		writeOutboxError(c, err)
		return
	}
	for _, some := range [][]delivery.Listed{list.Pending, list.GivenUp} {
		for i := range some {
			some[i].CodeWords = some[i].CodeWords.To(language(c))
			read(c, &some[i].Error)
		}
	}
	c.JSON(http.StatusOK, list)
}

// retry puts a transfer that was given up on its way again.
func (s *Server) retry(c *gin.Context) {
	s.change(c, "pending", func(session string, who delivery.Operator) error {
		return s.Bot.Retry(c.Request.Context(), session, who)
	})
}

// dismiss ends a transfer for good.
func (s *Server) dismiss(c *gin.Context) {
	s.change(c, "dismissed", func(session string, who delivery.Operator) error {
		return s.Bot.Dismiss(c.Request.Context(), session, who)
	})
}

// change does something to the transfer of the session in the path.
func (s *Server) change(c *gin.Context, state string, do func(session string, who delivery.Operator) error) {
	who, ok := readOperator(c)
	if !ok {
		return
	}
	session := desk.ID(pathValue(c, "session"))
	if err := do(session, who); err != nil {
		writeOutboxError(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"session": session, "state": state})
}

// retryAll retries what was given up with one code.
func (s *Server) retryAll(c *gin.Context) {
	who, ok := readOperator(c)
	if !ok {
		return
	}
	code := c.Query("code")
	if !delivery.IsCode(code) {
		fail(c, http.StatusBadRequest, "say which with ?code=, one that GET /api/outbox shows, such as 70009 or network")
		return
	}
	c.Set(subject, "code "+code)
	n, err := s.Bot.RetryAll(c.Request.Context(), code, who)
	if err != nil {
		writeOutboxError(c, err)
		return
	}
	c.JSON(http.StatusOK, n)
}

// readOperator reads who does it and why, {"by","why"}, from a body that may be left
// out: then it is the address of the caller. False means that it has answered.
func readOperator(c *gin.Context) (who delivery.Operator, ok bool) {
	if c.Request.ContentLength != 0 && !readJSON(c, &who) {
		return who, false
	}
	c.Set(actor, who.By)
	who.By = cmp.Or(who.By, remoteHost(c.Request.RemoteAddr))
	return who, true
}

func writeOutboxError(c *gin.Context, err error) {
	status := http.StatusServiceUnavailable
	switch {
	case errors.Is(err, delivery.ErrNotGivenUp), errors.Is(err, delivery.ErrNoTransfer):
		status = http.StatusNotFound
	case errors.Is(err, delivery.ErrTargetGone):
		status = http.StatusConflict
	}
	fail(c, status, lang.Of(err))
}
