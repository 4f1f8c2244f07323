package cli

import (
	"net/http"
	"strings"
	"testing"
)

const (
	decisionsAnswer = `{"decisions":[
{"id":"b","at":"2026-01-05T03:00:01Z","session":"s2","user":"u2","outcome":"none","near":"ask-human","reason":"negated","why":"negated by 别","text":"先别转人工"},
{"id":"a","at":"2026-01-05T03:00:00Z","session":"s1","user":"u1","rule":"ask-human","outcome":"transfer","target":"vip","matched":["human \u001b[31m"],"why":"asked","label":"right","replica":"r1","transfer":{"outcome":"assigned","final":true,"agent":"li@x","took_ms":41}}],"kept":2,"more":false}`
	statusAnswer = `{"version":"1.2","commit":"abc","go":"go1.26","replica":"host-1","started_at":"2026-01-05T03:00:00Z","uptime_s":60,"ready":{"status":"STATUS","reasons":["planted reason"]},
"drain":{"since":"2026-01-05T03:00:00Z","until":"2026-01-05T03:05:00Z","by":"li","pending":2},"settings":[{"name":"ESCALATOR_LISTEN","value":":9000","default":false},{"name":"ESCALATOR_DESK_POLL","value":"10s","default":true}],
"store":{"kind":"redis","dir":"data","bytes":1572864,"can_write":false,"conversations":7,"marks":9,"outbox_pending":2,"given_up":1},"redis":{"address":"r:6379","up":false,"since":"2026-01-05T03:00:00Z","replicas":[{"name":"host-2","seen_s":3}]},
"clock":{"skew_s":-300,"seen_at":"2026-01-05T03:00:00Z"},"desk":{"up":true,"courier_held":{"code":70009,"words":"another app's key","since":"2026-01-05T03:00:00Z","next_try_s":40},"last_call_at":"2026-01-05T03:00:00Z","last_error":"code 70009"},
"log":{"dropped":5},"history":{"for":"72h0m0s","bytes":1024,"max":1073741824,"since":"2026-01-04T03:00:00Z"},"unknown_events":{"Desk.New":3},"watchers":2}`
)

func TestClient_asksTheService_andShowsTheAnswer(t *testing.T) {
	for _, c := range []struct {
		args          string
		answer        string
		request, body string
		says          []string
		code          int
	}{
		{"mute ask --for 2h --why busy", `{"rule":"ask","muted":{"until":"2026-01-05T05:00:00Z","by":"zhang","why":"busy"}}`, "POST /api/rules/ask/mute", `{"by":"zhang","for":"2h","why":"busy"}`, []string{"ask is muted until 2026-01-05 "}, 0},
		{"mute ask --for 0s --why over --by li", `{"rule":"ask","muted":{"until":"0001-01-01T00:00:00Z"}}`, "POST /api/rules/ask/mute", `{"by":"li","for":"0s","why":"over"}`, []string{"ask is no longer muted"}, 0},
		{"mute a/b --for 2d --why busy --by li", `{"muted":{"until":"2026-01-07T05:00:00Z"}}`, "POST /api/rules/a%2Fb/mute", `{"by":"li","for":"2d","why":"busy"}`, []string{"a/b is muted until"}, 0},
		{"unmute a/b", `{"rule":"a/b","muted":null}`, "DELETE /api/rules/a%2Fb/mute?by=zhang", "", []string{"a/b is no longer muted"}, 0},
		{"reload --why new", changeAnswer, "POST /api/reload", `{"by":"zhang","why":"new"}`, []string{"rules +0 ~1 -0, ", "rules changed: ask-human"}, 0},
		{"decisions", decisionsAnswer, "GET /api/decisions?n=20", "", []string{"time", "transfer    ask-human", "s1  u1  → vip", `"human \x1b[31m"`, "assigned li@x (41 ms)  labelled right  on r1", "near        ask-human", `"先别转人工"  negated: negated by 别`}, 0},
		{"decisions -n 5 --rule ask --outcome transfer,near --since 2h --q 人工", decisionsAnswer, "GET /api/decisions?n=5&outcome=transfer%2Cnear&q=%E4%BA%BA%E5%B7%A5&rule=ask&since=2h", "", nil, 0},
		{"decisions --user u9", `{"decisions":[]}`, "GET /api/decisions?n=20&user=u9", "", []string{"No such decision is kept."}, 0},
		{"drain --for 2m --why upgrade", `{"drained":true,"pending":0,"waited_s":3.21}`, "POST /api/drain", `{"by":"zhang","for":"2m","why":"upgrade"}`, []string{"drained after 3.2s: no transfer waits"}, 0},
		{"drain", `{"drained":false,"pending":2,"waited_s":300}`, "POST /api/drain", `{"by":"zhang","for":"5m","why":""}`, []string{"not drained after 5m0s: 2 transfers are still on their way"}, 1},
		{"drain --end", `{"drain":null}`, "DELETE /api/drain?by=zhang", "", []string{"the drain has ended"}, 0},
		{"status", strings.Replace(statusAnswer, "STATUS", "degraded", 1), "GET /api/status", "", []string{
			"state      degraded\n           planted reason\n", "drain      since 2026-01-05", "by li, 2 transfers wait", "version    1.2, commit abc, go1.26", "redis, data, 1.5 MiB, cannot be written, 7 conversations, 9 callbacks remembered",
			"outbox     2 on their way, 1 given up", "since 2026-01-04", "1 KiB of 1 GiB", "r:6379, away since", "host-2, seen 3 s ago", "next try in 40 s: code 70009, another app's key",
			"Desk's was 5m0s behind ours", "5 lines dropped", "event Desk.New, 3 times", "ESCALATOR_LISTEN=:9000\n",
		}, 0},
		{"status --all", strings.Replace(statusAnswer, "STATUS", "unready", 1), "GET /api/status", "", []string{"ESCALATOR_DESK_POLL=10s"}, 1},
	} {
		s := &playedService{status: http.StatusOK, answer: c.answer}
		args := strings.Fields(c.args)
		r := s.asks(t, map[string]string{"USER": "zhang", "ESCALATOR_ADMIN_TOKEN": "planted-admin-token"}, args...)
		if r.code != c.code || r.stderr != "" || s.request != c.request || s.body != c.body || s.token != "Bearer planted-admin-token" {
			t.Errorf("%s: %+v; asked %s %s with %s", c.args, r, s.request, s.body, s.token)
		}
		for _, want := range c.says {
			if !strings.Contains(r.stdout, want) {
				t.Errorf("%s does not say %q:\n%s", c.args, want, r.stdout)
			}
		}
		if strings.Contains(r.stdout, "\x1b") {
			t.Errorf("%s sends a terminal's command to a pipe: %q", c.args, r.stdout)
		}
		if r = s.asks(t, map[string]string{"USER": "zhang"}, append(args, "--json")...); !strings.HasPrefix(r.stdout, "{") || r.code != c.code {
			t.Errorf("%s --json: %+v", c.args, r)
		}
		s.status, s.answer = http.StatusBadRequest, `{"error":"planted refusal"}`
		if r = s.asks(t, map[string]string{"USER": "zhang"}, args...); r.code != exitBad || r.stderr != "escalator: planted refusal\n" || r.stdout != "" {
			t.Errorf("%s, refused: %+v", c.args, r)
		}
	}
}

// In an image without anything there is neither USER nor HOME nor a terminal.
func TestClient_whatIsMissing_isSaid_andNothingIsAsked(t *testing.T) {
	for _, c := range []struct{ args, says string }{
		{"mute ask --for 2h --why busy", "mute needs --by, who makes the change: USER, its default, is not set here"},
		{"rules rollback 5be0", "rollback needs --by"},
		{"mute ask --by li --why busy", "mute needs --for, how long, and --why"},
		{"mute ask --by li --for 2h", "mute needs --for, how long, and --why"},
		{"mute --by li", "mute takes one RULE"},
		{"unmute", "unmute takes one RULE"},
		{"reload rules.yaml", `reload takes no argument, but was given "rules.yaml"`},
		{"decisions -n 0", "-n must be a number above 0"},
		{"decisions --follow --outcome transfer,none", "--follow cannot show the outcome none"},
		{"drain --for soon", `--for must be a duration up to 24h, such as 2m, not "soon"`},
		{"drain --for 999999d", `--for must be a duration up to 24h, such as 2m, not "999999d"`},
		{"decisions --folow", "did you mean --follow?"},
	} {
		s := &playedService{status: http.StatusOK, answer: "{}"}
		r := s.asks(t, nil, strings.Fields(c.args)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, c.says) || s.request != "" {
			t.Errorf("%s: %+v, asked %q", c.args, r, s.request)
		}
	}
}

func TestClient_decisionsFitTheTerminal(t *testing.T) {
	for _, columns := range []string{"40", "80", "120"} {
		s := &playedService{status: http.StatusOK, answer: decisionsAnswer}
		r := s.asks(t, map[string]string{"COLUMNS": columns}, "decisions")
		for line := range strings.Lines(r.stdout) {
			if n := columnsOf(strings.TrimSuffix(line, "\n")); n > map[string]int{"40": 40, "80": 80, "120": 120}[columns] {
				t.Errorf("%s columns: %d: %s", columns, n, line)
			}
		}
	}
}
