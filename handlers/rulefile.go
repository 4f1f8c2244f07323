package handlers

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"escalator/bot/rulefile"
)

// reload takes the rule file as it is now, and waits for the verdict.
func (s *Server) reload(c *gin.Context) {
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
	if in.Version == "" || in.By == "" {
		c.JSON(http.StatusBadRequest, gin.H{"error": `a rollback needs "version", one of GET /api/rules/history, and "by", who does it`})
		return
	}
	c.Set(actor, in.By)
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
	d, err := s.RuleFile.Diff(c.Request.Context(), c.Query("from"), c.Query("to"))
	if err != nil {
		writeRuleFileError(c, err)
		return
	}
	c.JSON(http.StatusOK, d)
}

func writeChange(c *gin.Context, change *rulefile.Change, err error) {
	if err != nil {
		writeRuleFileError(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"change": change.String(), "details": change})
}

// writeRuleFileError says why the rule file was not taken, written or read.
func writeRuleFileError(c *gin.Context, err error) {
	status := http.StatusInternalServerError
	answer := gin.H{"error": err.Error()}
	var refused *rulefile.RefusedError
	var notWritable *rulefile.NotWritableError
	switch {
	case errors.As(err, &refused):
		status = http.StatusUnprocessableEntity
		answer = gin.H{"error": refused.Why, "problems": refused.Problems()}
	case errors.As(err, &notWritable):
		status = http.StatusConflict
	case errors.Is(err, rulefile.ErrUnknownVersion):
		status = http.StatusNotFound
	case errors.Is(err, rulefile.ErrStorage):
		status = http.StatusGatewayTimeout
	}
	c.JSON(status, answer)
}
