package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// intoPage puts the report into a page of the documentation: the table between
// the markers <!-- table --> and <!-- /table -->, the curves likewise. What was
// not measured stays as it is. Plots go into the folder of the page's name.
func (r *report) intoPage(path string) error {
	text, err := os.ReadFile(path) //nolint:gosec // named by whoever runs this
	if err != nil {
		return err
	}
	page := string(text)
	if len(r.Rows) > 0 {
		if page, err = replaceBlock(page, "table", r.Machine+".\n\n"+r.markdown()); err != nil {
			return err
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
		block := fmt.Sprintf("![%s](%s/%s.svg)\n\n%s\n%s.\n", p.Title, filepath.Base(folder), p.File, p.table(), r.Machine)
		if page, err = replaceBlock(page, p.File, block); err != nil {
			return err
		}
	}
	return os.WriteFile(path, []byte(page), 0o644) //nolint:gosec // documentation is for everybody
}

// replaceBlock replaces what stands between the markers of a name.
func replaceBlock(page, name, with string) (string, error) {
	open, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	before, rest, ok := strings.Cut(page, open)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return "", fmt.Errorf("the page has no markers %s… %s", open, end)
	}
	return before + open + with + end + after, nil
}

// markdown is the table for a page.
func (r *report) markdown() string {
	var b strings.Builder
	b.WriteString("| part | what | floor | ours | ratio | goal | |\n| --- | --- | ---: | ---: | ---: | ---: | --- |\n")
	for i := range r.Rows {
		c := r.Rows[i].cells()
		unit := c[7]
		fmt.Fprintf(&b, "| %s | %s | %s | %s %s | %s | %s | %s |\n", c[0], c[1], c[2], c[3], unit, c[4], c[5], c[6])
	}
	return b.String()
}
