package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"escalator/rules/lang"
	"escalator/rules/replay"
)

// maxShownSkips bounds the unreadable lines that are told one by one.
const maxShownSkips = 20

// lineFiles reads the lines of several files and counts those it had to skip.
type lineFiles struct {
	env     Env
	skipped int
	read    int
	told    time.Time // when progress was told last
}

// each gives every readable line of the files to use. "-" is standard input; of a
// folder all .jsonl and .ndjson files are read, also those of its folders, in the
// order of their names: recordings are named by their time.
func (l *lineFiles) each(names []string, use func(file string, line int, rec *replay.Record)) error {
	var files []string
	for _, name := range names {
		found, err := filesOf(name)
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	for _, file := range files {
		if err := l.file(file, use); err != nil {
			return lang.Errorf("reading %s: %w", file, err)
		}
	}
	l.progress(true)
	if l.skipped > 0 {
		l.env.tell("lines skipped: %d", l.skipped)
	}
	return nil
}

// filesOf is the file itself, or the files of a folder.
func filesOf(name string) (files []string, err error) {
	if info, err := os.Stat(name); name == "-" || err != nil || !info.IsDir() {
		return []string{name}, nil //nolint:nilerr // opening it will tell what is wrong
	}
	err = filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
		if ext := filepath.Ext(path); err == nil && !d.IsDir() && (ext == ".jsonl" || ext == ".ndjson") {
			files = append(files, path)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, lang.Errorf("reading the folder %s: %w", name, err)
	case len(files) == 0:
		return nil, lang.Errorf("the folder %s holds no .jsonl or .ndjson file", name)
	}
	return files, nil
}

func (l *lineFiles) file(file string, use func(string, int, *replay.Record)) error {
	in := l.env.Stdin
	if file != "-" {
		f, err := os.Open(file) //nolint:gosec // the user names the file
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	return replay.ReadLines(in, func(line int, rec *replay.Record) {
		l.read++
		l.progress(false)
		use(file, line, rec)
	}, func(bad *replay.LineError) { l.skip(file, bad.Line, bad.Err) })
}

// skip tells of a line that cannot be used.
func (l *lineFiles) skip(file string, line int, why error) {
	if l.skipped++; l.skipped <= maxShownSkips {
		l.env.tell("%s:%d: skipped: %s", file, line, why)
	}
}

// progress tells a person at a terminal how far it has come, now and then.
func (l *lineFiles) progress(end bool) {
	if !isTerminal(l.env.Stderr) || !end && time.Since(l.told) < time.Second/2 {
		return
	}
	if l.told.IsZero() && end {
		return // it was over before anyone could wonder
	}
	l.told = time.Now()
	fmt.Fprint(l.env.Stderr, "\r", lang.Say("%d lines", l.read).In(l.env.Lang))
	if end {
		fmt.Fprintln(l.env.Stderr)
	}
}

// isTerminal reports whether somebody reads or types there.
func isTerminal(stream any) bool {
	if o, ok := stream.(*output); ok {
		stream = o.Writer
	}
	f, ok := stream.(*os.File)
	return ok && answersAsTerminal(f)
}
