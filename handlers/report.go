package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"escalator/bot"
	"escalator/bot/report"
	"escalator/rules/lang"
)

const (
	// reportedFor is the period of a report that does not say since when.
	reportedFor = 24 * time.Hour
	// reportWithin is how long a report may take: less than writing an answer may.
	reportWithin = 13 * time.Second
)

// Reports tells what became of the customers for whom rules called a person; *report.Live
// is one.
type Reports interface {
	Report(ctx context.Context, since, until time.Time) (*report.Report, error)
}

// report tells what became of the sessions that began in a period.
func (s *Server) report(c *gin.Context) {
	if s.Reports == nil {
		writeHistoryError(c, bot.ErrNoHistory)
		return
	}
	now := s.Now()
	since, okSince := readTime(c.Query("since"), now.Add(-reportedFor), now)
	until, okUntil := readTime(c.Query("until"), now.Add(time.Minute), now) // whole minutes: this one too
	if !okSince || !okUntil || !since.Before(until) {
		fail(c, http.StatusBadRequest, "since and until are times like 2027-02-06T09:00:00Z, or how long ago, like 24h; since must come first")
		return
	}
	ctx, cancel := context.WithTimeoutCause(c.Request.Context(), reportWithin, lang.Errorf("the report takes too long: ask for a shorter period"))
	defer cancel()
	made, err := s.Reports.Report(ctx, since, until)
	if err != nil {
		writeHistoryError(c, err)
		return
	}
	c.JSON(http.StatusOK, made)
}

// readTime reads a time, or how long ago it was.
func readTime(text string, otherwise, now time.Time) (at time.Time, ok bool) {
	if text == "" {
		return otherwise, true
	}
	if ago, err := time.ParseDuration(text); err == nil {
		return now.Add(-ago), ago >= 0
	}
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}
