package handlers

import (
	"cmp"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"escalator/bot/decisions"
	"escalator/rules"
)

// longestStats is how far back stats go, and what is shown unless ?since= says otherwise.
const longestStats = 24 * time.Hour

// showStats shows what was counted of the last time, step by step.
func (s *Server) showStats(c *gin.Context) {
	now := s.Now()
	since, ok := readTime(c.Query("since"), now.Add(-longestStats), now)
	ago := now.Sub(since)
	if !ok || ago <= 0 || ago > longestStats {
		c.JSON(http.StatusBadRequest, gin.H{"error": "since is a time of the last 24 hours like 2027-02-06T09:00:00Z, or so long ago, like 1h"})
		return
	}
	report := s.Bot.Stats().Report(ago)
	for _, label := range []string{decisions.Right, decisions.Wrong} {
		page, err := s.Bot.Decisions().Page(c.Request.Context(), &decisions.Filter{Label: label, Since: report.Since}, decisions.Keep, "")
		if err != nil {
			writeHistoryError(c, err)
			return
		}
		for _, d := range page.Decisions {
			report.Label(cmp.Or(d.Rule, d.Near), d.At, label == decisions.Right, d.Outcome == rules.OutcomeTransfer || d.Outcome == rules.OutcomeOffer)
		}
	}
	c.JSON(http.StatusOK, report)
}
