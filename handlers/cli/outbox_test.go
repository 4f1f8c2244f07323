package cli

import (
	"net/http"
	"strings"
	"testing"
)

const outboxAnswer = `{"pending":[{"id":"s1","session":"s1","rule":"ask-human","target":"vip","state":"pending","since":"2026-01-05T02:00:00Z","attempt":3,"code":"network","error":"transfer_to_human: connection refused"}],
"given_up":[{"id":"im:a|@b","rule":"ask-human","target":"default","state":"given_up","since":"2026-01-05T01:00:00Z","code":141004,"error":"no such group \u001b[31m"},{"id":"s9","session":"s9","rule":"r","target":"t","state":"given_up","since":"2026-01-05T01:00:00Z"}]}`

func TestOutboxCommands_askAndShow(t *testing.T) {
	for _, c := range []struct {
		args          string
		answer        string
		request, body string
		says          []string
	}{
		{"outbox", outboxAnswer, "GET /api/outbox", "", []string{"on their way: 1", "s1  pending since ", "target vip, code network", "connection refused", "given up: 2", "im:a|@b  given_up since", "code 141004", `no such group \x1b[31m`}},
		{"outbox", `{"pending":[],"given_up":[]}`, "GET /api/outbox", "", []string{"on their way: 0\ngiven up: 0\n"}},
		{"retry s1 --why mended", `{"session":"s1","state":"pending"}`, "POST /api/outbox/s1/retry", `{"by":"zhang","why":"mended"}`, []string{"s1 is on its way again"}},
		{"retry im:a|@b/c --by li", `{"session":"x","state":"pending"}`, "POST /api/outbox/im:a%7C@b%2Fc/retry", `{"by":"li","why":""}`, []string{"im:a|@b/c is on its way again"}},
		{"retry --code 70009", `{"retried":3,"target_gone":1,"left":2}`, "POST /api/outbox/retry?code=70009", `{"by":"zhang","why":""}`, []string{"3 on their way again", "1 not retried: the rules", "2 not retried: they changed"}},
		{"dismiss s1", `{"session":"s1","state":"dismissed"}`, "POST /api/outbox/s1/dismiss", `{"by":"zhang","why":""}`, []string{"s1 is dismissed"}},
	} {
		s := &playedService{status: http.StatusOK, answer: c.answer}
		variables := map[string]string{"USER": "zhang", "ESCALATOR_ADMIN_TOKEN": "planted-admin-token"}
		r := s.asks(t, variables, strings.Fields(c.args)...)
		if r.code != exitOK || r.stderr != "" || s.request != c.request || s.body != c.body || s.token != "Bearer planted-admin-token" {
			t.Errorf("%s: %+v; asked %s %s with %s", c.args, r, s.request, s.body, s.token)
		}
		for _, want := range c.says {
			if !strings.Contains(r.stdout, want) {
				t.Errorf("%s does not say %q:\n%s", c.args, want, r.stdout)
			}
		}
		r = s.asks(t, variables, append(strings.Fields(c.args), "--json")...)
		if r.code != exitOK || !strings.HasPrefix(r.stdout, "{") {
			t.Errorf("%s --json: %+v", c.args, r)
		}
		s.status, s.answer = http.StatusConflict, `{"error":"target \"vip\": the rules in force have no such target any more"}`
		if r = s.asks(t, variables, strings.Fields(c.args)...); r.code != exitBad || !strings.Contains(r.stderr, `target "vip": the rules in force`) {
			t.Errorf("%s, refused: %+v", c.args, r)
		}
	}
}

func TestOutboxCommands_wrongArguments_askNobody(t *testing.T) {
	for _, args := range []string{"outbox s1", "retry", "retry s1 s2", "retry s1 --code 70009", "retry --code abc", "retry --code -1", "dismiss", "dismiss s1 s2", "dismiss --code 1"} {
		s := &playedService{status: http.StatusOK, answer: `{}`}
		if r := s.asks(t, nil, strings.Fields(args)...); r.code != exitUsage || s.request != "" || r.stderr == "" {
			t.Errorf("%s: %+v, asked %s", args, r, s.request)
		}
	}
}
