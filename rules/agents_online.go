package rules

import (
	"slices"
	"strings"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

var agentsOnlineCondition = &condition{
	key: "agents_online", turns: onAll,
	doc:     "Desk has so many agents to whom it would give a customer now.",
	example: "agents_online: {at_most: 0}",
	aka:     []string{"agents", "agents_free", "online", "free_agents"},
	value: &shape{
		name: "a range of free agents", ref: "agentsOnline", form: formRecord, atLeastOne: []string{"at_least", "at_most"},
		fields: append(figureFields("free agents"), field{
			key: "agents", of: listOf(someAgents, anAgent), doc: "Of these agents only, by their address at Desk. Desk tells no figure by group.", aka: []string{"agent", "of"},
		}),
		examples: []string{"{at_least: 1}", "{at_most: 0, if_unknown: false}"},
	},
	build: buildAgentsOnline,
}

func buildAgentsOnline(l *loader, n *yaml.Node) leaf {
	agents := textsOf(l.items(l.get(n, "agents")))
	if agents == nil {
		return l.figure(n, "free agents", func(r *Reading) figure { return exactly(r.Free) })
	}
	slices.Sort(agents)
	agents = slices.Compact(agents)
	of := func(r *Reading) figure { return freeOf(r, agents) }
	return &agentsLeaf{l.figure(n, lang.Say("free agents of %s", strings.Join(agents, ", ")), of), agents}
}

// agentsLeaf is `agents_online` of some agents only.
type agentsLeaf struct {
	*figureLeaf
	agents []string
}

func (l *agentsLeaf) need(p *Policy) {
	l.figureLeaf.need(p)
	p.asks.askFor(l.agents)
}

func (l *agentsLeaf) never(*Policy) lang.Text {
	if l.least != nil && *l.least > len(l.agents) && l.ifUnknown != yes {
		return lang.Say("%d or more free agents of the %d that `agents` names", *l.least, len(l.agents))
	}
	return ""
}

// freeOf counts the agents that are free. Those whose status is not known may be.
func freeOf(r *Reading, agents []string) figure {
	f := figure{}
	for _, a := range agents {
		free, known := r.Agents[a]
		f.known = f.known || known
		if free {
			f.low++
		}
		if free || !known {
			f.high++
		}
	}
	return f
}

func (l *agentsLeaf) implies(other leaf) bool {
	b, ok := other.(*agentsLeaf)
	return ok && l.figureLeaf.implies(b.figureLeaf)
}

func (l *agentsLeaf) excludes(other leaf) lang.Text {
	if b, ok := other.(*agentsLeaf); ok {
		return l.figureLeaf.excludes(b.figureLeaf)
	}
	return ""
}
