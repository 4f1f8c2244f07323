package rulefile

import (
	"context"
	"maps"
	"path/filepath"
	"slices"

	"github.com/sirupsen/logrus"

	"escalator/bot/mask"
	"escalator/rules/lang"
)

// Rollback writes the files of an accepted version back to where the rules are
// read, and reloads them. The version may be shortened.
func (f *File) Rollback(ctx context.Context, version string, by Author) (*Change, error) {
	f.reloading.Lock()
	defer f.reloading.Unlock()
	by = Author{How: "rollback", By: mask.Clip(by.By), Why: mask.Reason(by.Why), Address: by.Address}
	if isOnDisk(version) {
		return nil, lang.Errorf("%w: %q", ErrUnknownVersion, version)
	}
	back, err := f.side(ctx, version)
	if err != nil {
		return nil, err
	}
	if back.Main != f.source.name() {
		return nil, &NotWritableError{f.source.path, lang.Errorf("that version belongs to a file called %s", back.Main)}
	}
	if _, err := f.judge(ctx, back); err != nil {
		return nil, err
	}
	line := f.log.WithFields(logrus.Fields{
		"by": by.By, "why": by.Why, "remote": by.Address, "version_before": f.Policy().Version(), "rules_version": back.Version(),
	})
	_, err = within(context.WithoutCancel(ctx), f.source.storage, func() (struct{}, error) {
		w := writing{dir: filepath.Dir(f.source.path), set: back, names: slices.Sorted(maps.Keys(back.Files))}
		return struct{}{}, w.all()
	})
	if err != nil {
		line.WithError(err).Warn("rules not rolled back")
		return nil, err
	}
	line.Warn("rules rolled back")
	return f.reload(context.WithoutCancel(ctx), by)
}
