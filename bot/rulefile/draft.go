package rulefile

import (
	"bytes"
	"cmp"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"escalator/rules"
	"escalator/rules/lang"
)

// errNotSent tells nothing of what lies in the folder, not even whether there is such a file.
var errNotSent = lang.Errorf("it is not part of the rules yet: send its text too")

// drafted is the folder as it would be with the text of some files replaced. It holds what the rule file takes in now and
// what was sent, and nothing else: a text that somebody sends must be no way to read what lies beside the rules, such as a
// file of secrets.
type drafted struct {
	now  rules.Set
	sent rules.Files
}

// Read gives a text that was sent, or the one on disk.
func (d drafted) Read(name string, most int) ([]byte, error) {
	src, ok := d.sent[name]
	if !ok {
		src, ok = d.now.Files[name]
	}
	switch {
	case !ok:
		return nil, cmp.Or(d.now.Faults[name], errNotSent)
	case len(src) > most:
		return nil, rules.ErrTooLarge
	}
	return src, nil
}

// List lists the names in a folder.
func (d drafted) List(name string) ([]string, error) {
	names := firstBelow(name, d.sent, firstBelow(name, d.now.Files, nil))
	if names == nil {
		return nil, fs.ErrNotExist
	}
	return names, nil
}

// firstBelow adds to the names in a folder those that lead to the files.
func firstBelow(folder string, files rules.Files, names []string) []string {
	within := folder + "/"
	if folder == "." {
		within = ""
	}
	for file := range files {
		rest, below := strings.CutPrefix(file, within)
		if first, _, _ := strings.Cut(rest, "/"); below && !slices.Contains(names, first) {
			names = append(names, first)
		}
	}
	return names
}

// draft gives the set that would be read if the files that were sent took their places, and complains of those that the
// rule file would not take in.
func draft(now rules.Set, sent rules.Files) (set rules.Set, strays []rules.Problem) {
	d := drafted{now, rules.Files{}}
	for name, src := range sent {
		if !fs.ValidPath(name) {
			continue // no folder can hold it
		}
		d.sent[name] = withLineEndsOf(now.Files[name], src)
	}
	main, ok := d.sent[now.Main]
	if !ok {
		main = now.Files[now.Main]
	}
	takes := rules.Collector{In: d}
	set = takes.Collect(now.Main, main)
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		_, taken := set.Files[name]
		before, had := now.Files[name]
		if !taken && (!had || !bytes.Equal(before, d.sent[name])) {
			strays = append(strays, rules.Problem{
				File: name, Line: 1, Column: 1, Message: "the rule file does not take in this file",
				Hint: "name it in `include` or as the `file` of a list, or leave it out",
			})
		}
	}
	return set, strays
}

// withLineEndsOf gives a text the line ends of the file in whose place it comes: a text field of a browser knows only one
// kind, and every line would differ.
func withLineEndsOf(before, src []byte) []byte {
	lines := bytes.Count(before, []byte("\n"))
	if lines == 0 || bytes.Count(before, []byte("\r\n")) < lines || bytes.Contains(src, []byte("\r")) {
		return src
	}
	return bytes.ReplaceAll(src, []byte("\n"), []byte("\r\n"))
}
