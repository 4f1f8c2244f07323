package rules

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"escalator/rules/lang"
)

// aFileName is the name of a file that a rule file takes in.
var aFileName = &shape{
	name: "a file name", pattern: `\p{L}`, examples: []string{"refund.csv"}, // a number alone is a weight
	doc: "A file's name, relative to the rule file's folder, in which it must lie.",
}

// included are the keys that an include may hold: it adds to those of the rule file.
var included = []string{"lists", "targets", "calendars", "rules", "tests"}

// includeShape is the form of an include; it is no part of a rule file, so no editor's schema has it.
var includeShape = sync.OnceValue(func() *shape {
	s := &shape{name: "an include", form: formRecord}
	for _, f := range fileShape.fields {
		if slices.Contains(included, f.key) {
			s.fields = append(s.fields, f)
		}
	}
	return s
})

// takeIncludes joins the files that `include` names to the tree of the rule file, so that all that follows sees one tree.
// Each line of it still knows its file.
func (l *loader) takeIncludes(root *yaml.Node) {
	taken := map[string]bool{l.set.Main: true}
	for _, entry := range l.items(l.get(root, "include")) {
		if entry.Kind != yaml.ScalarNode || isNull(entry) {
			continue // the shape says so
		}
		if why := checkName(entry.Value); why != "" {
			l.fail(entry, "for example teams/*.yaml", "`%s` %s", shorten(entry.Value), why)
			continue
		}
		names := l.set.included(entry.Value)
		if err := l.set.Faults[entry.Value]; err != nil || len(names) == 0 && l.plain() {
			l.failFile(entry, entry.Value, err)
			continue
		}
		if entry.Value == l.set.Main {
			l.fail(entry, "take it out, or name another file", "the rule file cannot include itself")
			continue
		}
		for _, name := range names {
			if taken[name] || l.bad[entry] {
				continue
			}
			taken[name] = true
			if src, ok := l.fileFor(entry, name); ok {
				l.join(root, l.parseIncluded(name, src))
			}
		}
	}
}

// fileFor gives the content of a file that a node names, or says why there is none.
func (k *checker) fileFor(n *yaml.Node, name string) ([]byte, bool) {
	src, ok := k.set.Files[name]
	if err := k.set.Faults[name]; !ok && (err != nil || k.plain()) {
		k.failFile(n, name, err)
	}
	return src, ok
}

// plain says that the text could be read as it stands: only then it is known which files it names.
func (k *checker) plain() bool { return len(k.mended) == 0 }

// failFile says why a file cannot be taken in.
func (k *checker) failFile(n *yaml.Node, name string, err error) {
	const relative = "names are relative to the folder of the rule file"
	name = shorten(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.fail(n, relative, "there is no file `%s`", name)
	case isPattern(name) && err == nil:
		k.fail(n, relative, "no file matches `%s`", name)
	case err == nil:
		k.fail(n, "give the rule file by its path", "`%s` was not read: the text of the rule file was given alone", name)
	case errors.Is(err, errTooManyIncludes), errors.Is(err, errTooManyLists):
		k.fail(n, "put some of them into one file", "`%s` is one too many: %s", name, err)
	case errors.Is(err, ErrTooLarge):
		k.fail(n, "an include has at most 1 MiB, a file of phrases at most 16 MiB", "`%s` is too large", name)
	default:
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = path.Err
		}
		k.fail(n, "name a plain file below the folder of the rule file that this program may read", "`%s` cannot be read: %s", name, err)
	}
}

// parseIncluded reads an include into a tree whose lines stand below those of the files before it.
func (l *loader) parseIncluded(name string, src []byte) *yaml.Node {
	one := loader{checker: checker{source: newSource(name, src)}}
	root := one.parse(src)
	above := l.source.add(name, src, false).above
	for _, p := range one.problems {
		if p == emptyFile {
			p.Hint = lang.Say("write %s into it, or take it out of include", strings.Join(included, ", "))
		}
		p.Line += above
		l.problems = append(l.problems, p)
	}
	for _, s := range one.mended {
		s.line += above
		l.mended = append(l.mended, s)
	}
	move(root, above)
	return root
}

func move(n *yaml.Node, down int) {
	if n == nil {
		return
	}
	n.Line += down
	for _, kid := range n.Content {
		move(kid, down)
	}
}

// join adds the entries of an include to the sections of the rule file. What has the wrong form is told here, the rest is
// checked with the whole.
func (l *loader) join(root, n *yaml.Node) {
	if n == nil || root.Kind != yaml.MappingNode {
		return
	}
	if n.Kind != yaml.MappingNode {
		l.fail(n, "for example rules: […]", "an include is a mapping with some of the keys %s, not %s", strings.Join(included, ", "), describe(n))
		return
	}
	l.uniqueKeys(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch f := includeShape().field(key.Value); {
		case l.bad[key]:
		case key.Value == "include":
			l.fail(key, "name the file in the `include` of the rule file itself", "an include cannot include another file")
		case f == nil && fileShape.field(key.Value) != nil:
			l.fail(key, lang.Say("an include holds %s", strings.Join(included, ", ")), "`%s` belongs in the rule file itself", key.Value)
		case f == nil:
			l.failUnknownKey(key, includeShape(), "an include")
		case value.Kind != f.of.yamlKind() || value.Anchor != "" || value.Style&yaml.TaggedStyle != 0 || len(value.Content) == 0:
			l.check(value, f.of, lang.Say("`%s`", f.key))
		default:
			l.append(root, key, value)
		}
	}
}

// append adds to a section of the rule file. One that has the wrong form there is told of with the whole.
func (l *loader) append(root, key, value *yaml.Node) {
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == key.Value {
			if section := root.Content[i+1]; section.Kind == value.Kind {
				section.Content = append(section.Content, value.Content...)
			}
			return
		}
	}
	root.Content = append(root.Content, key, value)
}
