package notify

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/rules"
)

// The line of a message that tells of several events is found by the request of each.
func TestGroup_theLineOfAMessage_namesTheRequestsOfItsEvents(t *testing.T) {
	team, now := &rules.Team{Name: "support", Every: time.Hour}, time.Now()
	g := &group{}
	lines := func() (of []any) {
		f := g.fields()
		return []any{f["request_id"], f["request_ids"]}
	}
	for i, step := range []struct {
		request string
		want    []any
	}{
		{"", []any{nil, nil}},
		{"r1", []any{"r1", nil}},
		{"r2", []any{nil, []string{"r1", "r2"}}},
		{"r1", []any{nil, []string{"r2", "r1"}}},
	} {
		g.add(team, Event{Kind: Failed, RequestID: step.request}, now)
		if diff := cmp.Diff(step.want, lines()); diff != "" {
			t.Errorf("step %d: %s", i, diff)
		}
	}
	told := *g
	g.add(team, Event{Kind: Failed, RequestID: "later"}, now)
	g.sent(&told, time.Hour, now)
	if diff := cmp.Diff([]any{"later", nil}, lines()); diff != "" {
		t.Errorf("once they were told: %s", diff)
	}
}
