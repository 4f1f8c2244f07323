package inspect

import (
	"slices"
	"strconv"

	"escalator/bot/desk"
	"escalator/rules"
	"escalator/rules/lang"
)

// group finds a group of Desk by its number.
func (s *side) group(id int64) (g desk.Group, there bool) {
	i := slices.IndexFunc(s.groups.value.Items, func(g desk.Group) bool { return g.ID == strconv.FormatInt(id, 10) })
	if i < 0 {
		return g, false
	}
	return s.groups.value.Items[i], true
}

// whole reports whether a list is all that there is: only then is what is missing from it
// not there.
func whole[T any](list desk.Page[T], id func(T) string) bool {
	if list.Cut || list.Total == nil && len(list.Items) == 0 || list.Total != nil && len(list.Items) < *list.Total {
		return false
	}
	return !slices.ContainsFunc(list.Items, func(item T) bool { return id(item) == "" })
}

// groupLines says which groups there are, and which of the targets lead nowhere.
func (s *side) groupLines() (all []Finding) {
	if !s.groups.known() {
		return nil
	}
	var ids, names []string
	for _, g := range s.groups.value.Items {
		ids = append(ids, g.ID)
		names = append(names, labelOf(g))
	}
	for _, t := range s.Policy.Targets() {
		if t.Group == nil {
			continue
		}
		f := Finding{Check: "groups", OK: true}
		g, there := s.group(*t.Group)
		switch {
		case there:
			f.Detail, f.WayOut = s.filled(t, g)
		case !whole(s.groups.value, func(g desk.Group) string { return g.ID }):
			f.Detail = lang.Say("unknown: target %s names group %d, and not all of Desk's groups are known", t.ID, *t.Group)
		default:
			f.OK, f.Detail = false, lang.Say("target %s names group %d, which Desk does not have; it has %s", t.ID, *t.Group, orNone(names))
			f.WayOut = hint(strconv.FormatInt(*t.Group, 10), ids, "take a number from the list")
		}
		all = append(all, f)
	}
	if len(all) == 0 {
		all = append(all, Finding{Check: "groups", OK: true, Detail: lang.Say("no target names a group; Desk has %s", orNone(names))})
	}
	return all
}

// filled says who is in a group that a target names.
func (s *side) filled(t *rules.Target, g desk.Group) (detail, wayOut lang.Text) {
	detail = lang.Say("target %s: group %s", t.ID, labelOf(g))
	members := s.members[*t.Group]
	count := g.Members
	if n := len(members.value.Items); members.known() && !members.value.Cut && count == nil {
		count = &n
	}
	switch {
	case count == nil:
		return lang.Say("%s, how many agents is unknown", detail), ""
	case *count == 0:
		return lang.Say("%s%s, nobody is in it", warning, detail), "put agents into the group, or let the target name another one"
	case len(members.value.Items) == 0:
		return lang.Say("%s, %d agents", detail, *count), ""
	}
	return lang.Say("%s, %d agents: %s", detail, *count, some(members.value.Items)), ""
}

// agentLines says which agents whom the file names Desk does not know.
func (s *side) agentLines() (all []Finding) {
	named := s.Policy.NamedAgents()
	if len(named) == 0 || !s.agents.known() {
		return nil
	}
	var known []string
	for _, m := range s.agents.value.Items {
		known = append(known, m.ID)
	}
	for _, in := range s.members {
		known = append(known, in.value.Items...)
	}
	slices.Sort(known)
	known = slices.Compact(known)
	found := 0
	for _, a := range named {
		switch {
		case slices.Contains(known, a.ID):
			found++
		case !whole(s.agents.value, func(m desk.MemberStatistics) string { return m.ID }):
			all = append(all, Finding{Check: "agents", OK: true, Detail: lang.Say("unknown: %s names %s, and not all of Desk's agents are known", a.Of, a.ID)})
		default:
			all = append(all, Finding{
				Check: "agents", Detail: lang.Say("%s names %s, whom Desk does not know; it knows %s", a.Of, a.ID, orNone(known)),
				WayOut: hint(a.ID, known, "take an agent from the list"),
			})
		}
	}
	return append(all, Finding{Check: "agents", OK: true, Detail: lang.Say("Desk knows %d of the %d agents that the file names", found, len(named))})
}

func labelOf(g desk.Group) string {
	if g.Name == "" {
		return g.ID
	}
	return g.ID + " " + g.Name
}

func orNone(names []string) lang.Text {
	if len(names) == 0 {
		return "none"
	}
	return some(names)
}

// hint guesses what was meant.
func hint(word string, known []string, otherwise lang.Text) lang.Text {
	if guess := rules.DidYouMean(word, known); guess != "" {
		return guess
	}
	return otherwise
}
