package rules

import (
	"time"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

var hadAgentCondition = &condition{
	key: "had_agent", turns: onAll,
	doc:     "A person had the customer in the last time, in this session or an earlier one.",
	example: "had_agent: {within: 7d}",
	value: &shape{name: "a time with an agent", ref: "hadAgent", form: formRecord, fields: []field{
		{key: "within", of: aSpan, required: true, doc: "So long ago at most; up to 30d.", aka: within.aka},
	}, examples: []string{"{within: 7d}"}},
	aka:   []string{"had_human", "had_person"},
	build: func(l *loader, n *yaml.Node) leaf { return &hadAgentLeaf{l.userTime(l.get(n, "within"))} },
}

// hadAgentLeaf is `had_agent`.
type hadAgentLeaf struct{ within time.Duration }

func (l *hadAgentLeaf) holds(e *evaluation) verdict {
	u := e.t.User
	switch {
	case u == nil:
		return verdict{state: unfit}
	case u.AgentAt.IsZero():
		return verdict{have: -1}
	}
	v := truth(u.hadAgent(e.t.At, l.within))
	v.have = int(e.now - u.AgentAt.UnixMilli())
	return v
}

// hadAgent says that a person had the customer within a time.
func (u *User) hadAgent(now time.Time, within time.Duration) bool {
	return !u.AgentAt.IsZero() && now.Sub(u.AgentAt) <= within
}

func (l *hadAgentLeaf) explain(_ *evaluation, v verdict) lang.Text {
	switch {
	case v.state == unfit:
		return unknownCustomer
	case v.have < 0:
		return "no person has had the customer in the last 30 days"
	}
	return lang.Say("a person had the customer %s (within %s)", since(v.have), formatDuration(l.within))
}

func (l *hadAgentLeaf) late(*evaluation, verdict) bool { return true }

func (l *hadAgentLeaf) implies(other leaf) bool {
	b, ok := other.(*hadAgentLeaf)
	return ok && l.within <= b.within
}

func (l *hadAgentLeaf) need(p *Policy) { p.users = true }
