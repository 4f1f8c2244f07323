package rulefile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot/logtest"
	"escalator/bot/notify"
	"escalator/bot/rulefile"
	"escalator/rules"
)

// attached is the rule file of a service, whose watcher asks for looks in real time.
func attached(t *testing.T, path, kept string) *rulefile.File {
	t.Helper()
	f, err := rulefile.Open(rulefile.Options{Path: path, Kept: kept})
	if err != nil {
		t.Fatal(err)
	}
	log := logrus.New()
	log.SetOutput(&logtest.Buffer{})
	f.Attach(func(*rules.Policy) {}, func(notify.Event) {}, log, prometheus.NewRegistry())
	return f
}

// Whatever names and texts are sent, nothing changes but files of the rules, and those only together with what is in force.
func FuzzSave(f *testing.F) {
	for _, name := range []string{"rules.yaml", "teams/one.yaml", "../x.yaml", "/etc/x.yaml", "a/../../x.yaml", ".env", "a\x00.yaml", `a\b.yaml`, "teams", "teams/", "*.yaml", "RULES.YAML", "secret.env", strings.Repeat("a", 300) + ".yaml"} {
		f.Add(name, teamTwo, "include: [\""+name+"\", teams/*]\n")
	}
	f.Add("words/a.csv", "word\n", "lists: {a: {file: words/a.csv}}\n")
	f.Add("secret.env", "word\n", "lists: {a: {file: secret.env}}\n")
	f.Add("teams/one.yaml", first, "")
	f.Fuzz(func(t *testing.T, name, text, head string) {
		outer := t.TempDir()
		dir := filepath.Join(outer, "rules")
		if err := os.MkdirAll(filepath.Join(dir, "teams"), 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "rules.yaml")
		write(t, path, "include: [teams/one.yaml]\n"+first)
		write(t, filepath.Join(dir, "teams/one.yaml"), teamOne)
		write(t, filepath.Join(dir, "secret.env"), "KEY=secret\n")
		write(t, filepath.Join(outer, "x.yaml"), "mine\n")
		file := attached(t, path, "")
		before := tree(t, outer)
		main := head + strings.Replace(first, "id: ask", "id: asks", 1)
		change, err := file.Save(t.Context(), rulefile.Draft{Files: sent(name, text, "rules.yaml", main), From: file.Status().Version, Author: li})
		after := tree(t, outer)
		if err != nil {
			if d := cmp.Diff(before, after); d != "" {
				t.Errorf("refused (%v), and yet: %s", err, d)
			}
			return
		}
		shown, err := file.Show(t.Context())
		if err != nil || shown.Version != change.Version || file.Status().Version != change.Version {
			t.Errorf("%+v was put in force, %+v is there, %v", change, shown, err)
		}
		for file, text := range after {
			if had, ok := before[file]; (!ok || had != text) && shown.Files[strings.TrimPrefix(file, "rules/")] != text {
				t.Errorf("%s is %q and was %q", file, text, had)
			}
		}
		if after["rules/secret.env"] != before["rules/secret.env"] || after["x.yaml"] != "mine\n" {
			t.Error("somebody else's file was changed")
		}
	})
}

// Drafts, rollbacks, reloads, checks and an editor at once: who is told that a draft was saved was the one to save that
// version, and none was made from another than the one before it.
func TestSave_amongRollbacksReloadsAndChecks_noneIsLost(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rules.yaml")
	text := func(who string, n int) string {
		return strings.Replace(first, "\nrules", fmt.Sprintf("\n# %s %d\nrules", who, n), 1)
	}
	write(t, path, first)
	f := attached(t, path, filepath.Join(dir, "data", "rules"))
	var group sync.WaitGroup
	var mu sync.Mutex
	saved := map[string]string{} // the version from which each was made
	for _, who := range []string{"li", "zhang"} {
		group.Go(func() {
			for n := range 15 {
				shown, err := f.Show(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				change, err := f.Save(t.Context(), rulefile.Draft{Files: sent("rules.yaml", text(who, n)), From: shown.Version, Author: li})
				_, stale := errors.AsType[*rulefile.StaleError](err)
				switch {
				case err == nil:
					mu.Lock()
					saved[change.Version] = change.Before
					mu.Unlock()
					if change.Version != versionOf(text(who, n)) || change.Before != shown.Version {
						t.Errorf("made from %s, %+v", shown.Version, change)
					}
				case !stale:
					t.Error(err)
				}
			}
		})
	}
	for _, other := range []func() error{
		func() error { _, err := f.Reload(t.Context()); return err },
		func() error { _, err := f.Check(t.Context(), sent("rules.yaml", text("check", 0))); return err },
		func() error { _, err := f.Diff(t.Context(), "", ""); return err },
		func() error { _, err := f.Rollback(t.Context(), versionOf(first), li); return err },
	} {
		group.Go(func() {
			for range 5 {
				if err := other(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	shown, err := f.Show(t.Context())
	if err != nil || !shown.InForce || len(saved) == 0 {
		t.Errorf("%+v, %d were saved, %v", shown, len(saved), err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A ConfigMap is a folder of links that is swapped as a whole.
func TestSave_ofAConfigMap_isRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "..2026"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "..2026", "rules.yaml"), first)
	path := filepath.Join(dir, "rules.yaml")
	if err := errors.Join(os.Symlink("..2026", filepath.Join(dir, "..data")), os.Symlink("..data/rules.yaml", path)); err != nil {
		t.Fatal(err)
	}
	f := attached(t, path, "")
	before := list(t, dir)
	_, err := f.Save(t.Context(), rulefile.Draft{Files: sent("rules.yaml", other), From: f.Status().Version, Author: li})
	if refused, ok := errors.AsType[*rulefile.NotWritableError](err); !ok || !strings.Contains(refused.Error(), "ConfigMap") {
		t.Errorf("%v", err)
	}
	if d := cmp.Diff(before, list(t, dir)); d != "" {
		t.Error(d)
	}
}
