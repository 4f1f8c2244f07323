package rulefile

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"escalator/rules"
)

// OnDisk stands for the file as it is now, where a version is asked for. So does its other name, disk.
const OnDisk = "file"

func isOnDisk(version string) bool { return version == OnDisk || version == "disk" }

// Diff is what lies between two versions.
type Diff struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Change says it part by part; nil: one of the two is refused.
	Change *Change `json:"change,omitempty"`
	// Refused says why the second would not be taken.
	Refused string `json:"refused,omitempty"`
	// Text says it line by line, in the form of diff -u; "": there is no difference.
	Text string `json:"diff"`
}

// Diff compares two versions; "" is the one in force as the first, and OnDisk as the second.
func (f *File) Diff(ctx context.Context, from, to string) (*Diff, error) {
	f.reloading.Lock()
	defer f.reloading.Unlock()
	if from == "" {
		from = f.Policy().Version()
	}
	if to == "" {
		to = OnDisk
	}
	before, err := f.side(ctx, from)
	if err != nil {
		return nil, err
	}
	after, err := f.side(ctx, to)
	if err != nil {
		return nil, err
	}
	d := &Diff{From: before.Version(), To: after.Version()}
	d.Text = lineByLine(before.Files, after.Files, d.From, d.To)
	old, oldErr := f.load(ctx, before)
	now, err := f.judge(ctx, after)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		d.Refused = err.Error()
	case oldErr == nil:
		d.Change = now.change(old.Policy)
	}
	return d, nil
}

// side reads a version.
func (f *File) side(ctx context.Context, version string) (rules.Set, error) {
	if isOnDisk(version) {
		set, err := f.source.read(ctx)
		if err != nil {
			return rules.Set{}, fmt.Errorf("reading the rule file: %w", unreadable(err))
		}
		return set, nil
	}
	if u := f.unkept; u != nil && version != "" && strings.HasPrefix(u.Version, version) {
		return rules.Set{Main: u.File, Files: u.files}, nil
	}
	k, err := f.history.find(version)
	if err != nil {
		return rules.Set{}, err
	}
	files, err := within(ctx, f.keeping, func() (rules.Files, error) { return f.history.files(k) })
	return rules.Set{Main: k.File, Files: files}, err
}

func lineByLine(before, after rules.Files, from, to string) string {
	all := maps.Clone(before)
	maps.Copy(all, after)
	var text bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(all)) {
		text.Write(diff.Diff(name+" "+from, before[name], name+" "+to, after[name]))
	}
	return text.String()
}
