package rules

import "go.yaml.in/yaml/v4"

// Who answers a message that is not escalated, as `ai_provider` says.
const (
	ProviderDesk = "desk" // Desk's robot
	ProviderSelf = "self" // the operator's own bot
	ProviderOmit = "omit" // the answer does not say
)

// everyEntry is the key of `ai_provider` that stands for all entries that it does not name.
const everyEntry = "default"

var (
	aProvider    = enumShape("desk, self or omit", []string{ProviderDesk, ProviderSelf, ProviderOmit}, "tencent", ProviderDesk, "robot", ProviderDesk, "own", ProviderSelf, "bot", ProviderSelf, "none", ProviderOmit)
	halfProvider = &shape{name: "a share for the own bot", form: formRecord, examples: []string{"{self: 20%, else: desk}"}, fields: []field{
		{key: "self", of: aShare, required: true, doc: "Whose messages the own bot answers."},
		{key: "else", of: aProvider, required: true, doc: "Who answers the others."},
	}}
	providerShape = &shape{name: "who answers", form: formChoice, forms: []*shape{aProvider, halfProvider}}

	providersShape = &shape{
		name: "who answers, by consultation entry", form: formDict, key: aWord, elem: providerShape,
		examples: []string{`{default: desk, "@shop": self, "@trial": {self: 20%, else: desk}}`},
	}
)

// provider is who answers at an entry: first whoever is in the share, then the others.
type provider struct {
	first, others string
	share         share
}

// providers reads who answers.
func (l *loader) providers(n *yaml.Node) {
	for _, pair := range l.pairs(n) {
		p := provider{first: textOf(pair[1])}
		if pair[1].Kind == yaml.MappingNode {
			p = provider{ProviderSelf, textOf(l.get(pair[1], "else")), shareOf(l.get(pair[1], "self"))}
			if p.others == p.first {
				l.warn(pair[1].Line, pair[1].Column, "write self, or desk behind `else`", "`%s` has no effect as a share: the others get self too", textOf(pair[0]))
			}
		}
		if l.policy.providers == nil {
			l.policy.providers = map[string]provider{}
		}
		l.policy.providers[textOf(pair[0])] = p
	}
}

// Provider says who answers what is not escalated at a consultation entry (its CustomerServiceId, "" if it is not known): one of
// the Provider constants, "" if the file leaves it to the settings. who is the customer, else the session.
func (p *Policy) Provider(entry, who string) string {
	at, ok := p.providers[entry]
	if !ok || entry == everyEntry {
		at, ok = p.providers[everyEntry]
	}
	if !ok || at.share.holds("ai_provider", entry, who) {
		return at.first
	}
	return at.others
}
