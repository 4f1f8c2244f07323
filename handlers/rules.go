package handlers

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"escalator/bot"
	"escalator/bot/decisions"
	"escalator/bot/delivery"
	"escalator/bot/history"
	"escalator/bot/mute"
	"escalator/bot/rulefile"
	"escalator/bot/stats"
	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/suggest"
)

// RuleFile is what the API needs of the rule file.
type RuleFile interface {
	Status() rulefile.Status
	Reload(ctx context.Context) (*rulefile.Change, error)
	History() []rulefile.Accepted
	Diff(ctx context.Context, from, to string) (*rulefile.Diff, error)
	Rollback(ctx context.Context, version string, by rulefile.Author) (*rulefile.Change, error)
	Show(ctx context.Context) (*rulefile.Shown, error)
	Save(ctx context.Context, d rulefile.Draft) (*rulefile.Change, error)
	Check(ctx context.Context, sent rules.Files) (*rulefile.Checked, error)
	Compile(ctx context.Context, version string, sent rules.Files) (*rules.Policy, error)
	InForce(ctx context.Context) (rules.Set, error)
}

// ruleView is a rule as GET /api/rules shows it, with what it did in the last day.
type ruleView struct {
	rules.RuleInfo
	stats.Rule
	labelled
	CooldownS float64     `json:"cooldown"` // seconds, in the place of the duration
	Muted     *rules.Mute `json:"muted,omitempty"`
}

// listRules shows the rules in force and what each has done.
func (s *Server) listRules(c *gin.Context) {
	policy, views := s.Bot.Policy(), []ruleView{}
	labels, err := s.labelledRules(c.Request.Context())
	if err != nil {
		writeHistoryError(c, err)
		return
	}
	for _, info := range policy.Rules() {
		views = append(views, s.view(info, labels[info.ID]))
	}
	c.JSON(http.StatusOK, struct {
		rulefile.Status
		Mode  rules.Mode `json:"mode"`
		Rules []ruleView `json:"rules"`
	}{s.RuleFile.Status(), policy.Mode(), views})
}

// view is a rule with what it did, what was said of that, and whether it is muted.
func (s *Server) view(info rules.RuleInfo, said labelled) ruleView {
	v := ruleView{RuleInfo: info, Rule: s.Bot.Stats().Rule(info.ID), labelled: said, CooldownS: info.Cooldown.Seconds()}
	if m, ok := s.Bot.Muted()[info.ID]; ok && m.Until.After(s.Now()) {
		v.Muted = &m
	}
	return v
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
	d, ok := rules.ParseDuration(in.For)
	if !ok || in.For == "" {
		fail(c, http.StatusBadRequest, `"for" must be a duration up to 168h, such as "2h" or "2d" ("0s" ends a mute)`)
		return
	}
	s.setMute(c, d, strings.TrimSpace(in.By), strings.TrimSpace(in.Why))
}

// unmute ends a mute, also that of a rule which the file no longer has. Who does
// it may be told with ?by=; else it is the address of the caller.
func (s *Server) unmute(c *gin.Context) {
	s.setMute(c, 0, cmp.Or(c.Query("by"), remoteHost(c.Request.RemoteAddr)), "")
}

func (s *Server) setMute(c *gin.Context, d time.Duration, by, why string) {
	rule := pathValue(c, "id")
	c.Set(actor, by)
	m, err := s.Bot.Mute(rule, d, by, why)
	switch {
	case errors.Is(err, mute.ErrNoSuchRule):
		fail(c, http.StatusNotFound, lang.Of(err))
	case errors.Is(err, mute.ErrBad):
		fail(c, http.StatusBadRequest, lang.Of(err))
	case err != nil:
		fail(c, http.StatusInternalServerError, lang.Of(err))
	case d == 0:
		c.JSON(http.StatusOK, gin.H{"rule": rule, "muted": nil})
	default:
		c.JSON(http.StatusOK, gin.H{"rule": rule, "muted": m})
	}
}

// Operations is what the operators' API needs of the bot.
type Operations interface {
	Policy() *rules.Policy
	Muted() rules.Muted
	Mute(ruleID string, d time.Duration, by, why string) (rules.Mute, error)
	Stats() *stats.Stats
	Decisions() *decisions.List
	Preview(ctx context.Context, rule string, since time.Time) (*bot.Preview, error)
	Suggest(ctx context.Context, set rules.Set, since time.Time, n int) (*suggest.Result, error)
	Transfers(ctx context.Context) (delivery.Transfers, error)
	Retry(ctx context.Context, session string, who delivery.Operator) error
	RetryAll(ctx context.Context, code string, who delivery.Operator) (delivery.Retried, error)
	Dismiss(ctx context.Context, session string, who delivery.Operator) error
	Conversation(ctx context.Context, session string) (*history.Conversation, error)
	Forget(ctx context.Context, user string) (bot.Forgotten, error)
	UnknownEvents() map[string]int
}
