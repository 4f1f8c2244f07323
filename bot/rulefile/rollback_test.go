package rulefile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"escalator/bot/rulefile"
)

var li = rulefile.Author{By: "li", Why: "the queue is full", Address: "10.0.0.7"}

func TestRollback_writesTheVersionBack_andKeepsWhoDidIt(t *testing.T) {
	watch(t, func(t *testing.T, w *watched) {
		w.save(t, other)
		if err := os.Chmod(w.path, 0o640); err != nil {
			t.Fatal(err)
		}
		change, err := w.Rollback(t.Context(), versionOf(first)[:7], li)
		if err != nil || change.Version != versionOf(first) || change.Before != versionOf(other) {
			t.Fatalf("%+v, %v", change, err)
		}
		src, err := os.ReadFile(w.path)
		info, statErr := os.Stat(w.path)
		if err != nil || statErr != nil || string(src) != first || info.Mode().Perm() != 0o640 {
			t.Errorf("on disk: %q, mode %s, %v", src, info.Mode(), err)
		}
		w.wait(5 * time.Second)
		want := []rulefile.Accepted{
			{Version: versionOf(first), Author: rulefile.Author{How: "rollback", By: "li", Why: "the queue is full", Address: "10.0.0.7"}},
			{Version: versionOf(other), Author: rulefile.Author{How: "reload"}},
			{Version: versionOf(first), Author: rulefile.Author{How: "start"}},
		}
		if d := cmp.Diff(want, w.History(), cmpopts.IgnoreFields(rulefile.Accepted{}, "At", "File", "Bytes")); d != "" {
			t.Error(d)
		}
		if lines := w.log.Lines("rules rolled back"); len(lines) != 1 || lines[0]["by"] != "li" || lines[0]["remote"] != "10.0.0.7" || lines[0]["why"] != "the queue is full" {
			t.Errorf("audit: %v", lines)
		}
		if left, err := os.ReadDir(filepath.Dir(w.path)); err != nil || len(left) != 2 {
			t.Errorf("beside the file: %v, %v", left, err)
		}
	})
}

func TestRollback_mendsAFileThatWasRefusedAtTheStart_orThatIsGone(t *testing.T) {
	dir := t.TempDir()
	path, kept := filepath.Join(dir, "rules.yaml"), filepath.Join(dir, "data", "rules")
	write(t, path, first)
	serve(t, path, kept, func(*testing.T, *watched) {})
	write(t, path, wrong)
	serve(t, path, kept, func(t *testing.T, w *watched) {
		for _, spoil := range []func() error{func() error { return nil }, func() error { return os.Remove(path) }} {
			if err := spoil(); err != nil {
				t.Fatal(err)
			}
			w.wait(5 * time.Second)
			if _, err := w.Rollback(t.Context(), versionOf(first), li); err != nil {
				t.Fatal(err)
			}
			if s := w.Status(); s.LastGood != nil || s.LastError != "" || !w.good(t) {
				t.Errorf("%+v", s)
			}
		}
	})
}

func TestRollback_whatCannotBeWritten_changesNothing(t *testing.T) {
	for _, c := range []struct {
		name, why string
		spoil     func(path string) error
	}{
		{"a link", "Kubernetes ConfigMap", func(path string) error {
			return errors.Join(os.Rename(path, path+".v1"), os.Symlink("rules.yaml.v1", path))
		}},
		{"a folder", "not a regular file", func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) }},
		// The place of the new file is taken: as in a folder without write permission, but so for root too.
		{"no room beside it", ".rules.yaml.escalator", func(path string) error {
			return os.MkdirAll(filepath.Join(filepath.Dir(path), ".rules.yaml.escalator", "x"), 0o700)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			watch(t, func(t *testing.T, w *watched) {
				w.save(t, other)
				if err := c.spoil(w.path); err != nil {
					t.Fatal(err)
				}
				before, _ := os.ReadFile(w.path)
				_, err := w.Rollback(t.Context(), versionOf(first), li)
				if refused, ok := errors.AsType[*rulefile.NotWritableError](err); !ok || !strings.Contains(refused.Error(), c.why) {
					t.Errorf("%v", err)
				}
				if after, _ := os.ReadFile(w.path); string(after) != string(before) || w.Status().Version != versionOf(other) {
					t.Errorf("version %s, the file was %q and is %q", w.Status().Version, before, after)
				}
				if lines := w.log.Lines("rules not rolled back"); len(lines) != 1 || lines[0]["by"] != "li" {
					t.Errorf("audit: %v", lines)
				}
			})
		})
	}
}

func TestRollback_toWhatIsNotKept_isRefused(t *testing.T) {
	watch(t, func(t *testing.T, w *watched) {
		w.save(t, wrong) // which was never accepted
		for _, version := range []string{"", rulefile.OnDisk, "0123456789ab", versionOf(wrong), versionOf(first)[:3]} {
			if _, err := w.Rollback(t.Context(), version, li); !errors.Is(err, rulefile.ErrUnknownVersion) {
				t.Errorf("%q: %v", version, err)
			}
		}
	})
}

func TestRollback_toTheVersionOfAnotherFile_isRefused(t *testing.T) {
	dir := t.TempDir()
	path, kept := filepath.Join(dir, "old.yaml"), filepath.Join(dir, "data", "rules")
	write(t, path, first)
	serve(t, path, kept, func(*testing.T, *watched) {})
	path = filepath.Join(dir, "rules.yaml")
	write(t, path, other)
	serve(t, path, kept, func(t *testing.T, w *watched) {
		_, err := w.Rollback(t.Context(), w.History()[1].Version, li)
		if _, ok := errors.AsType[*rulefile.NotWritableError](err); !ok || !strings.Contains(err.Error(), "old.yaml") {
			t.Error(err)
		}
	})
}

const changed = `version: 1
limits: {global: 9/s}
targets: {default: {say_if_queued: Soon.}, sales: {group: 7}}
rules:
  - {id: sales, when: {says: [buy]}, then: {transfer: sales, say: Coming.}}
  - {id: ask, when: {says: [human, person]}, then: {transfer: default}}
`

func TestReload_namesWhatChanged(t *testing.T) {
	watch(t, func(t *testing.T, w *watched) {
		w.save(t, changed)
		w.save(t, strings.NewReplacer("Coming.", "Wait.", "limits: {global: 9/s}\n", "").Replace(changed))
		want := []map[string]any{
			{
				"change":      "rules +1 ~1 -0, targets +1 ~1 -0, tests 0/0, version " + versionOf(first) + " -> ",
				"rules_added": "sales", "rules_changed": "ask", "targets_added": "sales", "targets_changed": "default", "texts_changed": "default say_if_queued", "also_changed": "limits",
			},
			{"change": "rules +0 ~1 -0, targets +0 ~0 -0, tests 0/0, version " + versionOf(changed) + " -> ", "rules_changed": "sales", "texts_changed": "sales say", "also_changed": "limits"},
		}
		lines := w.log.Lines("rules reloaded")
		if len(lines) != len(want) {
			t.Fatal(w.log)
		}
		for i, line := range lines {
			for name, value := range want[i] {
				if got, _ := line[name].(string); !strings.HasPrefix(got, value.(string)) || name != "change" && got != value {
					t.Errorf("line %d: %s is %q, want %q", i, name, got, value)
				}
			}
			if line["warnings"] == nil {
				t.Errorf("line %d does not tell the warnings: %v", i, line)
			}
		}
	})
}

func TestReload_rulesThatChangedPlaces_areTold(t *testing.T) {
	const one, two = "  - {id: one, when: {says: [one]}, then: {transfer: default}}\n", "  - {id: two, when: {says: [two]}, then: {transfer: default}}\n"
	const head = "version: 1\ntargets: {default: {}}\nrules:\n"
	watch(t, func(t *testing.T, w *watched) {
		w.save(t, head+one+two)
		w.save(t, head+two+one)
		if lines := w.log.Lines("rules reloaded"); len(lines) != 2 || lines[0]["also_changed"] != nil || lines[1]["also_changed"] != "order of the rules" {
			t.Error(w.log)
		}
	})
}

func TestDiff_fromTheRulesInForceToTheFile_andBetweenVersions(t *testing.T) {
	watch(t, func(t *testing.T, w *watched) {
		w.save(t, changed)
		w.save(t, wrong)
		for _, c := range []struct{ from, to, wantFrom, wantTo, line, refused string }{
			{"", "", changed, wrong, "+nonsense: 1", "nonsense"},
			{versionOf(first)[:6], versionOf(changed), first, changed, "+limits: {global: 9/s}", ""},
			{versionOf(changed), versionOf(first), changed, first, "-limits: {global: 9/s}", ""},
		} {
			d, err := w.Diff(t.Context(), c.from, c.to)
			if err != nil {
				t.Fatal(err)
			}
			if d.From != versionOf(c.wantFrom) || d.To != versionOf(c.wantTo) || !strings.Contains(d.Text, "\n"+c.line+"\n") ||
				(d.Refused != "") != (c.refused != "") || !strings.Contains(d.Refused, c.refused) || (d.Change == nil) != (c.refused != "") {
				t.Errorf("%s to %s: %+v", c.from, c.to, d)
			}
		}
		same, err := w.Diff(t.Context(), versionOf(changed), versionOf(changed))
		if err != nil || same.Text != "" || same.Change == nil || !same.Change.Same {
			t.Errorf("%+v, %v", same, err)
		}
		if _, err := w.Diff(t.Context(), "0123456789ab", ""); !errors.Is(err, rulefile.ErrUnknownVersion) {
			t.Error(err)
		}
		if err := os.Remove(w.path); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Diff(t.Context(), "", ""); err == nil || !strings.Contains(err.Error(), "gone") {
			t.Error(err)
		}
	})
}

func TestReload_ofAnUnchangedFile_saysSo(t *testing.T) {
	watch(t, func(t *testing.T, w *watched) {
		if change, err := w.Reload(t.Context()); err != nil || !change.Same {
			t.Errorf("%+v, %v", change, err)
		}
		if lines := w.log.Lines("rules reloaded: the file has not changed"); len(lines) != 1 || lines[0]["rules_version"] != versionOf(first) {
			t.Error(w.log)
		}
	})
}
