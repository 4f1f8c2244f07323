package rules

import (
	"time"

	"go.yaml.in/yaml/v4"

	"escalator/rules/lang"
)

// ReadingFor is how long a reading counts (RULES.md 7).
const ReadingFor = time.Minute

// Reading is what Desk said of its agents and its queue. A figure that Desk left out is nil: nobody knows it, it is not 0.
// The JSON form is that of recordings (CONTRACT.md 6).
type Reading struct {
	At    time.Time `json:"-"` // on the clock of Turn.At
	Free  *int      `json:"free,omitempty"`
	Busy  *int      `json:"busy,omitempty"`
	Rest  *int      `json:"rest,omitempty"`
	Queue *int      `json:"queue,omitempty"`
	// Groups holds the waiting customers by the id of their group; nil: Desk left them out.
	Groups map[string]int `json:"groups,omitempty"`
	// Agents says by an agent's id whether Desk would give that agent a customer now. One whose status is not known is
	// not in it.
	Agents map[string]bool `json:"agents,omitempty"`
}

// Fresh returns the reading if it still counts at a time, else nil.
func (r *Reading) Fresh(at time.Time) *Reading {
	if r == nil || at.Sub(r.At) > ReadingFor {
		return nil
	}
	return r
}

// deskUnknown is the word of a step that says that Desk tells nothing.
const deskUnknown = "unknown"

// aDeskStep is what a step says of Desk.
var aDeskStep = &shape{
	name: "a word of Desk", ref: "deskStep", form: formChoice, doc: "How the transfer ended, or {agents, queue, groups}.",
	forms: []*shape{enumShape("an answer of Desk", deskResults), {
		name: "agents and queue", form: formRecord, atLeastOne: []string{"agents", "queue", "groups"}, fields: []field{
			{key: "agents", doc: "So many agents are free, or these, and no other whom a rule names.", aka: []string{"free"}, of: &shape{
				name: "the free agents", form: formChoice, forms: []*shape{aFigure, maybeNone(listOf(someAgents, anAgent))},
			}},
			{key: "queue", of: aFigure, doc: "So many customers wait.", aka: []string{"waiting"}},
			{key: "groups", of: &shape{name: "waiting customers by group", form: formDict, key: &shape{name: "a group's number", pattern: `^[0-9]+$`, examples: []string{"2473"}}, elem: aFigure, examples: []string{"{2473: 4}"}}, doc: "So many wait for each group, by its number.", aka: []string{"group"}},
		}, examples: []string{"{agents: 3, queue: 12, groups: {2473: 4}}"},
	}},
}

// deskStep reads what a step says of Desk, from a node that was checked.
func deskStep(n *yaml.Node, k *checker) (result string, told *Reading) {
	switch {
	case n == nil:
		return "", nil
	case n.Kind == yaml.ScalarNode && textOf(n) == deskUnknown:
		return "", &Reading{}
	case n.Kind == yaml.ScalarNode:
		return textOf(n), nil
	}
	told = &Reading{Queue: intPointer(k.get(n, "queue"))}
	if agents := k.get(n, "agents"); agents != nil && agents.Kind == yaml.ScalarNode {
		told.Free = intPointer(agents)
	} else if agents != nil {
		named := k.items(agents)
		free := len(named)
		told.Free, told.Agents = &free, map[string]bool{}
		for _, a := range named {
			told.Agents[textOf(a)] = true
		}
	}
	for _, pair := range k.pairs(k.get(n, "groups")) {
		if told.Groups == nil {
			told.Groups = map[string]int{}
		}
		told.Groups[textOf(pair[0])] = intOf(pair[1])
	}
	return "", told
}

// ParseDesk reads what a step of a test says behind `desk:`, in the form of a rule file: the end of a transfer, unknown, or
// {agents: 3, queue: 12, groups: {2473: 4}}.
func ParseDesk(text string) (result string, told *Reading, err error) {
	doc, err := decode([]byte(text))
	if err != nil || len(doc.Content) != 1 {
		return "", nil, lang.Errorf("desk: %q is neither a word nor {agents: 3, queue: 12}", text)
	}
	k := checker{source: newSource("desk", []byte(text))}
	if k.check(doc.Content[0], aDeskStep, "desk"); len(k.problems) > 0 {
		p := k.problems[0]
		if p.Hint != "" {
			p.Message = lang.Say("%s (%s)", p.Message, p.Hint)
		}
		return "", nil, lang.Errorf("desk: %s", p.Message)
	}
	result, told = deskStep(doc.Content[0], &k)
	return result, told, nil
}
