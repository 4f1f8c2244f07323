package rules

import (
	"regexp"
	"slices"
	"strings"

	"escalator/rules/packs"

	"go.yaml.in/yaml/v4"
)

// RuleSource is a rule as somebody wrote it, with what it refers to.
type RuleSource struct {
	// Line and LastLine are the first and the last line of the rule in its file, YAML is what stands there.
	Line     int        `json:"line_from"`
	LastLine int        `json:"line_to"`
	YAML     string     `json:"yaml"`
	Lists    []RuleList `json:"lists"` // in the order in which they are named, with the lists that they name
	Tests    []string   `json:"tests"` // names of the tests that expect the rule
}

// RuleList is a list that a rule looks for words of, or a built-in pack.
type RuleList struct {
	Name    string   `json:"name"`
	Pack    bool     `json:"pack"`
	Phrases []string `json:"phrases"` // the first 500, as they are written
	Count   int      `json:"count"`
}

// maxListed is how many phrases of a list are shown.
const maxListed = 500

// RuleSource gives the text of a rule; false for one that the file does not have.
func (p *Policy) RuleSource(id string) (RuleSource, bool) {
	r := p.findRule(id)
	if r == nil {
		return RuleSource{}, false
	}
	s := RuleSource{Line: r.line, LastLine: r.line + strings.Count(r.yaml, "\n"), YAML: r.yaml, Lists: []RuleList{}, Tests: []string{}}
	for _, name := range r.lists {
		s.Lists = append(s.Lists, p.lists[name])
	}
	for _, t := range p.tests {
		if slices.ContainsFunc(t.Steps, func(s Step) bool {
			return s.Expect != nil && (s.Expect.Rule == id || slices.Contains(s.Expect.Shadow, id))
		}) {
			s.Tests = append(s.Tests, t.Name)
		}
	}
	return s, true
}

// block is the text of a node that begins an item of a list: its own lines and those below it that are indented more than
// the dash before it. A list that is written in one line has no dashes: then it is the lines of the node's parts.
func (s source) block(n *yaml.Node) string {
	f := s.fileOf(n.Line)
	lines := f.text()
	first := n.Line - f.above - 1
	if first < 0 || first >= len(lines) {
		return ""
	}
	last := first
	walkNodes(n, func(part *yaml.Node) { last = max(last, part.Line-f.above-1) })
	if indent := indentOf(lines[first]); strings.HasPrefix(lines[first][indent:], "-") {
		for i := first + 1; i < len(lines); i++ {
			if strings.TrimSpace(lines[i]) == "" {
				continue
			}
			if indentOf(lines[i]) <= indent {
				break
			}
			last = max(last, i)
		}
	}
	return strings.TrimRight(strings.Join(lines[first:min(last+1, len(lines))], "\n"), "\r\n")
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

func walkNodes(n *yaml.Node, visit func(*yaml.Node)) {
	visit(n)
	for _, kid := range n.Content {
		walkNodes(kid, visit)
	}
}

// listName is a list that a phrase names.
var listName = regexp.MustCompile(`\$([\p{L}_][\p{L}\p{N}_-]*)`)

// missesCounted stands in the set of what was seen for a condition on the bot's misses: no list and no rule is called so.
const missesCounted = " misses"

// sources keeps what RuleSource shows.
func (l *loader) sources(root *yaml.Node) {
	l.policy.lists = map[string]RuleList{}
	for _, built := range l.written {
		r := built.rule
		r.yaml = strings.Clone(l.source.block(built.node))
		seen := map[string]bool{}
		l.namesIn(l.get(built.node, "when"), seen, &r.lists)
		if seen[missesCounted] {
			l.namesIn(l.get(root, "signals"), seen, &r.lists)
		}
	}
}

// namesIn adds the lists that a condition names, by itself or through another rule.
func (l *loader) namesIn(n *yaml.Node, seen map[string]bool, names *[]string) {
	if n == nil {
		return
	}
	if n.Kind == yaml.ScalarNode {
		for _, m := range listName.FindAllStringSubmatch(n.Value, -1) {
			l.openList(m[1], seen, names)
		}
		return
	}
	for _, pair := range l.pairs(n) {
		switch key := pair[0].Value; {
		case key == "list" && pair[1].Kind == yaml.ScalarNode:
			l.openList(strings.TrimPrefix(pair[1].Value, "$"), seen, names)
		case key == "rule" && pair[1].Kind == yaml.ScalarNode && !seen["rule:"+pair[1].Value]:
			seen["rule:"+pair[1].Value] = true
			l.namesIn(l.get(l.ruleNodes[pair[1].Value], "when"), seen, names)
		case key == botMissedCondition.key:
			seen[missesCounted] = true
		}
		l.namesIn(pair[0], seen, names) // of phrases with weights
		l.namesIn(pair[1], seen, names)
	}
	for _, item := range l.items(n) {
		l.namesIn(item, seen, names)
	}
}

// openList adds a list and those that it names.
func (l *loader) openList(name string, seen map[string]bool, names *[]string) {
	list := l.book.lists[name]
	if list == nil || seen[name] {
		return
	}
	seen[name] = true
	*names = append(*names, name)
	if _, known := l.policy.lists[name]; !known {
		l.policy.lists[name] = list.shown()
	}
	if list.builtin {
		return // the word classes of a pack file are its own
	}
	for _, e := range list.entries {
		for _, m := range listName.FindAllStringSubmatch(e.text, -1) {
			l.openList(m[1], seen, names)
		}
	}
}

// shown is a list as RuleSource shows it. The pack that frames make shows the words of its roles, each behind the role.
func (l *wordList) shown() RuleList {
	all := []string{}
	for _, e := range l.entries {
		all = append(all, e.text)
	}
	if l.builtin && l.name == packs.Framed {
		for _, f := range packs.All() {
			for _, r := range f.Roles {
				for _, ph := range r.Phrases {
					all = append(all, r.Role+": "+ph.Text)
				}
			}
		}
	}
	return RuleList{Name: l.name, Pack: l.builtin, Phrases: slices.Clone(all[:min(len(all), maxListed)]), Count: len(all)}
}
