package rulefile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sirupsen/logrus"

	"escalator/bot/mask"
	"escalator/rules"
)

// NotWritableError is the error of a rule file that cannot be replaced. Nothing was changed.
type NotWritableError struct {
	File string
	Err  error
}

// Error says which file, and why.
func (e *NotWritableError) Error() string {
	return fmt.Sprintf("%s cannot be written, and nothing was changed: %v", e.File, e.Err)
}

// Unwrap gives the reason.
func (e *NotWritableError) Unwrap() error { return e.Err }

var errNotOfVersion = errors.New("it is not of that version, whose `include` would take it in: move it away first")

var errLink = errors.New("it is a symbolic link, as those of a Kubernetes ConfigMap are: change it where it comes from")

// Rollback writes the files of an accepted version back to where the rules are
// read, and reloads them. The version may be shortened.
func (f *File) Rollback(ctx context.Context, version string, by Author) (*Change, error) {
	f.reloading.Lock()
	defer f.reloading.Unlock()
	by = Author{How: "rollback", By: mask.Clip(by.By), Why: mask.Clip(by.Why), Address: by.Address}
	if version == OnDisk {
		return nil, fmt.Errorf("%w: %q", ErrUnknownVersion, version)
	}
	back, err := f.side(ctx, version)
	if err != nil {
		return nil, err
	}
	if back.Main != f.source.name() {
		return nil, &NotWritableError{f.source.path, fmt.Errorf("that version was of a file called %s", back.Main)}
	}
	if _, err := f.judge(back); err != nil {
		return nil, err
	}
	line := f.log.WithFields(logrus.Fields{
		"by": by.By, "why": by.Why, "remote": by.Address, "version_before": f.Policy().Version(), "rules_version": back.Version(),
	})
	_, err = within(context.WithoutCancel(ctx), f.source.storage, func() (struct{}, error) {
		return struct{}{}, putBack(filepath.Dir(f.source.path), back)
	})
	if err != nil {
		line.WithError(err).Warn("rules not rolled back")
		return nil, err
	}
	line.Warn("rules rolled back")
	return f.reload(context.WithoutCancel(ctx), by)
}

// putBack writes files into a folder: all of them or none.
func putBack(dir string, back rules.Set) (err error) {
	if name := alsoTaken(folder(dir), back); name != "" {
		return &NotWritableError{name, errNotOfVersion}
	}
	var ready []replacement
	defer func() {
		for _, r := range ready {
			_ = os.Remove(r.fresh) // those that took their place are not there any more
		}
	}()
	for _, name := range slices.Sorted(maps.Keys(back.Files)) {
		r, err := prepare(dir, name, back.Files[name])
		ready = append(ready, r)
		if err != nil {
			return &NotWritableError{name, err}
		}
	}
	for i, r := range ready {
		if err := os.Rename(r.fresh, r.path); err != nil {
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

// alsoTaken finds a file that the rule file of that version would take in and that is not of the version, "" if there is
// none: an include that came later. To remove it is not for us.
func alsoTaken(now folder, back rules.Set) string {
	takes := rules.Collector{In: mixed{now, back.Files}}
	for _, name := range slices.Sorted(maps.Keys(takes.Collect(back.Main, back.Files[back.Main]).Files)) {
		if _, ok := back.Files[name]; !ok {
			return name
		}
	}
	return ""
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
	within := name + "/"
	if name == "." {
		within = ""
	}
	for file := range m.files {
		rest, below := strings.CutPrefix(file, within)
		if first, _, _ := strings.Cut(rest, "/"); below && !slices.Contains(names, first) {
			names = append(names, first)
		}
	}
	return names, nil
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
	r = replacement{path: path, fresh: path + ".rollback", mode: 0o644}
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
