package rulefile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sirupsen/logrus"

	"escalator/bot/mask"
	"escalator/rules"
	"escalator/rules/lang"
)

// Draft is what somebody wants the files to say.
type Draft struct {
	// Files are those that change; the others stay as they are.
	Files rules.Files
	// From is the version on disk that was edited.
	From string
	// TestsMustPass has failing tests refuse it whatever its test_policy says.
	TestsMustPass bool
	Author
}

// StaleError is the error of a draft of a version that is not on disk any more. Nothing was written.
type StaleError struct {
	// Version is the one on disk.
	Version string
}

// Error names the version on disk.
func (e *StaleError) Error() string { return e.Said().String() }

// Said is the error as a message.
func (e *StaleError) Said() lang.Text {
	return lang.Say("somebody else has changed the rule file: version %s is on disk, and nothing was written", e.Version)
}

var (
	errThere = lang.Errorf("a file of that name exists and is not part of the rules: choose another name")
	errName  = lang.Errorf("a new file needs a name like teams/sales.yaml or words/refund.csv")
	errOther = lang.Errorf("the files on disk would be read differently from how they were checked")
)

// endings are those of files that may be made: one that another program obeys must not come of a text.
var endings = []string{".yaml", ".yml", ".csv", ".tsv", ".txt"}

// Save writes a draft to where the rules are read, and puts it in force. It is judged, and its tests are run, before
// anything is written; then all of it is written or nothing. The error is a *StaleError, a *RefusedError, a
// *NotWritableError or ErrStorage.
func (f *File) Save(ctx context.Context, d Draft) (*Change, error) {
	f.reloading.Lock()
	defer f.reloading.Unlock()
	now, err := f.source.read(ctx)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the rule file: %w", unreadable(err))
	case now.Version() != d.From:
		return nil, &StaleError{now.Version()}
	}
	set, strays := draft(now, d.Files)
	v, err := f.judgeDraft(ctx, set, strays)
	if err != nil {
		return nil, err
	}
	if failed := v.failed(); d.TestsMustPass && len(failed) > 0 {
		return nil, f.testsFail(v)
	}
	by := Author{How: d.How, By: mask.Clip(d.By), Why: mask.Reason(d.Why), Address: d.Address}
	if err := f.write(ctx, now, set, by); err != nil {
		return nil, err
	}
	return f.reload(context.WithoutCancel(ctx), by)
}

// write puts what a draft changes onto the disk.
func (f *File) write(ctx context.Context, now, set rules.Set, by Author) error {
	w := writing{dir: filepath.Dir(f.source.path), set: set}
	for _, name := range slices.Sorted(maps.Keys(set.Files)) {
		if before, ok := now.Files[name]; !ok || !bytes.Equal(before, set.Files[name]) {
			w.names = append(w.names, name)
		}
	}
	w.unchanged = func() error {
		again, err := f.source.readNow()
		if err == nil && again.Version() != now.Version() {
			return &StaleError{again.Version()}
		}
		return err
	}
	line := f.log.WithFields(logrus.Fields{
		"by": by.By, "why": by.Why, "remote": by.Address, "files": w.names, "version_before": now.Version(), "rules_version": set.Version(),
	})
	_, err := within(context.WithoutCancel(ctx), f.source.storage, func() (struct{}, error) {
		if err := w.mayMake(now); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, w.all()
	})
	if err != nil {
		line.WithError(err).Warn("rules not saved")
		return err
	}
	line.Warn("rules saved")
	return nil
}

// mayMake refuses new files that have no business in the folder, and those in whose place something lies that nobody
// has seen: it would be lost.
func (w *writing) mayMake(now rules.Set) error {
	for _, name := range w.names {
		if _, seen := now.Files[name]; seen {
			continue
		}
		hidden := func(element string) bool { return strings.HasPrefix(element, ".") }
		if slices.ContainsFunc(strings.Split(name, "/"), hidden) || !slices.Contains(endings, path.Ext(name)) {
			return &NotWritableError{name, errName}
		}
		there, err := folder(w.dir).Read(name, rules.MaxListSize)
		if _, statErr := os.Lstat(filepath.Join(w.dir, filepath.FromSlash(name))); errors.Is(statErr, fs.ErrNotExist) {
			continue
		}
		if err != nil || !bytes.Equal(there, w.set.Files[name]) {
			return &NotWritableError{name, errThere}
		}
	}
	return nil
}
