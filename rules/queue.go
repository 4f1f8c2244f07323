package rules

import (
	"go.yaml.in/yaml/v4"

	"escalator/rules/lang"
)

var queueCondition = &condition{
	key: "queue", turns: onAll,
	doc:     "So many customers wait in Desk's queue, or in that of a group.",
	example: "queue: {at_least: 10}",
	aka:     []string{"queued", "waiting", "queue_length"},
	value: &shape{
		name: "a range of waiting customers", ref: "queue", form: formRecord, atLeastOne: []string{"at_least", "at_most"},
		fields:   append(figureFields("customers waiting"), field{key: "group", of: aGroup, doc: "Only those who wait for this group, by its number at Desk.", aka: []string{"group_id", "of"}}),
		examples: []string{"{at_least: 10}", "{at_most: 3, group: 2473}"},
	},
	build: func(l *loader, n *yaml.Node) leaf {
		group := l.get(n, "group")
		if group == nil {
			return l.figure(n, "customers waiting", func(r *Reading) figure { return exactly(r.Queue) })
		}
		l.queueGroups = append(l.queueGroups, group)
		id := textOf(group)
		return l.figure(n, lang.Say("customers waiting for group %s", id), func(r *Reading) figure {
			if waiting, known := r.Groups[id]; known {
				return exactly(&waiting)
			}
			return figure{}
		})
	},
}

// lintQueueGroups finds groups whose queue is asked for although no customer is sent there.
func (l *loader) lintQueueGroups() {
	leads := map[int]bool{}
	for _, t := range l.policy.targets {
		if t.Group != nil {
			leads[int(*t.Group)] = true
		}
	}
	for _, n := range l.queueGroups {
		if !leads[intOf(n)] {
			l.warn(n.Line, n.Column, "correct the number, or add a target with this group", "no target leads to group %s", n.Value)
		}
	}
}
