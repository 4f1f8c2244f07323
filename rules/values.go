package rules

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// get finds the value of a key, nil if it is not there or was complained about.
func (k *checker) get(n *yaml.Node, key string) *yaml.Node {
	_, value := k.pair(n, key)
	return value
}

// pair finds a key and its value.
func (k *checker) pair(n *yaml.Node, key string) (keyNode, value *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key && !k.bad[n.Content[i]] && !k.bad[n.Content[i+1]] {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// declared gives the keys of a mapping with their values; a value that was complained about is nil. So a name is known
// although what it names is wrong, and what refers to it is not blamed.
func (k *checker) declared(n *yaml.Node) [][2]*yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	var pairs [][2]*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if k.bad[key] {
			continue
		}
		if k.bad[value] {
			value = nil
		}
		pairs = append(pairs, [2]*yaml.Node{key, value})
	}
	return pairs
}

// hasKey says that a key is there, whatever is wrong with its value.
func hasKey(n *yaml.Node, key string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}

// faulty says that the node or an element of it was complained about.
func (k *checker) faulty(n *yaml.Node) bool {
	return n == nil || k.bad[n] || slices.ContainsFunc(n.Content, func(e *yaml.Node) bool { return k.bad[e] })
}

// items gives the elements of a sequence that may be read.
func (k *checker) items(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	var items []*yaml.Node
	for _, e := range n.Content {
		if !k.bad[e] {
			items = append(items, e)
		}
	}
	return items
}

// pairs gives the keys and values of a mapping that may be read.
func (k *checker) pairs(n *yaml.Node) [][2]*yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	var pairs [][2]*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !k.bad[n.Content[i]] && !k.bad[n.Content[i+1]] {
			pairs = append(pairs, [2]*yaml.Node{n.Content[i], n.Content[i+1]})
		}
	}
	return pairs
}

// value gives what a record says of a key, or the default that its declaration has for it.
func (k *checker) value(n *yaml.Node, s *shape, key string) *yaml.Node {
	if v := k.get(n, key); v != nil {
		return v
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(s.field(key).standard), &doc); err != nil {
		panic(err) // the declaration's own text
	}
	return doc.Content[0]
}

// The readers below expect nodes that were checked. They give zero for nil and never complain.

func textOf(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return strings.Clone(n.Value) // the tree must not be kept alive by a name
}

func textsOf(nodes []*yaml.Node) []string {
	var texts []string
	for _, n := range nodes {
		texts = append(texts, textOf(n))
	}
	return texts
}

func atoi(s string) int {
	i, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return i
}

func itoa(i int) string { return strconv.Itoa(i) }

func intOf(n *yaml.Node) int { return atoi(textOf(n)) }

func floatOf(n *yaml.Node) float64 {
	f, err := strconv.ParseFloat(textOf(n), 64)
	if err != nil {
		return 0
	}
	return f
}

func boolOf(n *yaml.Node) bool { return strings.EqualFold(textOf(n), "true") }

func boolPointer(n *yaml.Node) *bool {
	if n == nil {
		return nil
	}
	b := boolOf(n)
	return &b
}

func intPointer(n *yaml.Node) *int {
	if n == nil {
		return nil
	}
	i := intOf(n)
	return &i
}

// maxDuration bounds every length of time, so that sums of times cannot overflow.
const maxDuration = 366 * 24 * time.Hour

// duration reads a length of time, zero for nil, and complains about one that is too long.
func (k *checker) duration(n *yaml.Node) time.Duration {
	if n == nil {
		return 0
	}
	d, ok := ParseDuration(n.Value)
	if !ok {
		k.fail(n, "times go up to 366d", "%s is longer than 366 days", shorten(n.Value))
	}
	return d
}

// ParseDuration reads a length of time as files have it, such as 1h30m or 2d; false if it is none, or longer than 366 days.
func ParseDuration(s string) (time.Duration, bool) {
	var sum time.Duration
	for s != "" {
		digits := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
		if digits <= 0 {
			return 0, false
		}
		n, err := strconv.ParseInt(s[:digits], 10, 64)
		s = s[digits:]
		unit, length := unitOf(s)
		if err != nil || unit == 0 || time.Duration(n) > maxDuration/unit {
			return 0, false
		}
		sum += time.Duration(n) * unit
		if sum > maxDuration {
			return 0, false
		}
		s = s[length:]
	}
	return sum, true
}

func unitOf(s string) (unit time.Duration, length int) {
	switch {
	case strings.HasPrefix(s, "ms"):
		return time.Millisecond, 2
	case strings.HasPrefix(s, "s"):
		return time.Second, 1
	case strings.HasPrefix(s, "m"):
		return time.Minute, 1
	case strings.HasPrefix(s, "h"):
		return time.Hour, 1
	case strings.HasPrefix(s, "d"):
		return 24 * time.Hour, 1
	}
	return 0, 0
}

// rate reads 3/24h or 50/s.
func (k *checker) rate(n *yaml.Node) Rate {
	count, per, _ := strings.Cut(n.Value, "/")
	if per != "" && (per[0] < '0' || per[0] > '9') {
		per = "1" + per
	}
	d, ok := ParseDuration(per)
	if !ok {
		k.fail(n, "for example 3/24h; times go up to 366d", "%s is longer than 366 days", shorten(per))
	}
	return Rate{atoi(count), d}
}

// formatDuration writes a length of time as files do: 10m, not 10m0s.
func formatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	if d < 0 {
		return "-" + formatDuration(-d)
	}
	var b strings.Builder
	for _, u := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if n := d / u.length; n > 0 && (u.name != "d" || n > 1 && d%u.length == 0) {
			b.WriteString(strconv.FormatInt(int64(n), 10) + u.name)
			d %= u.length
		}
	}
	return b.String()
}
