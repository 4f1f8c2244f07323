package handlers

import (
	"cmp"
	"context"
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
		fail(c, http.StatusBadRequest, "since is a time in the last 24 hours like 2027-02-06T09:00:00Z, or how long ago, like 1h")
		return
	}
	report := s.Bot.Stats().Report(ago)
	err := s.eachLabelled(c.Request.Context(), report.Since, func(rule string, d *decisions.Record) {
		report.Label(rule, d.At, d.Label == decisions.Right, d.Outcome == rules.OutcomeTransfer || d.Outcome == rules.OutcomeOffer)
	})
	if err != nil {
		writeHistoryError(c, err)
		return
	}
	c.JSON(http.StatusOK, report)
}

// eachLabelled shows take the decisions since then that somebody called right or wrong,
// with the rule that this speaks of.
func (s *Server) eachLabelled(ctx context.Context, since time.Time, take func(rule string, d *decisions.Record)) error {
	for _, label := range []string{decisions.Right, decisions.Wrong} {
		page, err := s.Bot.Decisions().Page(ctx, &decisions.Filter{Label: label, Since: since}, decisions.Keep, "")
		if err != nil {
			return err //nolint:wrapcheck // it says itself what it is about
		}
		for _, d := range page.Decisions {
			take(cmp.Or(d.Rule, d.Near), d)
		}
	}
	return nil
}

// labelled is how often a rule was called right and wrong in the last day.
type labelled struct {
	Right int `json:"right"`
	Wrong int `json:"wrong"`
}

// labelledRules counts the labels of the last day by rule.
func (s *Server) labelledRules(ctx context.Context) (byRule map[string]labelled, err error) {
	byRule = map[string]labelled{}
	err = s.eachLabelled(ctx, s.Now().Add(-longestStats), func(rule string, d *decisions.Record) {
		n := byRule[rule]
		if d.Label == decisions.Right {
			n.Right++
		} else {
			n.Wrong++
		}
		byRule[rule] = n
	})
	return byRule, err
}
