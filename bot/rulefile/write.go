package rulefile

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"escalator/rules"
	"escalator/rules/lang"
)

// NotWritableError is the error of a rule file that cannot be replaced. Nothing was changed.
type NotWritableError struct {
	File string
	Err  error
}

// Error says which file, and why.
func (e *NotWritableError) Error() string { return e.Said().String() }

// Said is the error as a message.
func (e *NotWritableError) Said() lang.Text {
	return lang.Say("%s cannot be written, and nothing was changed: %s", e.File, lang.Of(e.Err))
}

// Unwrap gives the reason.
func (e *NotWritableError) Unwrap() error { return e.Err }

var errMounted = lang.Errorf("a file that is mounted on its own cannot be replaced: mount its folder")

var errNotOfVersion = lang.Errorf("it is not part of that version, but the version's `include` would take it in: move it away first")

var errLink = lang.Errorf("it is a symbolic link, as those of a Kubernetes ConfigMap are: change it where it comes from")

// writing puts files where the rules are read.
type writing struct {
	dir string
	// set is what the folder is to hold, names are those of its files that are written.
	set   rules.Set
	names []string
	// unchanged is asked right before the first file takes its place; nil: whatever is there is replaced.
	unchanged func() error
}

// all writes all of the files or none. A process that is killed between two renames leaves some of both: each file is
// whole, and the rule file, which names the others, comes last.
func (w *writing) all() (err error) {
	if err := w.readsAlike(); err != nil {
		return err
	}
	var ready []replacement
	defer func() {
		for _, r := range ready {
			_ = os.Remove(r.fresh) // those that took their place are not there any more
		}
	}()
	slices.SortStableFunc(w.names, func(a, b string) int { return mainLast(a, w.set.Main) - mainLast(b, w.set.Main) })
	for _, name := range w.names {
		r, err := prepare(w.dir, name, w.set.Files[name])
		ready = append(ready, r)
		if err != nil {
			return &NotWritableError{name, err}
		}
	}
	if w.unchanged != nil {
		if err := w.unchanged(); err != nil {
			return err
		}
	}
	for i, r := range ready {
		if err := os.Rename(r.fresh, r.path); err != nil {
			if errors.Is(err, syscall.EBUSY) {
				err = errMounted
			}
			for _, done := range ready[:i] {
				err = errors.Join(err, done.undo())
			}
			return &NotWritableError{r.path, err}
		}
	}
	for _, r := range ready {
		err = errors.Join(err, syncFolder(filepath.Dir(r.path)))
	}
	return err
}

func mainLast(name, main string) int {
	if name == main {
		return 1
	}
	return 0
}

// readsAlike makes sure that what will be read is the set, and no more: an include that came later is in its way. To remove
// that is not for us.
func (w *writing) readsAlike() error {
	takes := rules.Collector{In: mixed{folder(w.dir), w.set.Files}}
	found := takes.Collect(w.set.Main, w.set.Files[w.set.Main])
	for _, name := range slices.Sorted(maps.Keys(found.Files)) {
		if _, ok := w.set.Files[name]; !ok {
			return &NotWritableError{name, errNotOfVersion}
		}
	}
	if found.Version() != w.set.Version() {
		return &NotWritableError{w.set.Main, errOther}
	}
	return nil
}

// mixed is a folder after files were put into it.
type mixed struct {
	folder
	files rules.Files
}

// Read reads one of the files, or what is there already.
func (m mixed) Read(name string, most int) ([]byte, error) {
	if src, ok := m.files[name]; ok {
		return src, nil
	}
	return m.folder.Read(name, most)
}

// List lists the names of both.
func (m mixed) List(name string) ([]string, error) {
	names, err := m.folder.List(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return firstBelow(name, m.files, names), nil
}

// freshName is where a file is written before it takes its place. No wildcard of an include means it.
func freshName(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".escalator")
}

// replacement is a file that is ready to take the place of another.
type replacement struct {
	path, fresh string
	mode        fs.FileMode
	before      []byte
	isNew       bool
}

// prepare writes a file beside the one that it is to replace.
func prepare(dir, name string, src []byte) (r replacement, err error) {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := makeFolder(dir, filepath.Dir(filepath.FromSlash(name))); err != nil {
		return r, err
	}
	r = replacement{path: path, fresh: freshName(path), mode: 0o644}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.isNew = true
	case err != nil:
		return r, err
	case info.Mode()&fs.ModeSymlink != 0:
		return r, errLink
	default:
		r.mode = info.Mode().Perm()
		if r.before, err = Read(path, rules.MaxListSize); err != nil {
			return r, err
		}
	}
	if err := os.Remove(r.fresh); err != nil && !errors.Is(err, fs.ErrNotExist) { // of an attempt that was cut
		return r, err
	}
	return r, writeFile(r.fresh, src, r.mode)
}

// makeFolder makes the folders in which a file is to lie, and none where a link stands in for one: the files would be put
// somewhere else.
func makeFolder(dir, below string) error {
	if below == "." {
		return nil
	}
	if err := makeFolder(dir, filepath.Dir(below)); err != nil {
		return err
	}
	path := filepath.Join(dir, below)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.Mkdir(path, 0o755) //nolint:gosec // as the folder of the rule file is
	case err == nil && info.Mode()&fs.ModeSymlink != 0:
		return errLink
	}
	return err
}

// undo puts back what was there before.
func (r replacement) undo() error {
	if r.isNew {
		return os.Remove(r.path)
	}
	if err := writeFile(r.fresh, r.before, r.mode); err != nil {
		return err
	}
	return os.Rename(r.fresh, r.path)
}
