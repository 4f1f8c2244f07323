package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// rules compiles the rules. Their ids are declared first, because conditions may refer to any of them.
func (l *loader) rules(n *yaml.Node) {
	items := l.items(n)
	for _, item := range items {
		id := l.get(item, "id")
		if id == nil {
			continue
		}
		switch first := l.ruleNodes[id.Value]; {
		case id.Value == "none":
			l.fail(id, "take another id", "`none` stands for no rule in tests")
		case first != nil:
			l.fail(id, "ids must differ: counters and cooldowns are kept by them", "a second rule `%s`; the first is in line %d", id.Value, first.Line)
		default:
			l.ruleNodes[id.Value] = item
		}
	}
	for _, item := range items {
		if id := l.get(item, "id"); id != nil {
			l.rule(id, item)
		}
	}
}

func (l *loader) rule(id, n *yaml.Node) {
	r := &rule{id: textOf(id), about: textOf(l.get(n, "about")), line: n.Line, mode: l.policy.mode, digest: digest(n)}
	if mode := l.get(n, "mode"); mode != nil {
		r.mode = careful(r.mode, Mode(mode.Value))
	}
	if l.ruleNodes[r.id] == n {
		r.when = l.ruleCondOf(r.id)
	}
	if key, when := l.pair(n, "when"); when != nil && r.when != nil {
		l.checkPossible(key, r.when)
	}
	r.cooldown = l.duration(l.get(n, "cooldown"), l.policy.cooldown)
	then := l.get(n, "then")
	if to := l.get(then, "transfer"); to != nil {
		r.goal = l.findGoal(to)
	}
	r.say, r.offer = l.speech(l.get(then, "say")), l.speech(l.get(then, "offer"))
	r.tags = textsOf(l.items(l.get(then, "tag")))
	l.policy.rules = append(l.policy.rules, r)
	l.written = append(l.written, &builtRule{r, n, then})
}

// checkPossible complains about a condition that no kind of turn can make true.
func (l *loader) checkPossible(at *yaml.Node, k *cond) {
	if len(l.problems) > 0 && l.bad[at] {
		return
	}
	if can, _ := k.canHold(); can == 0 {
		l.fail(at, impossibleHint(k), "this can never hold: %s", impossibleWords(k))
	}
}

// impossibleWords names the two parts that do not go together.
func impossibleWords(k *cond) string {
	if k.name == "all" {
		for i, a := range k.kids {
			for _, b := range k.kids[i+1:] {
				ta, _ := a.canHold()
				tb, _ := b.canHold()
				if ta != 0 && tb != 0 && ta&tb == 0 {
					return "`" + a.label() + "` asks for " + strings.Join(ta.words(), " or ") + ", `" + b.label() + "` for " + strings.Join(tb.words(), " or ")
				}
			}
		}
	}
	for _, kid := range k.kids {
		if can, _ := kid.canHold(); can == 0 {
			return impossibleWords(kid)
		}
	}
	return "its parts ask for different kinds of turns"
}

func impossibleHint(k *cond) string {
	hint := ""
	k.walk(func(l *cond) {
		if l.name == "says" {
			hint = "`said: {any: […], within: …}` remembers what the customer said before"
		}
	})
	return hint
}

// label names a part of a condition for messages.
func (k *cond) label() string { return k.name }

// speech reads a text to the customer, nil if there is none.
func (l *loader) speech(n *yaml.Node) *Speech {
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		return &Speech{Texts: []SpeechText{{Text: textOf(n)}}}
	}
	s := &Speech{}
	for _, pair := range l.pairs(n) {
		s.Texts = append(s.Texts, SpeechText{Lang: textOf(pair[0]), Text: textOf(pair[1])})
	}
	return s
}

// targets reads the targets, then ties their chains.
func (l *loader) targets(n *yaml.Node) {
	for _, pair := range l.declared(n) {
		t := l.target(pair[0], pair[1])
		l.policy.targets[t.ID] = t
		l.policy.goals[t.ID] = &goal{name: t.ID, target: t}
	}
	for _, pair := range l.declared(n) {
		next := l.get(pair[1], "else")
		if next == nil {
			continue
		}
		if t := l.policy.targets[next.Value]; t != nil {
			l.usedGoals[next.Value] = true
			l.policy.targets[pair[0].Value].next = t
		} else {
			l.failUnknown(next, "target", sortedKeys(l.policy.targets))
		}
	}
	l.checkChains(n)
}

// checkChains complains about else chains that go round, once for each circle.
func (l *loader) checkChains(n *yaml.Node) {
	done := map[*Target]bool{}
	for _, pair := range l.declared(n) {
		var path []string
		onPath := map[*Target]bool{}
		for t := l.policy.targets[pair[0].Value]; t != nil && !done[t]; t = t.next {
			if onPath[t] {
				at := l.get(l.get(n, t.ID), "else")
				l.fail(at, "let the last target have no else", "the else chain goes in a circle: %s", strings.Join(cycle(path, t.ID), " → "))
				break
			}
			onPath[t] = true
			path = append(path, t.ID)
		}
		for t := range onPath {
			done[t] = true
		}
	}
}

func (l *loader) target(key, n *yaml.Node) *Target {
	t := &Target{
		ID:                textOf(key),
		Agents:            textsOf(l.items(l.get(n, "agents"))),
		TipIfNoAgent:      boolOf(l.get(n, "tip_if_no_agent"), true),
		CheckWorkingHours: boolPointer(l.get(n, "check_working_hours")),
		PromptOutside:     boolPointer(l.get(n, "prompt_outside_working_hours")),
		EndSession:        boolPointer(l.get(n, "end_session_if_no_agent")),
		DisableQueuing:    boolPointer(l.get(n, "disable_queuing")),
		AllowBusy:         boolPointer(l.get(n, "allow_busy_agents")),
		QueueTimeout:      l.duration(l.get(n, "queue_timeout"), 0),
		SayIfQueued:       l.speech(l.get(n, "say_if_queued")),
		SayIfClosed:       l.speech(l.get(n, "say_if_closed")),
		SayIfNoAgent:      l.speech(l.get(n, "say_if_no_agent")),
		SayIfFailed:       l.speech(l.get(n, "say_if_failed")),
		calendar:          l.findCalendar(l.get(n, "open")),
	}
	if g := l.get(n, "group"); g != nil {
		group := int64(intOf(g, 0))
		t.Group = &group
	}
	if p := l.get(n, "priority"); p != nil {
		priority := intOf(p, 0)
		t.Priority = &priority
	}
	if t.QueueTimeout%time.Second != 0 {
		l.fail(l.get(n, "queue_timeout"), "for example 90s or 10m", "`queue_timeout` is sent in whole seconds")
	}
	if t.SayIfNoAgent != nil {
		t.TipIfNoAgent = false // our own words stand in for Desk's tip
	}
	if t.SayIfFailed == nil {
		t.SayIfFailed = builtinFailure
	}
	t.Retry = l.retry(l.get(n, "retry_if_no_agent"))
	return t
}

func (l *loader) retry(n *yaml.Node) *Retry {
	if n == nil {
		return nil
	}
	r := &Retry{Every: l.duration(l.get(n, "every"), time.Minute), For: l.duration(l.get(n, "for"), time.Minute)}
	if r.Every > r.For {
		l.fail(n, "for example {every: 1m, for: 20m}", "`every` is longer than `for`, so it would never be tried again")
	}
	if r.Every < time.Second {
		l.fail(n, "for example {every: 1m, for: 20m}", "`every` must be at least 1s")
	}
	return r
}

// findGoal finds a target or route by name, or complains.
func (l *loader) findGoal(n *yaml.Node) *goal {
	l.usedGoals[n.Value] = true
	if g := l.policy.goals[n.Value]; g != nil {
		return g
	}
	names := sortedKeys(l.policy.goals)
	if len(names) == 0 {
		l.fail(n, "for example targets: {default: {}}", "there is no target `%s`", n.Value)
		return nil
	}
	l.failUnknown(n, "target or route", names)
	return nil
}

// declareRoutes makes the names of routes known before rules use them.
func (l *loader) declareRoutes(n *yaml.Node) {
	for _, pair := range l.declared(n) {
		name := textOf(pair[0])
		if l.policy.goals[name] != nil {
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
				line.when = l.condition(when, "route "+g.name+"/"+itoa(i))
				key, _ := l.pair(item, "when")
				l.checkPossible(key, line.when)
			} else if !hasKey(item, "when") && i < len(items)-1 {
				l.warn(items[i+1].Line, items[i+1].Column, "a line without `when` always holds; put it last", "this line of route `%s` is never reached", g.name)
			}
			if to := l.get(item, "to"); to != nil {
				line.to = l.findGoal(to)
			}
			g.lines = append(g.lines, line)
		}
		if last := len(g.lines) - 1; last >= 0 && g.lines[last].when != nil {
			l.warn(pair[0].Line, pair[0].Column, "end the route with a line such as {to: default}", "when no line of route `%s` holds, the customer goes to %s", g.name, l.policy.fallback().ID)
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

// digest is a short hash of what a node says, whatever its layout and comments.
func digest(n *yaml.Node) string {
	h := sha256.New()
	writeNode(h, n)
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// writeNode writes a node so that different trees differ: each value with its length, each list with its size.
func writeNode(w io.Writer, n *yaml.Node) {
	fmt.Fprintf(w, "%d %s %d:%s %d\n", n.Kind, n.Tag, len(n.Value), n.Value, len(n.Content))
	for _, kid := range n.Content {
		writeNode(w, kid)
	}
}
