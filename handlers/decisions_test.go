package handlers_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"escalator/bot/decisions"
	"escalator/bot/mask"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/handlers"
	"escalator/rules"
)

func newDecisions() *named {
	return &named{list: decisions.New(decisions.Options{
		LogText: mask.Masked, Records: memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(10)}),
	})}
}

// decided adds a decision and returns its id.
func (n *named) decided(session string, outcome rules.Outcome, text string) string {
	id := n.list.NewID()
	n.list.Add(&decisions.Record{ID: id, At: time.Now(), Session: session, Rule: "ask", Outcome: outcome}, text)
	return id
}

func TestDecisions_filtersOfTheQuery(t *testing.T) {
	w := newDecisions()
	w.decided("im:a|@b", rules.OutcomeTransfer, "a person")
	last := w.decided("会话/1", rules.OutcomeOffer, "50% off?")
	for query, want := range map[string]string{
		"": "会话/1 im:a|@b", "n=1": "会话/1", "before=" + last: "im:a|@b", "session=" + url.QueryEscape("im:a|@b"): "im:a|@b",
		"session=" + url.QueryEscape("会话/1"): "会话/1", "outcome=transfer,near": "im:a|@b", "q=" + url.QueryEscape("50% OFF"): "会话/1", "rule=ask&since=1h": "会话/1 im:a|@b",
		"reason=cooldown": "", "label=wrong": "", "stream=0": "会话/1 im:a|@b", "since=2020-01-01T00:00:00Z": "会话/1 im:a|@b",
	} {
		answer := operate(w, http.MethodGet, "/api/decisions?"+query, "")
		var page decisions.Page
		if err := json.Unmarshal(answer.Body.Bytes(), &page); err != nil || answer.Code != http.StatusOK || page.Kept != 2 {
			t.Fatalf("%s: %d %s", query, answer.Code, answer.Body)
		}
		var got []string
		for _, r := range page.Decisions {
			got = append(got, r.Session)
		}
		if strings.Join(got, " ") != want || page.More != (query == "n=1") {
			t.Errorf("%s: %v, more %t, want %s", query, got, page.More, want)
		}
	}
	for _, query := range []string{"", "?stream=1"} {
		if answer := operate(w, http.MethodHead, "/api/decisions"+query, ""); answer.Code != http.StatusOK || answer.Body.Len() != 0 && query != "" {
			t.Errorf("HEAD %s: %d", query, answer.Code)
		}
	}
}

// What is not known is refused, and the answer says what there is.
func TestDecisions_refusesWhatItDoesNotKnow(t *testing.T) {
	w := newDecisions()
	for query, says := range map[string]string{
		"outcome=transfered": "transfer, offer, keep, closed, suppressed, shadow, asked, message, near, none", "outcome=transfer,": "transfer, offer",
		"outcome=transfer&outcome=offer": "twice", "reason=bored": "already_human", "label=good": "right or wrong", "since=yesterday": "15m", "since=-1h": "15m",
		"colour=red": "before, stream, session", "n=0": "above 0", "n=x": "above 0", "n=": "above 0", "before=x/y|z": "id of a decision", "stream=2": "1",
		"stream=1&n=5": "a stream takes neither n nor before", "stream=1&before=x": "a stream takes neither",
		"q=" + strings.Repeat("x", 300): "200", "outcome=none": "ESCALATOR_HISTORY_FOR",
	} {
		status := http.StatusBadRequest
		if query == "outcome=none" {
			status = http.StatusNotFound // no history is kept
		}
		for _, stream := range []string{"", "&stream=1"} {
			if stream != "" && (status != http.StatusBadRequest || strings.HasPrefix(query, "stream") || strings.HasPrefix(query, "n=") || strings.HasPrefix(query, "before")) {
				continue
			}
			answer := operate(w, http.MethodGet, "/api/decisions?"+query+stream, "")
			if answer.Code != status || !strings.Contains(answer.Body.String(), says) {
				t.Errorf("%s: %d %s", query, answer.Code, answer.Body)
			}
		}
	}
}

// read reads the next event of a stream that is none but a comment.
func read(t *testing.T, lines *bufio.Reader) (event map[string]string) {
	t.Helper()
	event = map[string]string{}
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if line == "\n" && len(event) > 0 {
			return event
		}
		if name != "" {
			event[name] = value
		}
	}
}

func TestDecisions_aStreamResumesWithTheIDOfTheLastEvent(t *testing.T) {
	w := newDecisions()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go w.list.Run(ctx)
	s, _ := operators(w, nil)
	server := httptest.NewServer(s.Admin())
	defer server.Close()
	watch := func(after string) (*bufio.Reader, func()) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/decisions?stream=1&rule=ask", nil)
		if err != nil {
			t.Fatal(err)
		}
		if after != "" {
			r.Header.Set("Last-Event-ID", after)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return bufio.NewReader(resp.Body), func() { cancel(); _ = resp.Body.Close() }
	}
	first := w.decided("s1", rules.OutcomeTransfer, "")
	lines, drop := watch(first)
	begins := read(t, lines)
	second := w.decided("s2", rules.OutcomeTransfer, "")
	if e := read(t, lines); e["event"] != "decision" || e["id"] != second || !strings.Contains(e["data"], `"session":"s2"`) {
		t.Errorf("%v after %v", e, begins)
	}
	drop()
	third := w.decided("s3", rules.OutcomeTransfer, "")
	for after, want := range map[string]string{second: third, begins["id"]: second} {
		lines, drop := watch(after)
		read(t, lines) // how far it is
		if e := read(t, lines); e["id"] != want {
			t.Errorf("after %s comes %v, want %s", after, e, want)
		}
		drop()
	}
	if _, err := w.list.SetLabel(t.Context(), first, decisions.Label{Label: decisions.Right, By: "op"}); err != nil {
		t.Fatal(err)
	}
	lines, drop = watch(third)
	read(t, lines)
	if e := read(t, lines); e["event"] != "label" || e["data"] != `{"id":"`+first+`","label":"right","label_by":"op"}` || e["id"] == third {
		t.Errorf("%v", e)
	}
	drop()
	lines, drop = watch("no such id")
	if e := read(t, lines); e["event"] != "gap" || e["data"] != `{"missed":true}` || e["id"] == "" {
		t.Errorf("%v", e)
	}
	drop()
}

func TestLabel_isKept_byWhoHasTheToken(t *testing.T) {
	w := newDecisions()
	id := w.decided("s1", rules.OutcomeTransfer, "call me at 13812345678")
	s, log := operators(w, func(o *handlers.Options) { o.AdminToken = "secret" })
	put := func(id, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPut, "/api/decisions/"+id+"/label", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer secret")
		answer := httptest.NewRecorder()
		s.Admin().ServeHTTP(answer, r)
		return answer
	}
	if answer := put(id, `{"label":"wrong","by":"li","why":"opening hours"}`); answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), `"label":"wrong","label_by":"li"`) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if !strings.Contains(log.String(), `"by":"li"`) || !strings.Contains(log.String(), id) {
		t.Errorf("no line of who did it: %s", log)
	}
	for body, want := range map[string]int{
		`{"label":"good","by":"li"}`: http.StatusBadRequest, `{"by":"li"}`: http.StatusBadRequest, `{"label":"right"}`: http.StatusBadRequest, `{"label":1}`: http.StatusBadRequest,
		`{"label":"right","by":"li","of":"x"}`: http.StatusBadRequest, `{"label":"right","by":" \t"}`: http.StatusBadRequest,
	} {
		if answer := put(id, body); answer.Code != want {
			t.Errorf("%s: %d %s", body, answer.Code, answer.Body)
		}
	}
	for _, unknown := range []string{w.list.NewID(), "x", "a/b|c", "%2F", url.PathEscape("会话")} {
		if answer := put(unknown, `{"label":"right","by":"li"}`); answer.Code != http.StatusNotFound {
			t.Errorf("%s: %d %s", unknown, answer.Code, answer.Body)
		}
	}
	if answer := operate(w, http.MethodPut, "/api/decisions/"+id+"/label", `{"label":"right","by":"li"}`); answer.Code != http.StatusForbidden {
		t.Errorf("without a token: %d", answer.Code)
	}
	if answer := operate(w, http.MethodGet, "/api/labels", ""); answer.Header().Get("Content-Type") != "application/x-ndjson" ||
		!strings.HasPrefix(answer.Body.String(), `{"text":"call me at ***","label":"other","id":"`+id+`","rule":"ask","by":"li"`) {
		t.Errorf("%s", answer.Body)
	}
	put(id, `{"label":"","by":"li"}`)
	if answer := operate(w, http.MethodGet, "/api/labels", ""); answer.Body.Len() != 0 || strings.Contains(operate(w, http.MethodGet, "/api/decisions", "").Body.String(), "label") {
		t.Errorf("it was taken back, and is still there: %s", answer.Body)
	}
}
