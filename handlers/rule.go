package handlers

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"escalator/bot/decisions"
	"escalator/bot/stats"
	"escalator/rules"
	"escalator/rules/lang"
)

// lastOfRule is how many of the last decisions of a rule are shown.
const lastOfRule = 20

// ruleStory is one rule as GET /api/rules/{id} shows it.
type ruleStory struct {
	ruleView
	rules.RuleSource
	FiredLast []*decisions.Record `json:"fired_last"`
	NearLast  []*decisions.Record `json:"near_last"`
	Stats     stats.RuleReport    `json:"stats"`
}

// firing are the outcomes of decisions that a rule made.
var firing = []string{
	rules.OutcomeTransfer.String(), rules.OutcomeOffer.String(), rules.OutcomeKeep.String(), rules.OutcomeClosed.String(), rules.OutcomeMessage.String(),
	rules.OutcomeShadow.String(),
}

// rule shows one rule: what it says, what it looks for, and what it did.
func (s *Server) rule(c *gin.Context) {
	info, ok := s.knownRule(c)
	if !ok {
		return
	}
	labels, err := s.labelledRules(c.Request.Context())
	if err != nil {
		writeHistoryError(c, err)
		return
	}
	story := ruleStory{ruleView: s.view(info, labels[info.ID]), Stats: s.Bot.Stats().RuleReport(info.ID)}
	story.Stats.Right, story.Stats.Wrong = story.Right, story.Wrong
	story.RuleSource, _ = s.Bot.Policy().RuleSource(info.ID)
	for list, outcomes := range map[*[]*decisions.Record][]string{&story.FiredLast: firing, &story.NearLast: {"near"}} {
		page, err := s.Bot.Decisions().Page(c.Request.Context(), &decisions.Filter{Rule: info.ID, Outcomes: outcomes}, lastOfRule, "")
		if err != nil {
			writeHistoryError(c, err)
			return
		}
		*list = decisions.RecordsIn(language(c), page.Decisions)
	}
	c.JSON(http.StatusOK, story)
}

// previewMute shows what the last time would have been without a rule.
func (s *Server) previewMute(c *gin.Context) {
	info, ok := s.knownRule(c)
	if !ok {
		return
	}
	length, ok := rules.ParseDuration(c.DefaultQuery("for", "1h"))
	if !ok || length <= 0 || length > longestStats {
		fail(c, http.StatusBadRequest, `for must be a duration up to 24h, such as "1h"`)
		return
	}
	preview, err := s.Bot.Preview(c.Request.Context(), info.ID, s.Now().Add(-length))
	if err != nil {
		writeHistoryError(c, err)
		return
	}
	preview.Decisions = decisions.RecordsIn(language(c), preview.Decisions)
	c.JSON(http.StatusOK, preview)
}

// knownRule finds the rule that a path names, or answers that there is none.
func (s *Server) knownRule(c *gin.Context) (info rules.RuleInfo, ok bool) {
	id, all := pathValue(c, "id"), s.Bot.Policy().Rules()
	at := slices.IndexFunc(all, func(r rules.RuleInfo) bool { return r.ID == id })
	if at >= 0 {
		return all[at], true
	}
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].ID
	}
	why := lang.Say("the rules in force have no rule %s", id)
	if hint := rules.DidYouMean(id, names); hint != "" {
		why = lang.Say("%s: %s", why, hint)
	}
	fail(c, http.StatusNotFound, why)
	return info, false
}
