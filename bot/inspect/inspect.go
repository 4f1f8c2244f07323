package inspect

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"escalator/bot/desk"
	"escalator/rules"
	"escalator/rules/lang"
)

const (
	// Within is how long all questions to Desk take at most.
	Within = 20 * time.Second
	// maxLines bounds the findings of one kind, maxNames the names in one of them.
	maxLines = 10
	maxNames = 8
	// maxWords is how many characters of a text are shown.
	maxWords = 40
	// warning begins a finding that is no fault.
	warning lang.Text = "warning: "
)

// Finding is one line about an installation.
type Finding struct {
	Check  lang.Text `json:"check"`
	OK     bool      `json:"ok"`
	Detail lang.Text `json:"detail"`
	WayOut lang.Text `json:"way_out,omitempty"`
}

// Options is what is compared.
type Options struct {
	Desk   *desk.Client
	Policy *rules.Policy
	// AIProvider is who answers where the file does not say: desk, self or omit.
	AIProvider string
	// Forwards says that an own bot answers behind us (ESCALATOR_FORWARD_URL).
	Forwards bool
}

// Run asks Desk and compares. The findings stand in a fixed order.
func Run(ctx context.Context, o Options) []Finding {
	ctx, cancel := context.WithTimeout(ctx, Within)
	defer cancel()
	s := ask(ctx, o)
	var all []Finding
	for _, findings := range [][]Finding{s.groupLines(), s.agentLines(), s.textLines(), s.hourLines(), s.robotLines(), s.excuseLines(), s.refusals()} {
		all = append(all, few(findings)...)
	}
	return all
}

// few cuts a list of findings of one kind. Faults come first, and none of them turns into
// a warning by being cut.
func few(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int { return rank(a) - rank(b) })
	if len(findings) <= maxLines {
		return findings
	}
	more := Finding{Check: findings[0].Check, OK: findings[maxLines].OK, Detail: lang.Say("and %d more like these", len(findings)-maxLines)}
	return append(findings[:maxLines:maxLines], more)
}

func rank(f Finding) int {
	switch {
	case !f.OK:
		return 0
	case strings.HasPrefix(f.Detail.String(), warning.String()):
		return 1
	}
	return 2
}

// some lists names, not too many.
func some(names []string) lang.Text {
	texts := make([]lang.Text, len(names))
	for i, name := range names {
		texts[i] = lang.Raw(name)
	}
	return someOf(texts)
}

// someOf is some for names that are said differently in each language.
func someOf(names []lang.Text) lang.Text {
	if len(names) > maxNames {
		return lang.Say("%s and %d more", lang.Join(", ", names[:maxNames]...), len(names)-maxNames)
	}
	return lang.Join(", ", names...)
}

// quoted shows the beginning of a text.
func quoted(words string) string {
	if runes := []rune(words); len(runes) > maxWords {
		words = string(runes[:maxWords]) + "…"
	}
	return fmt.Sprintf("%q", words)
}
