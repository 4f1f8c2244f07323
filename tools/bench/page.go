package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// intoPage puts the report into a page of the documentation: the rows of each part
// between the markers of its name, <!-- callback --> and <!-- /callback -->, and the
// curves likewise. What was not measured stays as it is. Plots go into the folder of
// the page's name.
func (r *report) intoPage(path string) error {
	text, err := os.ReadFile(path) //nolint:gosec // named by whoever runs this
	if err != nil {
		return err
	}
	page := string(text)
	for _, p := range parts {
		if table := r.markdown(p.name); table != "" {
			if page, err = replaceBlock(page, p.name, table+"\n"+r.origin()); err != nil {
				return err
			}
		}
	}
	for i := range r.Plots {
		p := &r.Plots[i]
		folder := strings.TrimSuffix(path, filepath.Ext(path))
		if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // documentation is for everybody
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, p.File+".svg"), []byte(p.svg()), 0o644); err != nil { //nolint:gosec // likewise
			return err
		}
		block := fmt.Sprintf("![%s](%s/%s.svg)\n\n%s\n%s", p.Title, filepath.Base(folder), p.File, p.table(), r.origin())
		if page, err = replaceBlock(page, p.File, block); err != nil {
			return err
		}
	}
	return os.WriteFile(path, []byte(page), 0o644) //nolint:gosec // documentation is for everybody
}

// origin says where the figures come from.
func (r *report) origin() string { return r.Machine + ". " + r.Load + "\n" }

// replaceBlock replaces what stands between the markers of a name.
func replaceBlock(page, name, with string) (string, error) {
	open, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	before, rest, ok := strings.Cut(page, open)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed || strings.Contains(after, open) {
		return "", fmt.Errorf("the page needs the markers %s… %s once", open, end)
	}
	return before + open + with + end + after, nil
}

// markdown is the table of a part for a page, "" if it has no rows.
func (r *report) markdown(part string) string {
	var b strings.Builder
	for i := range r.Rows {
		w := &r.Rows[i]
		if w.Part != part {
			continue
		}
		if b.Len() == 0 {
			fmt.Fprintf(&b, "| %s |\n| --- | --- |%s\n", strings.Join(r.heads(), " | "), strings.Repeat(" ---: |", len(r.heads())-2))
		}
		fmt.Fprintf(&b, "| %s |\n", strings.ReplaceAll(strings.Join(r.cells(w), " | "), missed, "**"+missed+"**"))
	}
	return b.String()
}
