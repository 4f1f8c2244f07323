package handlers

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"escalator/bot"
	"escalator/bot/history"
	"escalator/rules/lang"
)

const (
	suggestSince  = 24 * time.Hour
	longestSearch = 30 * 24 * time.Hour
	mostSuggested = 50
	// suggestWithin is how long the search may take: less than writing an answer may. It then gives what it has.
	suggestWithin = 11 * time.Second
)

// suggest proposes phrases that would have caught what the rules in force have missed. One search at a time: each keeps a processor busy.
func (s *Server) suggest(c *gin.Context) {
	now := s.Now()
	since, ok := readTime(c.Query("since"), now.Add(-suggestSince), now)
	n, err := strconv.Atoi(c.DefaultQuery("n", "10"))
	if !ok || err != nil || n < 1 || n > mostSuggested || !since.Before(now) || now.Sub(since) > longestSearch {
		fail(c, http.StatusBadRequest, "since is a time in the last 30 days like 2027-02-06T09:00:00Z, or how long ago, like 24h; n is 1 to 50")
		return
	}
	if !s.searching.TryLock() {
		c.Header("Retry-After", "10")
		fail(c, http.StatusServiceUnavailable, "another search for suggestions is running; ask again when it is done")
		return
	}
	defer s.searching.Unlock()
	ctx, cancel := context.WithTimeout(c.Request.Context(), suggestWithin)
	defer cancel()
	set, err := s.RuleFile.InForce(ctx)
	if err != nil {
		fail(c, http.StatusServiceUnavailable, lang.Of(err))
		return
	}
	found, err := s.Bot.Suggest(ctx, set, since, n)
	switch {
	case err == nil:
		c.JSON(http.StatusOK, found)
	case errors.Is(err, bot.ErrNoHistory), errors.Is(err, history.ErrUnknown), ctx.Err() != nil:
		writeHistoryError(c, err)
	default: // the rules have no place for suggestions
		fail(c, http.StatusConflict, lang.Of(err))
	}
}
