package rulefile

import (
	"context"
	"time"

	"escalator/rules"
)

// keepEvery is how often it is tried to keep a version that the disk does not take.
const keepEvery = time.Minute

// unkept is a version that is in force and not in the history yet.
type unkept struct {
	Accepted
	files rules.Files
	tried time.Time
}

// accepted notes that files were put in force.
func (f *File) accepted(files rules.Files, by Author) {
	u := &unkept{Accepted: Accepted{Version: files.Version(), At: time.Now(), Author: by, File: f.source.name()}, files: files}
	for _, src := range files {
		u.Bytes += len(src)
	}
	f.unkept = u
}

// keep puts the version in force into the history. That this fails is no reason to
// go on with old rules, but it is told, and tried again.
func (f *File) keep() {
	u := f.unkept
	if u == nil || time.Since(u.tried) < keepEvery {
		return
	}
	u.tried = time.Now()
	_, err := within(context.Background(), f.keeping, func() (struct{}, error) { return struct{}{}, f.history.add(u.Accepted, u.files) })
	status, policy := f.Status(), f.Policy()
	before := status.Unkept
	status.Unkept = ""
	if err != nil {
		status.Unkept = err.Error()
	}
	f.set(policy, status)
	line := f.log.WithField("rules_version", u.Version)
	switch {
	case err == nil && before != "":
		line.Info("the rules in force are kept again")
	case err != nil && before != err.Error():
		line.WithError(err).Error("the rules in force cannot be kept: neither a start with a bad rule file nor a rollback can come back to them")
	}
	if err == nil {
		f.unkept = nil
	}
}

// History lists the versions that were accepted, newest first.
func (f *File) History() []Accepted { return f.history.list() }
