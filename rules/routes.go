package rules

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

var routeLine = &shape{name: "a line of a route", ref: "routeLine", form: formRecord, fields: []field{
	{key: "when", of: conditionShape, doc: "What must hold for this line; a line without it always holds.", aka: []string{"if", "condition"}},
	{key: "to", of: aGoal, required: true, doc: "A target, or another route.", aka: []string{"target", "transfer", "then"}},
}, examples: []string{"{when: {language: [en]}, to: english}"}}

// goal is what a rule's `transfer` names: a target, or a route to one.
type goal struct {
	name   string
	target *Target
	lines  []*routeLineOf
}

// routeLineOf is one line of a route.
type routeLineOf struct {
	when *cond // nil: always
	to   *goal
}

// resolve follows routes to a target: the first line that holds decides. It is nil when no line holds.
func (g *goal) resolve(e *evaluation) *Target {
	for g != nil && g.target == nil {
		var next *goal
		for _, l := range g.lines {
			if l.when == nil || l.when.eval(e) == yes {
				next = l.to
				break
			}
		}
		g = next
	}
	if g == nil {
		return nil
	}
	return g.target
}

// declareRoutes makes the names of routes known before rules use them.
func (l *loader) declareRoutes(n *yaml.Node) {
	for _, pair := range l.declared(n) {
		name := textOf(pair[0])
		if g := l.policy.goals[name]; g != nil && g.target != anywhere {
			l.fail(pair[0], "targets and routes share their names; take another one", "`%s` is a target already", name)
			continue
		}
		l.policy.goals[name] = &goal{name: name}
	}
}

// routes compiles the lines of the routes.
func (l *loader) routes(n *yaml.Node) {
	for _, pair := range l.declared(n) {
		g := l.policy.goals[pair[0].Value]
		items := l.items(pair[1])
		for i, item := range items {
			line := &routeLineOf{}
			if when := l.get(item, "when"); when != nil {
				line.when = l.condition(when)
				key, _ := l.pair(item, "when")
				l.places = append(l.places, place{key, line.when})
			} else if !hasKey(item, "when") && i < len(items)-1 {
				l.warn(items[i+1].Line, items[i+1].Column, "a line without `when` always holds; put it last", "this line of route `%s` is never reached", g.name)
			}
			if to := l.get(item, "to"); to != nil {
				line.to = l.findGoal(to)
			}
			g.lines = append(g.lines, line)
		}
		if last := len(g.lines) - 1; last >= 0 && g.lines[last].when != nil {
			l.warn(pair[0].Line, pair[0].Column, "end the route with a line such as {to: default}", "when no line of route `%s` holds, the customer goes to %s", g.name, anywhere.ID)
		}
	}
	l.checkRoutes(n)
}

// checkRoutes complains about routes that lead back to themselves.
func (l *loader) checkRoutes(n *yaml.Node) {
	state := map[*goal]visit{}
	var path []string
	var visitGoal func(g *goal)
	visitGoal = func(g *goal) {
		state[g] = visiting
		path = append(path, g.name)
		for i, line := range g.lines {
			switch {
			case line.to == nil:
			case state[line.to] == visiting:
				items := l.items(l.get(n, g.name))
				l.fail(l.get(items[i], "to"), "let the route end at a target", "the route goes in a circle: %s", strings.Join(cycle(path, line.to.name), " → "))
				line.to = nil
			case state[line.to] == unseen:
				visitGoal(line.to)
			}
		}
		path = path[:len(path)-1]
		state[g] = visited
	}
	for _, pair := range l.declared(n) {
		if g := l.policy.goals[pair[0].Value]; state[g] == unseen {
			visitGoal(g)
		}
	}
}
