package cli

import (
	"net/http"
	"strings"
	"testing"
)

const conversationAnswer = `{"session":"s1","user":"li","phase":"human","older":true,"counters":{"user_messages":2,"misses_in_a_row":1,"transfers":1},"entries":[
{"kind":"turn","at":"2026-01-05T02:00:00Z","role":"user","text":"where is \u001b[31mit","event":"ChatBot.UserSendMsg","outcome":"none","near":"stuck","why":"bot_missed: 1 of 2 in 15m","rules":[{"id":"ask","result":"no","why":"says: none of its phrases is there"},{"id":"vip","result":"muted","reason":"muted","why":"muted by li"},{"id":"rest","result":"not_tried"}],"phase":"bot"},
{"kind":"turn","at":"2026-01-05T02:00:01Z","role":"bot","text":"sorry","mark":"fallback","outcome":"transfer","rule":"stuck","target":"default","why":"bot_missed: 2 of 2 in 15m","shadow":["gold"],"counters_before":{"user_messages":1,"misses_in_a_row":1},"counters":{"user_messages":1,"misses_in_a_row":2,"misses":3,"cooldowns":[{"rule":"stuck","left_s":600}]},"from":"bot","phase":"transferring"},
{"kind":"said","at":"2026-01-05T02:00:02Z","rule":"stuck","text":"One moment","outcome":"failed","error":"code 91000"},
{"kind":"attempt","at":"2026-01-05T02:00:02Z","rule":"stuck","target":"default","group":2473,"outcome":"assigned","agent":"wang","attempt":2,"final":true,"took_ms":12,"code":"141001","code_words":"no agent is online"},
{"kind":"phase","at":"2026-01-05T02:00:02Z","outcome":"assigned","from":"transferring","phase":"human"},
{"kind":"turn","at":"2026-01-06T02:00:00Z","role":"agent","text":"hello"},
{"kind":"turn","at":"2026-01-06T02:00:00Z","role":"rating","rating":2},
{"kind":"contact","at":"2026-01-06T02:00:00Z","rule":"night","target":"default","outcome":"contacted","agent":"li","attempt":1,"final":true},
{"kind":"asked","at":"2026-01-06T02:00:01Z","role":"user","text":"human","outcome":"asked"}]}`

func TestConversation_isToldInTheOrderOfTime(t *testing.T) {
	s := &playedService{status: http.StatusOK, answer: conversationAnswer}
	r := s.asks(t, nil, "conversation", "im:li|@b/c")
	if r.code != exitOK || s.request != "GET /api/conversations/im:li%7C@b%2Fc" {
		t.Fatalf("%+v; asked %s", r, s.request)
	}
	rest := r.stdout
	for _, want := range []string{
		"session s1, user li, phase human, user messages 2, misses in a row 1, transfers 1\n", "no longer kept", "Mon 2026-01-05\n",
		`:00:00  user: where is \x1b[31mit`, "ask   no          says: none of its phrases is there\n", "vip   muted       muted: muted by li\n", "rest  -\n",
		"→ none; near: stuck; bot_missed: 1 of 2 in 15m\n", ":00:01  bot: sorry, mark fallback\n", "from bot to transferring\n",
		"→ transfer to default by stuck; shadow: gold; bot_missed: 2 of 2 in 15m\n", "before: user messages 1, misses in a row 1, transfers 0\n",
		"after:  user messages 1, misses in a row 2, transfers 0, misses in all 3,", `:00:02  we said "One moment": failed: code 91000`,
		"transfer to default (group 2473): assigned, agent wang, attempt 2, 12 ms, code 141001: no agent is", "online, the last one\n", "from transferring to human by assigned\n",
		"Tue 2026-01-06\n", "agent: hello\n", "rating: 2 of 5 stars\n", "contacting the customer who left a message to default: contacted, agent li, attempt 1", "Desk asks: human\n",
	} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Errorf("it does not say %q, or not in this order:\n%s", want, r.stdout)
			continue
		}
		rest = after
	}
	if r = s.asks(t, nil, "conversation", "s1", "--json"); r.code != exitOK || !strings.HasPrefix(r.stdout, "{") {
		t.Errorf("--json: %+v", r)
	}
}

func TestConversation_thatIsUnknown_endsWithOneAndWhatIsKept(t *testing.T) {
	s := &playedService{status: http.StatusNotFound, answer: `{"error":"nothing is kept of conversation s9: history is kept for 72h, up to 1024 MiB of all conversations"}`}
	if r := s.asks(t, nil, "conversation", "s9"); r.code != exitBad || !strings.Contains(r.stderr, "conversation s9: history is kept for 72h") {
		t.Errorf("%+v", r)
	}
}

func TestForget_saysWhatIsGone(t *testing.T) {
	s := &playedService{status: http.StatusOK, answer: `{"user":"li/1","conversations":3,"record":true,"words":1,"decisions":2,"labels":4}`}
	r := s.asks(t, map[string]string{"USER": "zhang", "ESCALATOR_ADMIN_TOKEN": "planted-admin-token"}, "forget", "li/1", "--why", "asked to")
	if r.code != exitOK || s.request != "DELETE /api/users/li%2F1" || s.body != `{"by":"zhang","why":"asked to"}` || s.token != "Bearer planted-admin-token" {
		t.Errorf("%+v; asked %s with %s", r, s.request, s.body)
	}
	if want := "removed of li/1:\n     3  conversations in the history\n     2  decisions\n     4  labels (right or wrong stays, without the words)\n" +
		"     1  customer record\n     1  conversations with messages left for agents\n"; r.stdout != want {
		t.Errorf("%q, want %q", r.stdout, want)
	}
	s.status, s.answer = http.StatusForbidden, `{"error":"set ESCALATOR_ADMIN_TOKEN: without a token nobody may do this"}`
	if r = s.asks(t, nil, "forget", "li"); r.code != exitBad || !strings.Contains(r.stderr, "set ESCALATOR_ADMIN_TOKEN") {
		t.Errorf("without a token: %+v", r)
	}
}

func TestConversationCommands_wrongArguments_askNobody(t *testing.T) {
	for _, args := range []string{"conversation", "conversation s1 s2", "forget", "forget a b"} {
		s := &playedService{status: http.StatusOK, answer: `{}`}
		if r := s.asks(t, nil, strings.Fields(args)...); r.code != exitUsage || s.request != "" || r.stderr == "" {
			t.Errorf("%s: %+v, asked %s", args, r, s.request)
		}
	}
}
