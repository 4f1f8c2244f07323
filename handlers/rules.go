package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
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
	"escalator/rules/replay"
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
}

// ruleView is a rule as GET /api/rules shows it, with what it did in the last day.
type ruleView struct {
	rules.RuleInfo
	stats.Rule
	CooldownS float64     `json:"cooldown"` // seconds, in the place of the duration
	Muted     *rules.Mute `json:"muted,omitempty"`
}

// listRules shows the rules in force and what each has done.
func (s *Server) listRules(c *gin.Context) {
	policy, muted, now := s.Bot.Policy(), s.Bot.Muted(), s.Now()
	views := []ruleView{}
	for _, info := range policy.Rules() {
		v := ruleView{RuleInfo: info, Rule: s.Bot.Stats().Rule(info.ID), CooldownS: info.Cooldown.Seconds()}
		if m, ok := muted[info.ID]; ok && m.Until.After(now) {
			v.Muted = &m
		}
		views = append(views, v)
	}
	c.JSON(http.StatusOK, struct {
		rulefile.Status
		Mode  rules.Mode `json:"mode"`
		Rules []ruleView `json:"rules"`
	}{s.RuleFile.Status(), policy.Mode(), views})
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
		c.JSON(http.StatusBadRequest, gin.H{"error": `"for" must be a duration such as "2h" or "2d" ("0s" ends a mute)`})
		return
	}
	s.setMute(c, d, in.By, in.Why)
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
		c.JSON(http.StatusNotFound, gin.H{"error": err.Error()})
	case errors.Is(err, mute.ErrBad):
		c.JSON(http.StatusBadRequest, gin.H{"error": err.Error()})
	case err != nil:
		c.JSON(http.StatusInternalServerError, gin.H{"error": err.Error()})
	case d == 0:
		c.JSON(http.StatusOK, gin.H{"rule": rule, "muted": nil})
	default:
		c.JSON(http.StatusOK, gin.H{"rule": rule, "muted": m})
	}
}

// What one request may have explained.
const (
	maxExplained     = 100    // turns
	maxExplainedText = 16_000 // bytes of each
)

// explainRequest is the body of POST /api/explain: one message of the customer,
// or the turns of a conversation.
type explainRequest struct {
	Text   string            `json:"text"`
	Fields map[string]string `json:"fields"` // of the message
	Turns  []replay.Said     `json:"turns"`
	At     time.Time         `json:"at"`   // now, if it is not given
	User   string            `json:"user"` // for shares: without it everybody is in
}

// steps returns what was said, or what is wrong with it.
func (r *explainRequest) steps() ([]rules.Step, error) {
	said := r.Turns
	switch {
	case (r.Text == "") == (len(said) == 0):
		return nil, errors.New(`send "text", one message of the customer, or "turns", a list of {"role","text"}`)
	case len(said) == 0:
		said = []replay.Said{{Role: "user", Text: r.Text, Fields: r.Fields}}
	case r.Fields != nil:
		return nil, errors.New(`send the "fields" of each turn with it`)
	case len(said) > maxExplained:
		return nil, fmt.Errorf("%d turns are more than %d", len(said), maxExplained)
	}
	for i, t := range said {
		if len(t.Text) > maxExplainedText {
			return nil, fmt.Errorf("turn %d: the text is longer than %d bytes", i+1, maxExplainedText)
		}
	}
	return replay.Steps(said, r.At)
}

// explain shows what a message would do under the rules and the mutes in
// force, as the command explain does.
func (s *Server) explain(c *gin.Context) {
	var in explainRequest
	if !readJSON(c, &in) {
		return
	}
	if in.At.IsZero() {
		in.At = s.Now()
	}
	var story replay.Explanation
	steps, err := in.steps()
	if err == nil {
		story, err = replay.Explain(s.Bot.Policy(), steps, in.At, s.mutedNow(), in.User)
	}
	if err != nil {
		c.JSON(http.StatusBadRequest, gin.H{"error": err.Error()})
		return
	}
	c.JSON(http.StatusOK, story)
}

// mutedNow is the mutes that have not ended by the clock: what is explained is
// often said at another time.
func (s *Server) mutedNow() rules.Muted {
	now, muted := s.Now(), rules.Muted{}
	for id, m := range s.Bot.Muted() {
		if m.Until.After(now) {
			muted[id] = m
		}
	}
	return muted
}

// Operations is what the operators' API needs of the bot.
type Operations interface {
	Policy() *rules.Policy
	Muted() rules.Muted
	Mute(ruleID string, d time.Duration, by, why string) (rules.Mute, error)
	Stats() *stats.Stats
	Decisions() *decisions.List
	Transfers(ctx context.Context) (delivery.Transfers, error)
	Retry(ctx context.Context, session string, who delivery.Operator) error
	RetryAll(ctx context.Context, code string, who delivery.Operator) (delivery.Retried, error)
	Dismiss(ctx context.Context, session string, who delivery.Operator) error
	Conversation(ctx context.Context, session string) (*history.Conversation, error)
	Forget(ctx context.Context, user string) (bot.Forgotten, error)
	UnknownEvents() map[string]int
}
