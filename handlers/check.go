package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"escalator/bot/rulefile"
	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/ruletest"
)

// drafts bounds what operators have compiled and tried at once: who types a rule file must not slow down the callbacks. It
// holds a value for each that is under way.
type drafts chan struct{}

// drafting does what may take long, once it is its turn. The error of work is answered in the form of the rule file's; false:
// it was answered.
func (s *Server) drafting(c *gin.Context, work func(ctx context.Context) error) bool {
	turn := time.NewTimer(draftTimeout)
	defer turn.Stop()
	select {
	case s.drafts <- struct{}{}:
	case <-c.Request.Context().Done():
		return false // nobody waits for the answer
	case <-turn.C:
		s.reached.of(limitDrafts)()
		c.Header("Retry-After", "1")
		fail(c, http.StatusServiceUnavailable, lang.Of(errTooManyDrafts))
		return false
	}
	err := func() error {
		defer func() { <-s.drafts }()
		ctx, cancel := context.WithTimeoutCause(c.Request.Context(), draftWithin, errTakesTooLong)
		defer cancel()
		return work(ctx)
	}()
	if err != nil {
		writeRuleFileError(c, err)
	}
	return err == nil
}

var (
	errTakesTooLong  = lang.Errorf("it takes too long: send less")
	errTooManyDrafts = lang.Errorf("too many rule files are being looked at: try again")
)

// draftRequest is the body of POST /api/check and POST /api/test: the text of the files that differ from those on disk.
type draftRequest struct {
	Files map[string]string `json:"files"`
}

// filesOf gives files in the form of the rules; nil: none was sent.
func filesOf(texts map[string]string) rules.Files {
	if texts == nil {
		return nil
	}
	files := rules.Files{}
	for name, text := range texts {
		files[name] = []byte(text)
	}
	return files
}

// check says what is wrong with rule files, and what they would change. It changes nothing.
func (s *Server) check(c *gin.Context) {
	var in draftRequest
	if !readJSON(c, &in) {
		return
	}
	var checked *rulefile.Checked
	if s.drafting(c, func(ctx context.Context) (err error) {
		checked, err = s.RuleFile.Check(ctx, filesOf(in.Files))
		return err //nolint:wrapcheck // it says itself what it is about
	}) {
		c.JSON(http.StatusOK, checked.To(language(c)))
	}
}

// test runs the tests of rule files.
func (s *Server) test(c *gin.Context) {
	var in draftRequest
	if !readJSON(c, &in) {
		return
	}
	if in.Files == nil {
		in.Files = map[string]string{} // those on disk, not those in force
	}
	var report ruletest.Report
	if s.drafting(c, func(ctx context.Context) error {
		policy, err := s.RuleFile.Compile(ctx, "", filesOf(in.Files))
		if err == nil {
			report, err = ruletest.Run(ctx, policy)
		}
		return err //nolint:wrapcheck // as above
	}) {
		c.JSON(http.StatusOK, report.To(language(c)))
	}
}
