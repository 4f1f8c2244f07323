package rules

import (
	"slices"
	"strings"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

// channels are the ways in which customers come: their words in the file, and how ChannelType begins for them. Other
// calls of Desk number them, and a number counts as a whole.
var channels = []struct {
	name    string
	numbers []string
}{{"sdk", []string{"10"}}, {"web", []string{"4"}}, {"wechat", []string{"2", "3", "7"}}}

var aChannel = func() *shape {
	var names []string
	for _, c := range channels {
		names = append(names, c.name)
	}
	return enumShape("a channel", names, "app", "sdk", "h5", "web", "website", "web", "网页", "web", "weixin", "wechat", "微信", "wechat", "mini program", "wechat", "miniprogram", "wechat", "小程序", "wechat", "公众号", "wechat", "10", "sdk", "4", "web", "2", "wechat", "3", "wechat", "7", "wechat")
}()

var channelCondition = &condition{
	key: "channel", turns: onAll, value: listOf("a list of channels", aChannel),
	doc:     "The customer came by one of these: `sdk` (the app), `web` or `wechat`. False where the callback does not say.",
	example: "channel: [sdk, wechat]",
	aka:     []string{"channels", "source", "platform"},
	build:   func(l *loader, n *yaml.Node) leaf { return &channelLeaf{textsOf(l.items(n))} },
}

// channelLeaf is `channel`.
type channelLeaf struct{ names []string }

// channelPath is the field that tells the channel.
const channelPath = "ChannelType"

func (l *channelLeaf) holds(e *evaluation) verdict {
	value, _ := e.field(channelPath)
	return truth(slices.Contains(l.names, channelOf(value)))
}

// channelOf is the file's word for a ChannelType, "" if it has none.
func channelOf(value string) string {
	value = strings.TrimSpace(value)
	for _, c := range channels {
		if slices.Contains(c.numbers, value) || len(value) >= len(c.name) && strings.EqualFold(value[:len(c.name)], c.name) {
			return c.name
		}
	}
	return ""
}

func (l *channelLeaf) quotes() {}

func (l *channelLeaf) explain(e *evaluation, _ verdict) lang.Text {
	value, ok := e.field(channelPath)
	switch name := channelOf(value); {
	case !ok:
		return "the callback names no channel"
	case name == "":
		return lang.Say("the channel %s is none of those known", shorten(value))
	default:
		return lang.Say("the customer came by %s", name)
	}
}

func (l *channelLeaf) implies(other leaf) bool {
	b, ok := other.(*channelLeaf)
	return ok && !slices.ContainsFunc(l.names, func(name string) bool { return !slices.Contains(b.names, name) })
}

func (l *channelLeaf) excludes(other leaf) lang.Text {
	b, ok := other.(*channelLeaf)
	if !ok || slices.ContainsFunc(l.names, func(name string) bool { return slices.Contains(b.names, name) }) {
		return ""
	}
	return lang.Say("a customer comes by one channel, and it cannot be both %s and %s", orList(l.names), orList(b.names))
}

func (l *channelLeaf) need(p *Policy) { p.record(&fieldRecorder{[]string{channelPath}}) }
