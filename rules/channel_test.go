package rules

import (
	"strings"
	"testing"
	"time"
)

// ChannelType counts by how it begins, in any case; the numbers of Desk's statistics count as a whole.
func TestChannel_readsWhatCallbacksSay(t *testing.T) {
	for _, c := range []struct{ when, value, want string }{
		{"{channel: [sdk]}", "SDK", "yes"},
		{"{channel: [sdk]}", "sdk_android", "yes"},
		{"{channel: [sdk]}", "10", "yes"},
		{"{channel: [sdk]}", "100", "no"},
		{"{channel: [sdk]}", "1", "no"},
		{"{channel: [sdk]}", "my SDK", "no"},
		{"{channel: [web]}", "Web(H5)", "yes"},
		{"{channel: [web]}", "4", "yes"},
		{"{channel: [web]}", "WeChat", "no"},
		{"{channel: [web]}", "we", "no"},
		{"{channel: [web]}", "H5", "no"},
		{"{channel: [wechat]}", "Wechat mini program", "yes"},
		{"{channel: [wechat]}", "2", "yes"},
		{"{channel: [wechat]}", "3", "yes"},
		{"{channel: [wechat]}", "7", "yes"},
		{"{channel: [wechat]}", "37", "no"},
		{"{channel: [sdk, wechat]}", "SDK", "yes"},
		{"{channel: [sdk, wechat]}", "Web", "no"},
		{"{channel: [sdk, web, wechat]}", "Phone", "no"},
		{"{channel: [sdk, web, wechat]}", "", "no"},
		{"{not: {channel: [sdk]}}", "Web", "yes"},
	} {
		got := play(t, rulesWhen(t, "", c.when), Turn{Text: "a", Fields: TestFields{"ChannelType": c.value}})
		if got != (c.want == "yes") {
			t.Errorf("%s with %q: %v", c.when, c.value, got)
		}
	}
}

// A callback without a channel is of none, and that is no more than false: `not` turns it. What the customer's last
// message or the start said counts until then, on a timer too.
func TestChannel_whereTheCallbackSaysNone(t *testing.T) {
	web := TestFields{"ChannelType": "Web(H5)"}
	for _, c := range []struct {
		when  string
		turns []Turn
		want  bool
	}{
		{"{channel: [sdk, web, wechat]}", []Turn{{Text: "a"}}, false},
		{"{not: {channel: [web]}}", []Turn{{Text: "a"}}, true},
		{"{channel: [web]}", []Turn{{Kind: StartTurn, Fields: web}, {Text: "a"}}, true},
		{"{channel: [web]}", []Turn{{Text: "a", Fields: web}, {Kind: BotTurn, Text: "b"}}, true},
		{"{channel: [web]}", []Turn{{Text: "a", Fields: web}, {Text: "b", Fields: TestFields{}}}, false},
		{"{all: [{channel: [web]}, {bot_silent: 30s}]}", []Turn{{Text: "a", Fields: web}, {Kind: TimerTurn}}, true},
	} {
		if got := play(t, rulesWhen(t, "", c.when), c.turns...); got != c.want {
			t.Errorf("%s: %v, want %v", c.when, got, c.want)
		}
	}
}

func TestChannel_explain(t *testing.T) {
	p := rulesWhen(t, "", "{channel: [web]}")
	for value, want := range map[string]string{"Web(H5)": "came by web", "2": "came by wechat", "Phone": "the channel Phone is none"} {
		if _, trace := p.Explain(&Conversation{}, Turn{At: start, Fields: TestFields{"ChannelType": value}}); !strings.Contains(trace.Rules[0].Why.String(), want) {
			t.Errorf("%q: %s", value, trace.Rules[0].Why)
		}
	}
	if _, trace := p.Explain(&Conversation{}, Turn{At: start.Add(time.Second)}); !strings.Contains(trace.Rules[0].Why.String(), "names no channel") {
		t.Error(trace.Rules[0].Why)
	}
}
