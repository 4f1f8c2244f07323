package redis

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"escalator/bot/store/redis/redistest"
)

func TestReplicas_knowOfEachOther_untilOneIsGoneForLong(t *testing.T) {
	now := time.Now().Truncate(time.Millisecond)
	c, err := New(Options{URL: redistest.Start(t).URL(), App: 1, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for _, step := range []struct {
		self  string
		after time.Duration
		want  string
	}{
		{"a", 0, "a"},
		{"b", time.Second, "a b"},
		{"b", keepReplicas, "b"},
		{"a", time.Second, "a b"},
		{"a", 2 * keepReplicas, "a"},
	} {
		now = now.Add(step.after)
		seen, err := c.Replicas(t.Context(), step.self)
		if got := strings.Join(slices.Sorted(maps.Keys(seen)), " "); err != nil || got != step.want || !seen[step.self].Equal(now) {
			t.Errorf("%s after %s: %v, %v; want %s", step.self, step.after, seen, err, step.want)
		}
	}
}
