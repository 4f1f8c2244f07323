package rulefile_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"escalator/bot/rulefile"
)

// several is a rule file that takes in a team's rules and a list.
const (
	several = `version: 1
include: [teams/*.yaml]
lists: {refund: {file: words/refund.csv}}
targets: {default: {}}
rules:
  - {id: refund, when: {says: [$refund]}, then: {transfer: default}}
`
	teamOne = "rules:\n  - {id: one, when: {says: [human]}, then: {transfer: default}}\n"
	teamTwo = "rules:\n  - {id: two, when: {says: [person]}, then: {transfer: default}}\n"
)

// laid lays files into a folder, and gives the path of the rule file.
func laid(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, src := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, path, src)
	}
	return filepath.Join(dir, "rules.yaml")
}

func layered() map[string]string {
	return map[string]string{"rules.yaml": several, "teams/one.yaml": teamOne, "words/refund.csv": "money back\n"}
}

func ids(w *watched) (ids []string) {
	for _, r := range w.Policy().Rules() {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestWatch_whatTheFileTakesIn_isWatchedWithIt(t *testing.T) {
	path := laid(t, layered())
	dir := filepath.Dir(path)
	serve(t, path, filepath.Join(t.TempDir(), "rules"), func(t *testing.T, w *watched) {
		began := w.Status().Version
		for _, step := range []struct {
			name, src string
			broken    string
		}{
			{"words/refund.csv", "money back\nmy money\n", ""},
			{"teams/two.yaml", teamTwo, ""},
			{"teams/two.yaml", teamTwo + "nonsense: 1\n", filepath.Join(dir, "teams/two.yaml") + ":3:1: unknown key `nonsense` in an include"},
			{"words/refund.csv", "\"money back\n", filepath.Join(dir, "words/refund.csv") + ":1:1: a quotation"},
			{"teams/two.yaml", teamTwo, filepath.Join(dir, "words/refund.csv") + ":1:1: a quotation"},
			{"words/refund.csv", "money back\n", ""},
		} {
			before := w.Status().Version
			write(t, filepath.Join(dir, step.name), step.src)
			w.wait(5 * time.Second)
			s := w.Status()
			if changed := s.Version != before; changed != (step.broken == "") || !strings.Contains(s.LastError, step.broken) || w.good(t) != (step.broken == "") {
				t.Errorf("%s: %q: version %s after %s, error %q", step.name, step.src, s.Version, before, s.LastError)
			}
		}
		if got := strings.Join(ids(w), " "); got != "refund one two" || w.Status().Version == began {
			t.Errorf("in force: %s", got)
		}
	})
}

// A list that is being written is not taken half.
func TestWatch_aListThatIsStillWritten_isWaitedFor(t *testing.T) {
	path := laid(t, layered())
	serve(t, path, filepath.Join(t.TempDir(), "rules"), func(t *testing.T, w *watched) {
		w.wait(1500 * time.Millisecond) // between two looks
		before := w.Status().Version
		for i := range 5 {
			write(t, filepath.Join(filepath.Dir(path), "words/refund.csv"), strings.Repeat("more words\n", i+2))
			w.wait(time.Second)
			if w.Status().Version != before {
				t.Fatal("taken after one look")
			}
		}
		w.wait(2 * time.Second)
		if w.Status().Version == before {
			t.Error("never taken")
		}
	})
}

func TestOpen_whatTheFileTakesIn_isKeptWhole(t *testing.T) {
	path, kept := laid(t, layered()), filepath.Join(t.TempDir(), "rules")
	serve(t, path, kept, func(*testing.T, *watched) {})
	if err := os.Remove(filepath.Join(filepath.Dir(path), "words/refund.csv")); err != nil {
		t.Fatal(err)
	}
	serve(t, path, kept, func(t *testing.T, w *watched) {
		s := w.Status()
		if got := strings.Join(ids(w), " "); got != "refund one" || s.LastGood == nil || !strings.Contains(s.LastError, "there is no file `words/refund.csv`") {
			t.Errorf("in force: %s, %+v", got, s)
		}
		if _, err := w.Rollback(t.Context(), s.Version, li); err != nil || !w.good(t) {
			t.Errorf("rolled back: %v, %+v", err, w.Status())
		}
	})
}

func TestRollback_writesAllFilesBack(t *testing.T) {
	path := laid(t, layered())
	dir := filepath.Dir(path)
	serve(t, path, filepath.Join(t.TempDir(), "rules"), func(t *testing.T, w *watched) {
		began := w.Status().Version
		write(t, filepath.Join(dir, "words/refund.csv"), "something else\n")
		if err := errors.Join(os.RemoveAll(filepath.Join(dir, "teams")), os.Mkdir(filepath.Join(dir, "more"), 0o700)); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "more/two.yaml"), teamTwo)
		w.save(t, strings.Replace(several, "teams", "more", 1))
		if got := strings.Join(ids(w), " "); got != "refund two" {
			t.Fatalf("in force: %s", got)
		}
		change, err := w.Rollback(t.Context(), began, li)
		if err != nil || change.Version != began || strings.Join(ids(w), " ") != "refund one" {
			t.Fatalf("%+v, %v", change, err)
		}
		// An include that came later would be taken in by the file of the former version.
		write(t, filepath.Join(dir, "teams/two.yaml"), teamTwo)
		w.wait(5 * time.Second)
		later := w.Status().Version
		_, err = w.Rollback(t.Context(), began, li)
		if refused, ok := errors.AsType[*rulefile.NotWritableError](err); !ok || refused.File != "teams/two.yaml" || w.Status().Version != later {
			t.Errorf("with a file too many: %v", err)
		}
		left := func() (names []string) {
			_ = filepath.WalkDir(dir, func(path string, _ os.DirEntry, _ error) error { names = append(names, path); return nil })
			return names
		}
		if slices.ContainsFunc(left(), func(name string) bool { return strings.HasSuffix(name, ".rollback") }) {
			t.Errorf("left behind: %v", left())
		}
	})
}

// A rollback writes through no link: the files would be put where nobody looks for them.
func TestRollback_aFolderThatIsALink_changesNothing(t *testing.T) {
	path := laid(t, layered())
	teams := filepath.Join(filepath.Dir(path), "teams")
	serve(t, path, filepath.Join(t.TempDir(), "rules"), func(t *testing.T, w *watched) {
		began := w.Status().Version
		if err := errors.Join(os.Rename(teams, teams+"-1"), os.Symlink("teams-1", teams)); err != nil {
			t.Fatal(err)
		}
		w.save(t, several+"# later\n")
		later := w.Status()
		if _, err := w.Rollback(t.Context(), began, li); err == nil || !strings.Contains(err.Error(), "symbolic link") || later.Version == began || w.Status().Version != later.Version {
			t.Errorf("%v, before it %+v", err, later)
		}
	})
}

// A ConfigMap: all names are links into a folder that is swapped as a whole.
func TestWatch_aFolderOfKubernetes_isTakenAsItIsSwapped(t *testing.T) {
	dir := t.TempDir()
	version := func(name, refund string) {
		for file, src := range map[string]string{"rules.yaml": strings.Replace(several, "words/", "", 1), "teams/one.yaml": teamOne, "refund.csv": refund} {
			path := filepath.Join(dir, name, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, path, src)
		}
		if err := errors.Join(os.Symlink(name, filepath.Join(dir, "..data_tmp")), os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data"))); err != nil {
			t.Fatal(err)
		}
	}
	version("..2026_01", "money back\n")
	for _, name := range []string{"rules.yaml", "teams", "refund.csv"} {
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	serve(t, filepath.Join(dir, "rules.yaml"), filepath.Join(t.TempDir(), "rules"), func(t *testing.T, w *watched) {
		began := w.Status().Version
		version("..2026_02", "my money\n")
		w.wait(5 * time.Second)
		if s := w.Status(); s.Version == began || s.LastError != "" || strings.Join(ids(w), " ") != "refund one" {
			t.Errorf("%v in force, %+v", ids(w), s)
		}
	})
}

func TestCollect_whatIsNoFileOfTheFolder_isRefusedAtOnce(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret.csv")
	write(t, outside, "a secret\n")
	for _, c := range []struct {
		name, want string
		put        func(list string) error
	}{
		{"a link out of the folder", "it lies outside the folder of the rule file", func(list string) error { return os.Symlink(outside, list) }},
		{"a link to a link out of it", "it lies outside the folder of the rule file", func(list string) error {
			return errors.Join(os.Symlink(outside, list+".next"), os.Symlink("refund.csv.next", list))
		}},
		{"a FIFO", "not a regular file", func(list string) error { return syscall.Mkfifo(list, 0o600) }},
		{"a link to a device", "it lies outside the folder of the rule file", func(list string) error { return os.Symlink("/dev/zero", list) }},
		{"a folder", "not a regular file", func(list string) error { return os.Mkdir(list, 0o700) }},
		{"a link to itself", "too many links", func(list string) error { return os.Symlink("refund.csv", list) }},
		{"a link to nothing", "there is no file `words/refund.csv`", func(list string) error { return os.Symlink("none", list) }},
		{"a file of 17 MiB", "`words/refund.csv` is too large", func(list string) error {
			return errors.Join(os.WriteFile(list, nil, 0o600), os.Truncate(list, 17<<20))
		}},
		{"a link to another file of the folder", "", func(list string) error {
			return os.Symlink(filepath.Join(filepath.Dir(list), "other.csv"), list)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := layered()
			files["words/other.csv"] = files["words/refund.csv"]
			delete(files, "words/refund.csv")
			path := laid(t, files)
			if err := c.put(filepath.Join(filepath.Dir(path), "words/refund.csv")); err != nil {
				t.Fatal(err)
			}
			_, err := rulefile.Open(rulefile.Options{Path: path})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), path+":3:24: ") || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v", err)
			}
		})
	}
}

// What stands where a pattern looks for folders is listed only if it is one.
func TestCollect_aPatternMeetsWhatIsNoFolder(t *testing.T) {
	files := layered()
	files["rules.yaml"] = strings.Replace(several, "teams/*.yaml", "'*/*.yaml'", 1)
	path := laid(t, files)
	if err := syscall.Mkfifo(filepath.Join(filepath.Dir(path), "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := rulefile.Open(rulefile.Options{Path: path}); err != nil || len(f.Policy().Rules()) != 2 {
		t.Errorf("%v", err)
	}
}
