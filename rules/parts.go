package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Part names a part of a rule file.
type Part struct {
	// Section is a key of the file: rules, targets, limits, …
	Section string
	// Name is the rule's id or the name of the target, list, calendar, route or team; "" for the other sections, which are one part each.
	Name string
	// Text is the key of one text to customers in a rule or target (say, offer, take_message, say_if_closed, …); "" for the whole.
	Text string
}

// named are the sections whose entries are parts of their own. What is said under `rules` is a list, the others are
// mappings.
var named = []string{"rules", "targets", "lists", "calendars", "routes", "notify"}

// partsOf takes a digest of each part of a file, whatever its layout and comments, so that two versions can be compared.
func (l *loader) partsOf(root *yaml.Node) map[Part]string {
	parts := map[Part]string{}
	for _, section := range l.pairs(root) {
		parts[Part{Section: section[0].Value}] = digest(section[1])
	}
	for _, section := range named {
		delete(parts, Part{Section: section})
		n := l.get(root, section)
		for _, pair := range l.pairs(n) {
			part := Part{Section: section, Name: textOf(pair[0])}
			l.addPart(parts, part, pair[1], pair[1])
			if src, ok := l.set.Files[textOf(l.get(pair[1], "file"))]; ok && section == "lists" {
				parts[part] += Files{"": src}.Version()
			}
		}
		for _, rule := range l.items(n) {
			l.addPart(parts, Part{Section: section, Name: textOf(l.get(rule, "id"))}, rule, l.get(rule, "then"))
		}
	}
	return parts
}

// addPart adds a part and the texts that speaker, which is or belongs to it, says to customers.
func (l *loader) addPart(parts map[Part]string, part Part, n, speaker *yaml.Node) {
	parts[part] = digest(n)
	for _, pair := range l.pairs(speaker) {
		if key := pair[0].Value; (part.Section == "rules" || part.Section == "targets") && (key == "offer" || key == "take_message" || strings.HasPrefix(key, "say")) {
			part.Text = key
			parts[part] = digest(pair[1])
		}
	}
}

// digest is a short hash of what a node says.
func digest(n *yaml.Node) string {
	h := sha256.New()
	_, _ = h.Write(appendNode(nil, n)) // a hash takes all
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// appendNode writes a node so that different trees differ: each value with its length, each list with its size.
func appendNode(b []byte, n *yaml.Node) []byte {
	b = append(strconv.AppendInt(b, int64(n.Kind), 10), ' ')
	b = append(append(b, n.Tag...), ' ')
	b = append(strconv.AppendInt(b, int64(len(n.Value)), 10), ':')
	b = append(append(b, n.Value...), ' ')
	b = append(strconv.AppendInt(b, int64(len(n.Content)), 10), '\n')
	for _, kid := range n.Content {
		b = appendNode(b, kid)
	}
	return b
}
