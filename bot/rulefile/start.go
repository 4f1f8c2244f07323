package rulefile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"escalator/rules"
)

// Options say where the rules are and what a start does without them.
type Options struct {
	Path string
	// Kept is the folder of accepted versions; "": none is kept.
	Kept string
	// LastGood has a start whose rule file is refused take the last accepted version instead.
	LastGood bool
}

// Open loads the rules for a start. The error is a *RefusedError when the file has
// mistakes or its tests fail, and it is not replaced by an accepted version. A
// file that is not there never is: its name may be wrong.
func Open(o Options) (*File, error) {
	f := &File{source: newSource(o.Path), keeping: newStorage()}
	var historyErr error
	f.history, historyErr = openHistory(o.Kept)
	set, err := f.source.read(context.Background())
	if err != nil {
		f.unreadable = unreadable(err).Error()
		err = fmt.Errorf("reading the rule file: %w", err)
	} else {
		f.refused = set.Version()
		err = f.begin(set)
	}
	switch {
	case err == nil:
		f.refused = ""
		return f, nil
	case !o.LastGood || errors.Is(err, fs.ErrNotExist):
		return nil, err
	case !f.beginWithKept():
		return nil, errors.Join(err, historyErr)
	}
	now := time.Now()
	f.atStart, f.status.LastError, f.status.FailedAt, f.status.why = err, err.Error(), &now, reason(err)
	return f, nil
}

// begin starts with the file.
func (f *File) begin(set rules.Set) error {
	v, err := f.judge(context.Background(), set)
	if err != nil {
		return err
	}
	f.policy, f.status = v.policy, Status{Version: v.policy.Version(), LoadedAt: time.Now()}
	f.accepted(set.Files, Author{How: "start"})
	if failed := v.failed(); len(failed) > 0 {
		f.atStart = &RefusedError{Why: "tests of the rule file fail; it is in force anyway, because of test_policy: warn", Failed: failed, file: f.source.path}
	}
	return nil
}

// beginWithKept starts with the newest accepted version that can be put in force:
// another version of this program may see mistakes where the former saw none.
func (f *File) beginWithKept() bool {
	for _, k := range slices.Backward(f.history.kept) {
		files, err := f.history.files(k)
		if err != nil {
			continue
		}
		if v, err := f.judge(context.Background(), rules.Set{Main: k.File, Files: files}); err == nil {
			f.policy = v.policy
			f.status = Status{Version: v.policy.Version(), LoadedAt: time.Now(), LastGood: &k.At}
			return true
		}
	}
	return false
}
