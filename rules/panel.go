package rules

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxPanelFields bounds what an agent is shown, and so what a conversation keeps for it.
const maxPanelFields = 16

// panelShape is what the agents' panel shows of the customer.
var panelShape = &shape{name: "a panel", form: formRecord, fields: []field{
	{key: "fields", required: true, doc: "What agents see of the customer: a name for them, and the path of a field of the callback. The last value of the session is shown.", aka: []string{"field", "show", "values"}, of: exampleShape(&shape{
		name: "a mapping of names to dotted paths", form: formDict, key: &shape{name: "a name for people", pattern: `^\S(.{0,38}\S)?$`, examples: []string{"Order no."}}, elem: aFieldPath,
	}, "{Level: CloudCustomData.level}")},
}}

// PanelField is what an agent sees of a customer: the name is the file's, the value "" where no callback had one.
type PanelField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// namedPath is an entry of `panel: fields`.
type namedPath struct{ name, path string }

// panel reads what agents see, and has it kept.
func (l *loader) panel(n *yaml.Node) {
	fields := l.get(n, "fields")
	pairs := l.pairs(fields)
	if len(pairs) > maxPanelFields {
		l.fail(pairs[maxPanelFields][0], "keep those that agents look at", "the panel shows at most %d fields", maxPanelFields)
	}
	for _, pair := range pairs {
		l.policy.panel = append(l.policy.panel, namedPath{textOf(pair[0]), textOf(pair[1])})
	}
	if len(pairs) > 0 {
		l.policy.record(&panelRecorder{l.policy.panel})
	}
}

// lintPanel finds paths that no callback has.
func (l *loader) lintPanel(n *yaml.Node) {
	for _, pair := range l.pairs(l.get(n, "fields")) {
		l.lintPath(pair[1])
	}
}

// PanelFields are what an agent sees of the customer of a conversation, in the order of the file.
func (p *Policy) PanelFields(c *Conversation) (fields []PanelField) {
	for _, f := range p.panel {
		value := ""
		for _, kept := range c.recall().recallRare().panelFields {
			if kept.path == f.path {
				value = kept.value
			}
		}
		fields = append(fields, PanelField{f.name, value})
	}
	return fields
}

// panelRecorder keeps the last value of each path, whichever message of the session had it: an order is named once, and the
// request for a person comes in another message.
type panelRecorder struct{ fields []namedPath }

func (r *panelRecorder) record(e *evaluation) {
	if e.t.Fields == nil || e.kind != onUser && e.t.Kind != StartTurn {
		return
	}
	for _, f := range r.fields {
		if v, ok := e.t.Fields.Field(f.path); ok {
			e.c.own().ownRare().keepForPanel(f.path, strings.ToValidUTF8(v[:min(len(v), maxFieldLength)], ""))
		}
	}
}

func (r *panelRecorder) wakes() facts { return factTurn }

func (r *panelRecorder) absorb(recorder) bool { return false } // a file has one panel

// keepForPanel keeps a value. It is copied: it is a piece of the callback.
func (m *rareMemory) keepForPanel(path, value string) {
	for i := range m.panelFields {
		if kept := &m.panelFields[i]; kept.path == path {
			if kept.value != value {
				kept.value = strings.Clone(value)
			}
			return
		}
	}
	if len(m.panelFields) == maxPanelFields { // of an earlier rule file
		m.panelFields = m.panelFields[:0]
	}
	m.panelFields = append(m.panelFields, fieldValue{path, strings.Clone(value)})
}
