package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"escalator/bot"
	"escalator/bot/rulefile"
	"escalator/rules"
)

// RuleFile is what the API needs of the rule file.
type RuleFile interface {
	Status() rulefile.Status
	Reload() (*rulefile.Change, error)
}

// ruleView is a rule as GET /api/rules shows it.
type ruleView struct {
	rules.RuleInfo
	bot.RuleStats
	CooldownS float64   `json:"cooldown"` // seconds, in the place of the duration
	Muted     *muteView `json:"muted,omitempty"`
}

type muteView struct {
	Until time.Time `json:"until"`
	By    string    `json:"by"`
	Why   string    `json:"why"`
}

// listRules shows the rules in force and what each has done.
func (s *Server) listRules(c *gin.Context) {
	policy, muted, now := s.Bot.Policy(), s.Bot.Muted(), s.Now()
	views := []ruleView{}
	for _, info := range policy.Rules() {
		v := ruleView{RuleInfo: info, RuleStats: s.Bot.RuleStats(info.ID), CooldownS: info.Cooldown.Seconds()}
		if m, ok := muted[info.ID]; ok && m.Until.After(now) {
			v.Muted = &muteView{m.Until, m.By, m.Why}
		}
		views = append(views, v)
	}
	status := s.RuleFile.Status()
	answer := gin.H{"version": status.Version, "loaded_at": status.LoadedAt, "mode": policy.Mode(), "rules": views}
	if status.LastError != "" {
		answer["last_error"], answer["failed_at"] = status.LastError, status.FailedAt
	}
	c.JSON(http.StatusOK, answer)
}

// reload takes the rule file as it is now, and waits for the verdict.
func (s *Server) reload(c *gin.Context) {
	change, err := s.RuleFile.Reload()
	var refused *rulefile.RefusedError
	switch {
	case errors.As(err, &refused):
		c.JSON(http.StatusUnprocessableEntity, gin.H{"error": refused.Why, "problems": refused.Problems()})
	case err != nil:
		c.JSON(http.StatusInternalServerError, gin.H{"error": err.Error()})
	default:
		c.JSON(http.StatusOK, gin.H{"change": change.String(), "details": change})
	}
}

// muteRequest is the body of POST /api/rules/{id}/mute.
type muteRequest struct {
	For string `json:"for"`
	By  string `json:"by"`
	Why string `json:"why"`
}

// mute silences a rule for a while.
func (s *Server) mute(c *gin.Context) {
	var in muteRequest
	if !readJSON(c, &in) {
		return
	}
	d, err := time.ParseDuration(in.For)
	if err != nil {
		c.JSON(http.StatusBadRequest, gin.H{"error": `"for" must be a duration such as "2h" ("0s" ends a mute)`})
		return
	}
	m, err := s.Bot.Mute(c.Param("id"), d, in.By, in.Why)
	switch {
	case errors.Is(err, bot.ErrNoSuchRule):
		c.JSON(http.StatusNotFound, gin.H{"error": err.Error()})
	case errors.Is(err, bot.ErrBadMute):
		c.JSON(http.StatusBadRequest, gin.H{"error": err.Error()})
	case err != nil:
		c.JSON(http.StatusInternalServerError, gin.H{"error": err.Error()})
	default:
		c.JSON(http.StatusOK, gin.H{"rule": c.Param("id"), "muted": muteView{m.Until, m.By, m.Why}})
	}
}

// maxRequest bounds what an operator sends.
const maxRequest = 256 << 10

// readJSON reads a bounded body strictly; false means that it has answered.
func readJSON(c *gin.Context, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(c.Writer, c.Request.Body, maxRequest))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		c.JSON(http.StatusBadRequest, gin.H{"error": "the body must be JSON of the documented form: " + err.Error()})
		return false
	}
	return true
}

// Operations is what the operators' API needs of the bot.
type Operations interface {
	Policy() *rules.Policy
	Muted() rules.Muted
	Mute(ruleID string, d time.Duration, by, why string) (rules.Mute, error)
	RuleStats(id string) bot.RuleStats
	Decisions(n int) []*bot.DecisionRecord
	Watch() (decisions <-chan *bot.DecisionRecord, stop func())
	Transfers(ctx context.Context) (bot.Transfers, error)
	Retry(ctx context.Context, session string) error
}
