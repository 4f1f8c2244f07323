package rules

import (
	"strings"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

var sendsCondition = &condition{
	key: "sends", turns: onUser, value: listOf(someSends, aSend),
	doc:     "The message has an `image`, `sound`, `video`, `file`, `location`, `face` or `custom` part.",
	example: "sends: [image]",
	aka:     []string{"send", "attachment"},
	build: func(l *loader, n *yaml.Node) leaf {
		var s Sends
		for _, item := range l.items(n) {
			bit, _ := ParseSends(item.Value)
			s |= bit
		}
		return &sendsLeaf{s}
	},
}

// sendsLeaf is `sends`.
type sendsLeaf struct{ kinds Sends }

func (l *sendsLeaf) holds(e *evaluation) verdict { return truth(e.t.Sends&l.kinds != 0) }

func (l *sendsLeaf) explain(e *evaluation, _ verdict) lang.Text {
	if e.t.Sends == 0 {
		return "the message holds words only"
	}
	return lang.Say("the message holds %s", strings.Join(e.t.Sends.Names(), ", "))
}

func (l *sendsLeaf) implies(other leaf) bool {
	b, ok := other.(*sendsLeaf)
	return ok && l.kinds&^b.kinds == 0
}
