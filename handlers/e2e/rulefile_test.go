package e2e_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// operates sends a request with the operators' token, and reads the answer.
func (s *service) operates(method, path, match string, body any) (status int, doc map[string]any) {
	s.t.Helper()
	src, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	if body == nil {
		src = nil
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.admin+path, bytes.NewReader(src))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+adminToken)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if match != "" {
		r.Header.Set("If-Match", match)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	doc = document(s.t, string(answer))
	doc["etag"] = resp.Header.Get("ETag")
	return resp.StatusCode, doc
}

// TestRuleFile_isEditedFromAfar goes the way of somebody who edits the rules in the console.
func TestRuleFile_isEditedFromAfar(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, ruleFile("abracadabra"), "ESCALATOR_ADMIN_TOKEN="+adminToken)
	_, file := s.operates(http.MethodGet, "/api/rules/file", "", nil)
	first, _ := file["version"].(string)
	inForce, _ := file["in_force"].(bool)
	writable, _ := file["writable"].(bool)
	if file["main"] != "rules.yaml" || !inForce || !writable || file["etag"] != `"`+first+`"` {
		t.Fatalf("%v", file)
	}
	draft := map[string]any{"files": map[string]string{"rules.yaml": ruleFile("opensesame")}}
	if _, doc := s.operates(http.MethodPost, "/api/check", "", draft); doc["summary"] == nil || !strings.Contains(doc["difference"].(map[string]any)["diff"].(string), "+lists: {magic: [opensesame]}") {
		t.Errorf("check: %v", doc)
	}
	if _, doc := s.operates(http.MethodPost, "/api/test", "", draft); doc["failed"] != 0.0 || doc["passed"] == 0.0 {
		t.Errorf("test: %v", doc)
	}
	s.obeys("opensesame", false)
	save := map[string]any{"files": draft["files"], "by": "zhang", "why": "a better word", "run_tests": true}
	if status, doc := s.operates(http.MethodPut, "/api/rules/file", `"000000000000"`, save); status != http.StatusPreconditionFailed || doc["version"] != first {
		t.Errorf("another version: %d %v", status, doc)
	}
	status, doc := s.operates(http.MethodPut, "/api/rules/file", `"`+first+`"`, save)
	if status != http.StatusOK || doc["etag"] != `"`+doc["version"].(string)+`"` {
		t.Fatalf("save: %d %v", status, doc)
	}
	s.log("rules saved", map[string]any{"by": "zhang", "why": "a better word", "version_before": first})
	s.log("operator", map[string]any{"action": "PUT /api/rules/file", "by": "zhang"})
	s.obeys("opensesame", true)
	if src, err := os.ReadFile(filepath.Join(s.dir, "rules.yaml")); err != nil || string(src) != ruleFile("opensesame") {
		t.Errorf("%s, %v", src, err)
	}
	if _, doc := s.operates(http.MethodGet, "/api/rules/history", "", nil); doc["versions"].([]any)[0].(map[string]any)["author"] != "api" {
		t.Errorf("history: %v", doc)
	}
	for _, against := range []string{first, "disk"} {
		_, doc := s.operates(http.MethodPost, "/api/explain", "", map[string]any{"text": "opensesame", "against": against, "as_test": "the word"})
		want := map[string]int{first: 1, "disk": 0}[against]
		if differs, ok := doc["differs"].([]any); !ok || len(differs) != want || !strings.Contains(doc["test"].(string), "say: opensesame, expect: {rule: magic, target: default}") {
			t.Errorf("against %s: %v", against, doc)
		}
	}
	if _, doc := s.operates(http.MethodPost, "/api/explain", "", map[string]any{"text": "abracadabra", "version": first}); doc["version"] != first || doc["turns"].([]any)[0].(map[string]any)["decision"].(map[string]any)["rule"] != "magic" {
		t.Errorf("under the first version: %v", doc)
	}
}

// TestExplain_theLongestTalk is answered in the time that a request has.
func TestExplain_theLongestTalk(t *testing.T) {
	t.Parallel()
	s := startService(t, "ESCALATOR_ADMIN_TOKEN="+adminToken)
	turn := map[string]string{"role": "user", "text": strings.Repeat("我想问一下 my order, ", 615)}
	body := map[string]any{"as_test": "long", "against": "disk", "turns": []any{}}
	for range 100 {
		body["turns"] = append(body["turns"].([]any), turn)
	}
	began := time.Now()
	status, doc := s.operates(http.MethodPost, "/api/explain", "", body)
	if status != http.StatusOK || len(doc["turns"].([]any)) != 100 || len(doc["differs"].([]any)) != 0 || time.Since(began) > 10*time.Second {
		t.Errorf("%d after %s: %.200v", status, time.Since(began), doc["error"])
	}
	t.Logf("%d bytes of text in %s", len(turn["text"]), time.Since(began))
}
