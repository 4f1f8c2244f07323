package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"escalator/bot/history"
)

// Each replica tells the whole of a conversation. What one of them saw while Redis was
// away is told by that one only, together with the rest.
func TestReplicas_aConversationIsToldWholeByEach(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	a, b := c.replicas[0], c.replicas[1]
	said := func(s *service) (texts []string) {
		for _, e := range s.conversation("s1").Entries {
			if e.Kind == history.Turn && e.Role == "user" {
				texts = append(texts, e.Text)
			}
		}
		return texts
	}
	c.desk.SetCallbackURL(a.url)
	c.says("s1", "first")
	a.conversation("s1") // it is written by then
	c.desk.SetCallbackURL(b.url)
	c.says("s1", "second")
	b.conversation("s1")
	for _, s := range c.replicas {
		if got := said(s); !slices.Equal(got, []string{"first", "second"}) {
			t.Errorf("%q", got)
		}
	}
	c.redis.Kill()
	b.log("redis cannot be used: working alone, from this replica's memory and disk", nil)
	c.says("s1", "third")
	eventually(t, "what happened meanwhile", func() bool { return strings.Join(said(b), " ") == "third" })
	c.redis.Restart()
	b.log("redis is back: state is shared again", nil)
	eventually(t, "all of it", func() bool { return said(b)[len(said(b))-1] == "third" })
}
