package rulefile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"escalator/bot/rulefile"
	"escalator/rules"
)

// edited is a draft of what is in force.
func (w *watched) edited(files map[string]string) rulefile.Draft {
	d := rulefile.Draft{Files: rules.Files{}, From: w.Status().Version, Author: li}
	for name, text := range files {
		d.Files[name] = []byte(text)
	}
	d.How = "console"
	return d
}

// tree is what lies in a folder: the text of each file by its name.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		src, err := os.ReadFile(path)
		name, relErr := filepath.Rel(dir, path)
		all[name] = string(src)
		return errors.Join(err, relErr)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSave_writesWhatChanged_putsItInForce_andKeepsWhoDidIt(t *testing.T) {
	path := laid(t, layered())
	serve(t, path, filepath.Join(t.TempDir(), "rules"), func(t *testing.T, w *watched) {
		before := w.Status().Version
		if err := os.Chmod(filepath.Join(filepath.Dir(path), "teams/one.yaml"), 0o640); err != nil {
			t.Fatal(err)
		}
		change, err := w.Save(t.Context(), w.edited(map[string]string{
			"teams/one.yaml":     strings.Replace(teamOne, "human", "person", 1),
			"teams/new.yaml":     "lists: {more: {file: words/new/more.csv}}\nrules:\n  - {id: new, when: {says: [$more]}, then: {transfer: default}}\n",
			"words/new/more.csv": "one more\n",
		}))
		if err != nil {
			t.Fatal(err)
		}
		if want := (rulefile.Difference{Added: []string{"new"}, Changed: []string{"one"}}); !cmp.Equal(change.Rules, want) || change.Before != before || w.Status().Version != change.Version {
			t.Errorf("%+v", change)
		}
		want := layered()
		want["teams/one.yaml"] = strings.Replace(teamOne, "human", "person", 1)
		want["teams/new.yaml"] = "lists: {more: {file: words/new/more.csv}}\nrules:\n  - {id: new, when: {says: [$more]}, then: {transfer: default}}\n"
		want["words/new/more.csv"] = "one more\n"
		if d := cmp.Diff(want, tree(t, filepath.Dir(path))); d != "" {
			t.Error(d)
		}
		if info, err := os.Stat(filepath.Join(filepath.Dir(path), "teams/one.yaml")); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%v, %v", info, err)
		}
		w.wait(5 * time.Second)
		kept := rulefile.Accepted{Version: change.Version, Author: rulefile.Author{How: "console", By: "li", Why: "the queue is full", Address: "10.0.0.7"}}
		if d := cmp.Diff(kept, w.History()[0], cmpopts.IgnoreFields(rulefile.Accepted{}, "At", "File", "Bytes")); d != "" || len(w.History()) != 2 {
			t.Errorf("%d are kept, %s", len(w.History()), d)
		}
		if lines := w.log.Lines("rules saved"); len(lines) != 1 || lines[0]["by"] != "li" || lines[0]["remote"] != "10.0.0.7" || lines[0]["why"] != "the queue is full" {
			t.Errorf("audit: %v", lines)
		}
	})
}

func TestSave_ofAVersionThatIsNotOnDiskAnyMore_writesNothing(t *testing.T) {
	watch(t, func(t *testing.T, w *watched) {
		d := w.edited(map[string]string{"rules.yaml": changed})
		write(t, w.path, wrong) // nobody has looked at it yet
		_, err := w.Save(t.Context(), d)
		if stale, ok := errors.AsType[*rulefile.StaleError](err); !ok || stale.Version != versionOf(wrong) {
			t.Errorf("%v", err)
		}
		if src, err := os.ReadFile(w.path); err != nil || string(src) != wrong {
			t.Errorf("%q, %v", src, err)
		}
		d.From = versionOf(wrong)
		if change, err := w.Save(t.Context(), d); err != nil || change.Version != versionOf(changed) || w.Status().LastError != "" {
			t.Errorf("a file with mistakes is mended: %+v, %v", change, err)
		}
	})
}

func TestSave_twoAtOnce_oneWins(t *testing.T) {
	watch(t, func(t *testing.T, w *watched) {
		var group sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			d := w.edited(map[string]string{"rules.yaml": first + "# by " + string(rune('a'+i)) + "\n"})
			group.Go(func() { _, errs[i] = w.Save(t.Context(), d) })
		}
		group.Wait()
		won := -1
		for i, err := range errs {
			_, stale := errors.AsType[*rulefile.StaleError](err)
			switch {
			case err == nil && won < 0:
				won = i
			case !stale:
				t.Errorf("the %dth: %v", i, err)
			}
		}
		if src, err := os.ReadFile(w.path); won < 0 || err != nil || string(src) != first+"# by "+string(rune('a'+won))+"\n" {
			t.Errorf("the %dth won, %q is there, %v", won, src, err)
		}
	})
}

func TestSave_whatIsRefused_isNotWritten(t *testing.T) {
	const failing = first + "tests: [{name: wrong, say: hello, expect: ask}]\n"
	for _, c := range []struct {
		name, file, text, why string
		mustPass              bool
	}{
		{"mistakes", "rules.yaml", wrong, "nonsense", false},
		{"a test fails", "rules.yaml", failing, "1 of the file's 1 tests fail", false},
		{"a test fails, and must not", "rules.yaml", "test_policy: warn\n" + failing, "1 of the file's 1 tests fail", true},
		{"nothing", "rules.yaml", "", "the file is empty", false},
		{"not text", "rules.yaml", first + "# \xff\n", "not UTF-8", false},
		{"too long", "rules.yaml", first + "# " + strings.Repeat("x", rules.MaxSize), "larger than 1 MiB", false},
		{"a list that is not read", "rules.yaml", strings.Replace(first, "targets", "lists: {a: {file: a.csv}}\ntargets", 1), "send its text", false},
		{"not of the rules", "other.yaml", first, "does not take in this file", false},
		{"out of the folder", "../other.yaml", first, "does not take in this file", false},
		{"out of the folder, and taken in", "rules.yaml", "include: [../other.yaml]\n" + first, "leads out of", false},
		{"no name", "", first, "does not take in this file", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			watch(t, func(t *testing.T, w *watched) {
				d := w.edited(map[string]string{c.file: c.text})
				d.TestsMustPass = c.mustPass
				_, err := w.Save(t.Context(), d)
				if _, ok := errors.AsType[*rulefile.RefusedError](err); !ok || !strings.Contains(err.Error(), c.why) {
					t.Errorf("%v", err)
				}
				if s := w.Status(); s.LastError != "" || !w.good(t) {
					t.Errorf("a draft is not the file: %+v", s)
				}
				if src, err := os.ReadFile(w.path); err != nil || string(src) != first {
					t.Errorf("%q, %v", src, err)
				}
			})
		})
	}
}

// What lies in the folder and is no part of the rules may be anything: a file of secrets, another program's.
func TestSave_whatMayNotBeWritten_changesNothing(t *testing.T) {
	takes := func(name string) string {
		return "include: [" + name + "]\n" + strings.Replace(first, "id: ask", "id: asks", 1)
	}
	const team = teamTwo
	for _, c := range []struct {
		name, include, file, why string
		spoil                    func(dir string) error
	}{
		{"a file that nobody has seen", "notes.yaml", "notes.yaml", "a file of that name exists", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "notes.yaml"), []byte("mine\n"), 0o600)
		}},
		{"a folder", "notes.yaml", "notes.yaml", "a file of that name exists", func(dir string) error { return os.Mkdir(filepath.Join(dir, "notes.yaml"), 0o700) }},
		{"a link that leads nowhere", "notes.yaml", "notes.yaml", "a file of that name exists", func(dir string) error { return os.Symlink("/nowhere", filepath.Join(dir, "notes.yaml")) }},
		{"hidden", ".git/hooks.yaml", ".git/hooks.yaml", "a new file needs a name like", nil},
		{"another program's", "crontab", "crontab", "a new file needs a name like", nil},
		{"below a link", "teams/new.yaml", "teams/new.yaml", "symbolic link", func(dir string) error { return os.Symlink(os.TempDir(), filepath.Join(dir, "teams")) }},
		{"below a file", "rules.yaml/new.yaml", "rules.yaml/new.yaml", "a file of that name exists", nil},
		{"one that another include would take in", `"*.yaml"`, "team.yaml", "would take it in", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "old.yaml"), []byte(team), 0o600)
		}},
		{"no room beside it", "team.yaml", "team.yaml", ".rules.yaml.escalator", func(dir string) error {
			return os.MkdirAll(filepath.Join(dir, ".rules.yaml.escalator", "x"), 0o700)
		}},
		{"a link to what is read already", "team.yaml", "team.yaml", "a file of that name exists", func(dir string) error {
			return os.Symlink("rules.yaml", filepath.Join(dir, "team.yaml"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			watch(t, func(t *testing.T, w *watched) {
				dir := filepath.Dir(w.path)
				if c.spoil != nil {
					if err := c.spoil(dir); err != nil {
						t.Fatal(err)
					}
				}
				before := list(t, dir)
				_, err := w.Save(t.Context(), w.edited(map[string]string{"rules.yaml": takes(c.include), c.file: team}))
				if refused, ok := errors.AsType[*rulefile.NotWritableError](err); !ok || !strings.Contains(refused.Error(), c.why) {
					t.Errorf("%v", err)
				}
				if d := cmp.Diff(before, list(t, dir)); d != "" || w.Status().Version != versionOf(first) {
					t.Errorf("version %s, %s", w.Status().Version, d)
				}
			})
		})
	}
}

// list is what lies in a folder, without following links.
func list(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		text := ""
		if d.Type().IsRegular() {
			src, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text = string(src)
		}
		all = append(all, path+" "+d.Type().String()+" "+text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSave_aFileThatIsThereWithTheSameText_isTakenIn(t *testing.T) {
	watch(t, func(t *testing.T, w *watched) {
		write(t, filepath.Join(filepath.Dir(w.path), "team.yaml"), teamTwo)
		change, err := w.Save(t.Context(), w.edited(map[string]string{"rules.yaml": "include: [team.yaml]\n" + first, "team.yaml": teamTwo}))
		if err != nil || !cmp.Equal(change.Rules.Added, []string{"two"}) {
			t.Errorf("%+v, %v", change, err)
		}
	})
}

func TestSave_keepsTheLineEndsOfTheFile(t *testing.T) {
	crlf := func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }
	for _, c := range []struct{ name, before, sent, want string }{
		{"of Windows", crlf(first), other, crlf(other)},
		{"of Windows, sent as such", crlf(first), crlf(other), crlf(other)},
		{"of Unix", first, other, other},
		{"with a mark at the beginning", "\ufeff" + crlf(first), "\ufeff" + other, "\ufeff" + crlf(other)},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "rules.yaml")
			write(t, path, c.before)
			serve(t, path, filepath.Join(dir, "data", "rules"), func(t *testing.T, w *watched) {
				d := w.edited(map[string]string{"rules.yaml": c.sent})
				checked, err := w.Check(t.Context(), d.Files)
				if err != nil || checked.Version != versionOf(c.want) {
					t.Errorf("check: %+v, %v", checked, err)
				}
				if _, err := w.Save(t.Context(), d); err != nil {
					t.Fatal(err)
				}
				if src, err := os.ReadFile(path); err != nil || string(src) != c.want {
					t.Errorf("%q, %v", src, err)
				}
			})
		})
	}
}
