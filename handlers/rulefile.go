package handlers

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"escalator/bot/rulefile"
	"escalator/rules/lang"
)

// reload takes the rule file as it is now, and waits for the verdict.
func (s *Server) reload(c *gin.Context) {
	if _, ok := readOperator(c); !ok {
		return
	}
	change, err := s.RuleFile.Reload(c.Request.Context())
	writeChange(c, change, err)
}

// rollbackRequest is the body of POST /api/rules/rollback.
type rollbackRequest struct {
	Version string `json:"version"`
	By      string `json:"by"`
	Why     string `json:"why"`
}

// rollback puts an accepted version back where the rules are read, and takes it.
func (s *Server) rollback(c *gin.Context) {
	var in rollbackRequest
	if !readJSON(c, &in) {
		return
	}
	if in.By = strings.TrimSpace(in.By); in.Version == "" || in.By == "" {
		fail(c, http.StatusBadRequest, `a rollback needs "version" (one of GET /api/rules/history) and "by" (who does it)`)
		return
	}
	c.Set(actor, in.By)
	c.Set(subject, in.Version)
	by := rulefile.Author{By: in.By, Why: in.Why, Address: remoteHost(c.Request.RemoteAddr)}
	change, err := s.RuleFile.Rollback(c.Request.Context(), in.Version, by)
	writeChange(c, change, err)
}

// ruleHistory lists the accepted versions, newest first.
func (s *Server) ruleHistory(c *gin.Context) {
	c.JSON(http.StatusOK, gin.H{"in_force": s.RuleFile.Status().Version, "versions": s.RuleFile.History()})
}

// ruleDiff compares two versions: unless told otherwise the one in force, and the file as it is now.
func (s *Server) ruleDiff(c *gin.Context) {
	var d *rulefile.Diff
	if s.drafting(c, func(ctx context.Context) (err error) {
		d, err = s.RuleFile.Diff(ctx, c.Query("from"), c.Query("to"))
		return err //nolint:wrapcheck // it says itself what it is about
	}) {
		c.JSON(http.StatusOK, d)
	}
}

func writeChange(c *gin.Context, change *rulefile.Change, err error) {
	if err != nil {
		writeRuleFileError(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"change": change.String(), "details": change, "version": change.Version})
}

// writeRuleFileError says why the rule file was not taken, written or read.
func writeRuleFileError(c *gin.Context, err error) {
	status := http.StatusInternalServerError
	body := fault(c, lang.Of(err))
	var refused *rulefile.RefusedError
	var notWritable *rulefile.NotWritableError
	var stale *rulefile.StaleError
	switch {
	case errors.As(err, &stale):
		status = http.StatusPreconditionFailed
		body = fault(c, stale.Said())
		body["version"] = stale.Version
	case errors.As(err, &refused):
		status = http.StatusUnprocessableEntity
		body["error"], body["problems"] = refused.Why.To(language(c)), refused.ProblemsTo(language(c))
	case errors.As(err, &notWritable):
		status = http.StatusConflict
	case errors.Is(err, rulefile.ErrUnknownVersion):
		status = http.StatusNotFound
	case errors.Is(err, errTakesTooLong):
		status = http.StatusUnprocessableEntity
	case errors.Is(err, rulefile.ErrStorage):
		status = http.StatusGatewayTimeout
	}
	c.JSON(status, body)
}

// showFile shows the rule file with what it takes in, as it is on disk.
func (s *Server) showFile(c *gin.Context) {
	var shown *rulefile.Shown
	if !s.drafting(c, func(ctx context.Context) (err error) {
		shown, err = s.RuleFile.Show(ctx)
		return err //nolint:wrapcheck // it says itself what it is about
	}) {
		return
	}
	if s.AdminToken == "" {
		shown.Writable, shown.WhyNot = false, needsToken.String()
	}
	read(c, &shown.WhyNot)
	c.Header("ETag", `"`+shown.Version+`"`)
	c.JSON(http.StatusOK, shown)
}

// saveRequest is the body of PUT /api/rules/file.
type saveRequest struct {
	Files    map[string]string `json:"files"` // those that change
	By       string            `json:"by"`
	Why      string            `json:"why"`
	RunTests bool              `json:"run_tests"` // failing ones refuse it also where test_policy is warn
}

// saveFile writes rule files and puts them in force, if they are still those that If-Match names.
func (s *Server) saveFile(c *gin.Context) {
	from, ok := ifMatch(c.Request)
	if !ok {
		fail(c, http.StatusPreconditionRequired, `send If-Match with the "version" that GET /api/rules/file showed, so that nobody else's work is lost`)
		return
	}
	var in saveRequest
	if !readJSON(c, &in) {
		return
	}
	in.By, in.Why = strings.TrimSpace(in.By), strings.TrimSpace(in.Why)
	if len(in.Files) == 0 || in.By == "" || in.Why == "" {
		fail(c, http.StatusBadRequest, `send "files" (texts by name), "by" (who changes them) and "why"`)
		return
	}
	c.Set(actor, in.By)
	how := "console"
	if s.hasToken(bearerOf(c.Request)) {
		how = "api"
	}
	var change *rulefile.Change
	if !s.drafting(c, func(ctx context.Context) (err error) {
		change, err = s.RuleFile.Save(ctx, rulefile.Draft{
			Files: filesOf(in.Files), From: from, TestsMustPass: in.RunTests,
			Author: rulefile.Author{How: how, By: in.By, Why: in.Why, Address: remoteHost(c.Request.RemoteAddr)},
		})
		return err //nolint:wrapcheck // as above
	}) {
		return
	}
	c.Set(subject, change.Version)
	c.Header("ETag", `"`+change.Version+`"`)
	writeChange(c, change, nil)
}

// ifMatch gives the one version that a request names. Any version, as * would be, is none.
func ifMatch(r *http.Request) (version string, ok bool) {
	tags := r.Header.Values("If-Match")
	if len(tags) != 1 {
		return "", false
	}
	version = strings.Trim(strings.TrimSpace(tags[0]), `"`)
	return version, version != "" && version != "*"
}
