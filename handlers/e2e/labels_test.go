package e2e_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"escalator/bot/decisions"
)

// labelled has somebody label the decision of a session, and returns its id.
func (s *service) labelled(session, label string) (id string) {
	s.t.Helper()
	eventually(s.t, "the decision of "+session, func() bool {
		_, page := s.operates(http.MethodGet, "/api/decisions?session="+session+"&outcome=transfer", "", nil)
		if list, _ := page["decisions"].([]any); len(list) > 0 {
			id, _ = list[0].(map[string]any)["id"].(string)
		}
		return id != ""
	})
	if code, body := s.operates(http.MethodPut, "/api/decisions/"+id+"/label", "", map[string]string{"label": label, "by": "li"}); code != http.StatusOK || body["label"] != label {
		s.t.Fatalf("%d %v", code, body)
	}
	return id
}

// labels are the sessions of labelled decisions, and what eval is to learn of them.
func (s *service) labels() (learns string, right, wrong int) {
	s.t.Helper()
	shown := map[string]int{}
	for _, label := range []string{decisions.Right, decisions.Wrong} {
		_, page := s.operates(http.MethodGet, "/api/decisions?label="+label, "", nil)
		list, _ := page["decisions"].([]any)
		shown[label] = len(list)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.admin+"/api/labels", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+adminToken)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%d %s %v", resp.StatusCode, lines, err)
	}
	return string(lines), shown[decisions.Right], shown[decisions.Wrong]
}

func TestLabels_outliveAKillAndARestart(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, plainRules, "ESCALATOR_ADMIN_TOKEN="+adminToken)
	for _, session := range []string{"s1", "s2", "s3"} {
		s.desk.Begin(session)
		s.says(session, "human "+session)
	}
	s.labelled("s1", decisions.Right)
	s.labelled("s2", decisions.Wrong)
	s.labelled("s3", decisions.Wrong)
	s.labelled("s3", decisions.Right)                            // the last word counts
	s.operates(http.MethodGet, "/api/conversations/s3", "", nil) // the history is on disk by then
	for _, end := range []func(){func() { s.kill() }, func() { s.stop() }} {
		end()
		s.start("ESCALATOR_ADMIN_TOKEN=" + adminToken)
		eventually(t, "labels on what was restored", func() bool { _, right, wrong := s.labels(); return right == 2 && wrong == 1 })
		learns, _, _ := s.labels()
		if strings.Count(learns, "\n") != 3 || !strings.Contains(learns, `"text":"human s2","label":"other"`) || !strings.Contains(learns, `"text":"human s3","label":"human"`) {
			t.Errorf("%s", learns)
		}
	}
}

// A label that is given while Redis is away is everybody's when it is back, with those from before.
func TestReplicas_labelsOutliveAnOutageOfRedis(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2, "--appendfsync", "always")
	token := "ESCALATOR_ADMIN_TOKEN=" + adminToken
	c.settings = append(c.settings, token)
	for n := range c.replicas {
		c.replace(n)
	}
	a, b := c.replicas[0], c.replicas[1]
	for _, session := range []string{"s1", "s2"} {
		c.desk.Begin(session)
		c.says(session, "human "+session)
	}
	a.labelled("s1", decisions.Right)
	b.labelled("s2", decisions.Right)
	c.redis.Kill()
	a.log("redis cannot be used: working alone, from this replica's memory and disk", nil)
	b.log("redis cannot be used: working alone, from this replica's memory and disk", nil)
	a.labelled("s1", decisions.Wrong)
	c.redis.Restart()
	for _, s := range c.replicas {
		eventually(t, "both labels at each replica", func() bool {
			learns, right, wrong := s.labels()
			return right == 1 && wrong == 1 && strings.Contains(learns, `"text":"human s1","label":"other"`) && strings.Contains(learns, `"text":"human s2","label":"human"`)
		})
	}
}
