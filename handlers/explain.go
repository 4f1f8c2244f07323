package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/replay"
	"escalator/rules/ruletest"
)

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

	Version string            `json:"version"` // "": the rules in force; disk: the file as it is now; else one that is kept
	Files   map[string]string `json:"files"`   // in the place of those on disk
	Against string            `json:"against"` // a version to compare with
	AsTest  string            `json:"as_test"` // the name of a test to be made of it
}

// steps returns what was said, or what is wrong with it.
func (r *explainRequest) steps() ([]rules.Step, error) {
	said := r.Turns
	switch {
	case r.Version != "" && r.Files != nil:
		return nil, lang.Errorf(`send "version" or "files": which rules are to explain it?`)
	case (r.Text == "") == (len(said) == 0):
		return nil, lang.Errorf(`send "text", one message of the customer, or "turns", a list of {"role","text"}`)
	case len(said) == 0:
		said = []replay.Said{{Role: "user", Text: r.Text, Fields: r.Fields}}
	case r.Fields != nil:
		return nil, lang.Errorf(`put the "fields" of each turn into that turn`)
	case len(said) > maxExplained:
		return nil, lang.Errorf("%d turns are more than %d", len(said), maxExplained)
	}
	for i, t := range said {
		if len(t.Text) > maxExplainedText {
			return nil, lang.Errorf("turn %d: the text is longer than %d bytes", i+1, maxExplainedText)
		}
	}
	return replay.Steps(said, r.At)
}

// explained is the answer of POST /api/explain.
type explained struct {
	Version string `json:"version"` // of the rules that explain it
	replay.Explanation
	Against *comparison `json:"against,omitempty"`
	// Differs are the places of the turns whose decision is another one under the rules of Against.
	Differs []int  `json:"differs,omitzero"`
	Test    string `json:"test,omitempty"`
}

// comparison is what other rules would have done.
type comparison struct {
	Version string `json:"version"`
	replay.Explanation
	// Error says why they did not come to the end, as where a transfer is said to end that they did not make.
	Error lang.Text `json:"error,omitempty"`
}

// explain shows what a message would do, by default under the rules and the mutes in force, as the command explain does.
func (s *Server) explain(c *gin.Context) {
	var in explainRequest
	if !readJSON(c, &in) {
		return
	}
	if in.At.IsZero() {
		in.At = s.Now()
	}
	steps, err := in.steps()
	if err != nil {
		fail(c, http.StatusBadRequest, lang.Of(err))
		return
	}
	var story *explained
	var wrong error // with what is asked for
	if !s.drafting(c, func(ctx context.Context) (err error) {
		story, wrong, err = s.explained(ctx, &in, steps)
		return err
	}) {
		return
	}
	if wrong != nil {
		fail(c, http.StatusBadRequest, lang.Of(wrong))
		return
	}
	story.read(language(c))
	c.JSON(http.StatusOK, story)
}

// explained tells the story. wrong is what is wrong with the request, err what is with the rules.
func (s *Server) explained(ctx context.Context, in *explainRequest, steps []rules.Step) (x *explained, wrong, err error) {
	policy, err := s.policyOf(ctx, in.Version, filesOf(in.Files))
	if err != nil {
		return nil, nil, err
	}
	setting := replay.Setting{Begin: in.At, Muted: s.mutedNow(), User: in.User}
	x = &explained{Version: policy.Version()}
	if x.Explanation, wrong = replay.Explain(ctx, policy, steps, setting); wrong != nil {
		return nil, wrong, context.Cause(ctx)
	}
	if in.Against != "" {
		other, err := s.policyOf(ctx, in.Against, nil)
		if err != nil {
			return nil, nil, err
		}
		x.Against = &comparison{Version: other.Version()}
		if x.Against.Explanation, err = replay.Explain(ctx, other, steps, setting); err != nil {
			x.Against.Error = lang.Of(err)
		}
		x.Differs = replay.Differ(x.Explanation, x.Against.Explanation)
	}
	if in.AsTest != "" {
		draft := ruletest.Draft{Name: in.AsTest, Steps: steps, Begin: in.At}
		if len(setting.Muted) > 0 || in.User != "" {
			draft.Note = "as it would be without mutes, and for everybody in every share"
		}
		x.Test, wrong = ruletest.Entry(ctx, policy, draft)
	}
	return x, wrong, context.Cause(ctx)
}

// read puts the words into the language of the reader.
func (x *explained) read(l lang.Language) {
	x.Explanation = x.To(l)
	if x.Against != nil {
		x.Against.Explanation, x.Against.Error = x.Against.To(l), x.Against.Error.To(l)
	}
}

// policyOf gives the rules of a version, or of files.
func (s *Server) policyOf(ctx context.Context, version string, files rules.Files) (*rules.Policy, error) {
	if version == "" && files == nil {
		return s.Bot.Policy(), nil
	}
	return s.RuleFile.Compile(ctx, version, files) //nolint:wrapcheck // it says itself what it is about
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
