package rules

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

// MaxListSize is the size of the largest file that a rule file takes in: one of phrases.
const MaxListSize = 16 << 20

// What a rule file may take in (RULES.md 7).
const (
	maxIncludes    = 64
	maxIncludeSize = MaxSize
	maxLists       = 64
	maxListPhrases = 200_000
)

// ErrTooLarge is the error of a Folder for a file that is larger than asked for.
var ErrTooLarge = lang.Errorf("it is too large")

var (
	errTooManyIncludes = lang.Errorf("a rule file includes at most %d files", maxIncludes)
	errTooManyLists    = lang.Errorf("a rule file takes phrases from at most %d files", maxLists)
)

// Folder is where a rule file lies, and the files that it takes in. All names are relative to it, with slashes.
type Folder interface {
	// Read returns a regular file that lies in the folder, links resolved: ErrTooLarge if it has more than so many bytes,
	// fs.ErrNotExist if it is not there.
	Read(name string, most int) ([]byte, error)
	// List lists the names in a folder; "." is the folder itself. fs.ErrNotExist if it is none.
	List(name string) ([]string, error)
}

// Collector finds the files that a rule file takes in, again and again.
type Collector struct {
	In Folder
	// named remembers what a text takes in: a text that has not changed is not read anew at each look.
	named map[string]naming
}

// naming is what the text of one file takes in.
type naming struct {
	src             []byte
	includes, lists []string
}

// Collect reads what the rule file of that name and text takes in. What cannot be read is among the faults.
func (c *Collector) Collect(name string, src []byte) Set {
	s := Set{Main: name, Files: Files{name: src}, Faults: map[string]error{}}
	named := map[string]naming{}
	main := c.naming(name, src, named)
	lists := slices.Clone(main.lists)
	includes := 0
	for _, pattern := range main.includes {
		for _, file := range c.expand(pattern, &s) {
			if s.knows(file) {
				continue
			}
			if includes++; includes > maxIncludes {
				s.Faults[file] = errTooManyIncludes
				break
			}
			if c.read(file, maxIncludeSize, &s) {
				lists = append(lists, c.naming(file, s.Files[file], named).lists...)
			}
		}
	}
	taken := 0
	for _, file := range lists {
		if checkName(file) != "" || s.knows(file) {
			continue
		}
		if taken++; taken > maxLists {
			s.Faults[file] = errTooManyLists
			break
		}
		c.read(file, MaxListSize, &s)
	}
	c.named = named
	return s
}

// knows says that a file was read already, or could not be.
func (s Set) knows(name string) bool {
	_, read := s.Files[name]
	return read || s.Faults[name] != nil
}

func (c *Collector) read(name string, most int, s *Set) bool {
	src, err := c.In.Read(name, most)
	if err != nil {
		s.Faults[name] = err
		return false
	}
	s.Files[name] = src
	return true
}

// naming finds what a text takes in: nothing if it is no YAML, which is told when it is loaded.
func (c *Collector) naming(name string, src []byte, all map[string]naming) naming {
	n, known := c.named[name]
	if !known || !bytes.Equal(n.src, src) {
		n = naming{src: src}
		n.find()
	}
	all[name] = n
	return n
}

func (n *naming) find() {
	if len(n.src) > MaxSize || !bytes.Contains(n.src, []byte("include")) && !bytes.Contains(n.src, []byte("file")) {
		return
	}
	doc, err := decode(n.src)
	if err != nil || len(doc.Content) != 1 {
		return
	}
	var k checker
	for _, e := range k.items(k.get(doc.Content[0], "include")) {
		if e.Kind == yaml.ScalarNode {
			n.includes = append(n.includes, textOf(e))
		}
	}
	for _, pair := range k.pairs(k.get(doc.Content[0], "lists")) {
		if file := k.get(pair[1], "file"); file != nil && file.Kind == yaml.ScalarNode {
			n.lists = append(n.lists, textOf(file))
		}
	}
}

// expand gives the files that a pattern means, in byte order, the rule file itself excepted. A name without wildcards is
// given whether or not it is there.
func (c *Collector) expand(pattern string, s *Set) []string {
	switch {
	case checkName(pattern) != "":
		return nil
	case !isPattern(pattern):
		return []string{pattern}
	}
	found := []string{"."}
	for element := range strings.SplitSeq(pattern, "/") {
		var next []string
		for _, folder := range found {
			names, err := c.In.List(folder)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				s.Faults[pattern] = err
				return nil
			}
			for _, name := range names {
				if matches(element, name) {
					next = append(next, path.Join(folder, name))
				}
			}
		}
		found = next
	}
	found = slices.DeleteFunc(found, func(name string) bool { return name == s.Main })
	slices.Sort(found)
	return found
}

// included gives the files of the set that an entry of `include` means.
func (s Set) included(pattern string) []string {
	if !isPattern(pattern) {
		return []string{pattern}
	}
	elements := strings.Split(pattern, "/")
	return slices.DeleteFunc(s.names(), func(name string) bool {
		parts := strings.Split(name, "/")
		if name == s.Main || name == pattern || len(parts) != len(elements) {
			return true
		}
		for i := range parts {
			if !matches(elements[i], parts[i]) {
				return true
			}
		}
		return false
	})
}

func isPattern(name string) bool { return strings.ContainsAny(name, `*?[\`) }

// matches says that a name is one of those that an element of a pattern means. As in a shell, a wildcard means no name
// that begins with a dot: those are an editor's, or Kubernetes' own.
func matches(element, name string) bool {
	ok, err := path.Match(element, name)
	return ok && err == nil && (name[0] != '.' || element[0] == '.')
}

// checkName says why a name or a pattern names nothing in the rule file's folder, "" if it may.
func checkName(name string) lang.Text {
	_, err := path.Match(name, "")
	switch {
	case path.IsAbs(name):
		return "is not relative to the rule file's folder"
	case slices.Contains(strings.Split(name, "/"), ".."):
		return "leads out of the rule file's folder"
	case err != nil:
		return "is no pattern: a bracket is not closed, or nothing stands behind \\"
	case !fs.ValidPath(name) || name == ".":
		return "is no name of a file"
	}
	return ""
}
