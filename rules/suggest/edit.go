package suggest

import (
	"bytes"
	"maps"
	"slices"

	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/packs"

	"go.yaml.in/yaml/v4"
)

// entry is a phrase to be added to a list, or a word to be added to a role of $ask_human.
type entry struct {
	list string // ask_human, ask_human.person, or a list of the file
	text string
}

var errNoPlace = lang.Errorf("the list is not written in the rule file")

// Added returns the rules with suggestions written into them, each into its list. The files that change are written anew as
// YAML: comments stay, the layout may not. The error says that there is no place for one of them.
func Added(set rules.Set, all ...Suggestion) (rules.Set, error) {
	entries := make([]entry, len(all))
	for i := range all {
		entries[i] = entry{all[i].List, all[i].word()}
	}
	return add(set, entries...)
}

// add writes entries into the file of the set that holds their list, else into the rule file itself.
func add(set rules.Set, entries ...entry) (rules.Set, error) {
	out := set
	out.Files = maps.Clone(set.Files)
	for _, e := range entries {
		name, root := fileWith(out, e.list)
		if root == nil {
			doc, err := parse(out.Files[set.Main])
			if err != nil {
				return out, err
			}
			name, root = set.Main, doc
		}
		if file := formOf(root, e.list).file; out.Files[file] != nil {
			out.Files[file] = addLine(out.Files[file], e.text)
			continue
		}
		if err := addTo(root, e); err != nil {
			return out, err
		}
		src, err := yaml.Marshal(root)
		if err != nil {
			return out, err //nolint:wrapcheck // it cannot be: it was parsed
		}
		out.Files[name] = src
	}
	return out, nil
}

// fileWith is the file of the set that holds a list; nil: none does.
func fileWith(set rules.Set, list string) (name string, root *yaml.Node) {
	for name, src := range set.Files {
		if doc, err := parse(src); err == nil && at(at(doc, "lists"), list) != nil {
			return name, doc
		}
	}
	return "", nil
}

// form is how a list is written, where it is not a sequence of phrases.
type form struct {
	weights bool
	file    string // that has a phrase a line
}

func formOf(root *yaml.Node, list string) (f form) {
	n := at(at(root, "lists"), list)
	if phrases := at(n, "phrases"); phrases != nil {
		n = phrases
	}
	if n == nil || n.Kind != yaml.MappingNode || at(n, "add") != nil || at(n, "without") != nil {
		return f
	}
	if file := at(n, "file"); file != nil && file.Kind == yaml.ScalarNode {
		f.file = file.Value
	} else {
		f.weights = true
	}
	return f
}

// addLine adds a phrase to a file of phrases. It holds neither a comma nor a quotation mark: see proper.
func addLine(src []byte, phrase string) []byte {
	src = slices.Clone(src)
	if len(src) > 0 && src[len(src)-1] != '\n' {
		src = append(src, '\n')
	}
	return append(src, phrase+"\n"...)
}

// parse gives the mapping that a rule file is.
func parse(src []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), &doc); err != nil {
		return nil, err //nolint:wrapcheck // a list file is none
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errNoPlace
	}
	return doc.Content[0], nil
}

func addTo(root *yaml.Node, e entry) error {
	lists := at(root, "lists")
	if lists == nil {
		lists = put(root, "lists", &yaml.Node{Kind: yaml.MappingNode})
	}
	if lists.Kind != yaml.MappingNode {
		return errNoPlace
	}
	list := at(lists, e.list)
	if list == nil {
		list = put(lists, e.list, &yaml.Node{Kind: yaml.MappingNode})
		put(list, "add", &yaml.Node{Kind: yaml.SequenceNode})
	}
	if list.Kind == yaml.MappingNode {
		switch {
		case at(list, "add") != nil:
			list = at(list, "add")
		case at(list, "phrases") != nil:
			list = at(list, "phrases")
		case at(list, "without") != nil:
			list = put(list, "add", &yaml.Node{Kind: yaml.SequenceNode})
		case at(list, "file") != nil:
			return errNoPlace
		}
	}
	switch list.Kind {
	case yaml.SequenceNode:
		list.Content = append(list.Content, scalar(e.text))
	case yaml.MappingNode: // phrases with weights
		list.Content = append(list.Content, scalar(e.text), &yaml.Node{Kind: yaml.ScalarNode, Value: "1"})
	default:
		return errNoPlace
	}
	return nil
}

// at is the value of a key, nil if there is none.
func at(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func put(n *yaml.Node, key string, value *yaml.Node) *yaml.Node {
	n.Content = append(n.Content, scalar(key), value)
	return value
}

// scalar is a text in quotes: without them `no` or 12315 would look like something else to a reader.
func scalar(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Value: s}
}

// asking is the list by which the rules hear requests: $ask_human where a rule that calls a person looks for it, else the
// first list of the file's own that such a rule names; "": there is none.
func asking(p *rules.Policy) (list string) {
	for _, r := range p.Rules() {
		if r.Mode != rules.ModeEnforce || r.Action != "transfer" && r.Action != "offer" {
			continue
		}
		source, _ := p.RuleSource(r.ID)
		for _, l := range source.Lists {
			if l.Name == packs.Framed {
				return l.Name
			}
			if list == "" && !l.Pack {
				list = l.Name
			}
		}
	}
	return list
}
