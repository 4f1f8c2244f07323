package rulefile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"escalator/bot/rulefile"
	"escalator/rules"
)

const (
	failing = first + "tests: [{name: greeting, say: good morning, expect: ask}]\n"
	warned  = failing + "test_policy: warn\n"
	empty   = "version: 1\ntargets: {default: {}}\nrules: []\n"
)

func versionOf(text string) string { return rules.Files{"rules.yaml": []byte(text)}.Version() }

// place puts a file with this text, or what else it is, in the place of the rules.
func place(text string) func(path string) error {
	return func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }
}

// refused are the ways in which a rule file that is there is not taken.
var refused = []struct {
	name, why string
	put       func(path string) error
}{
	{"a mistake", "the rule file has mistakes", place(wrong)},
	{"a failing test", "1 of the file's 1 tests fail", place(failing)},
	{"all rules lost", "the rule file has mistakes", place(empty)},
	{"a FIFO", "not a regular file", func(path string) error { return syscall.Mkfifo(path, 0o600) }},
	{"a folder", "not a regular file", func(path string) error { return os.Mkdir(path, 0o700) }},
	{"100 MB", "the rule file has mistakes", func(path string) error { return errors.Join(place("")(path), os.Truncate(path, 100<<20)) }},
}

func TestOpen_aRefusedFile_isReplacedByTheLastAcceptedVersion_untilItIsMended(t *testing.T) {
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path, kept := filepath.Join(dir, "rules.yaml"), filepath.Join(dir, "data", "rules")
			write(t, path, first)
			serve(t, path, kept, func(t *testing.T, w *watched) { w.save(t, other) })
			if err := errors.Join(os.Remove(path), c.put(path)); err != nil {
				t.Fatal(err)
			}
			serve(t, path, kept, func(t *testing.T, w *watched) {
				w.wait(5 * time.Second)
				s := w.Status()
				if s.Version != versionOf(other) || s.LastGood == nil || s.LastError == "" || w.good(t) {
					t.Errorf("version %s, want %s; %+v, metric good %t", s.Version, versionOf(other), s, w.good(t))
				}
				if got := strings.Join(w.Degraded(), "; "); !strings.Contains(got, c.why) || !strings.Contains(got, versionOf(other)) {
					t.Errorf("degraded: %s", got)
				}
				lines := w.log.Lines("rule file refused: the service starts with the last version that was accepted")
				if len(lines) != 1 || lines[0]["level"] != "error" || lines[0]["rules_version"] != versionOf(other) {
					t.Errorf("the log: %s", w.log)
				}
				if n := strings.Count(w.log.String(), "rule file refused"); n != 1 {
					t.Errorf("told %d times at the start, want once:\n%s", n, w.log)
				}
				if err := os.RemoveAll(w.path); err != nil {
					t.Fatal(err)
				}
				if got := w.save(t, first); got != "" || w.Status().LastGood != nil || len(w.Degraded()) > 0 || !w.good(t) {
					t.Errorf("mended: %q, %+v", got, w.Status())
				}
			})
		})
	}
}

func TestOpen_aRefusedFile_isToldAgainNowAndThen_untilTheAcceptedOneIsBack(t *testing.T) {
	dir := t.TempDir()
	path, kept := filepath.Join(dir, "rules.yaml"), filepath.Join(dir, "data", "rules")
	write(t, path, first)
	serve(t, path, kept, func(*testing.T, *watched) {})
	write(t, path, failing)
	serve(t, path, kept, func(t *testing.T, w *watched) {
		w.wait(21 * time.Minute)
		if n := strings.Count(w.log.String(), "rule file still refused"); n != 2 {
			t.Errorf("21 minutes later reminded %d times, want every 10 minutes", n)
		}
		if got := w.save(t, first); got != "" || w.Status().LastGood != nil {
			t.Errorf("%q, %+v", got, w.Status())
		}
		if got := w.save(t, failing); !strings.Contains(got, "tests fail") {
			t.Errorf("the refused file is back: %q", got)
		}
	})
}

func TestOpen_withoutAnAcceptedVersion_orWithoutWantingOne_endsTheStart(t *testing.T) {
	for _, c := range refused {
		for _, lastGood := range []bool{true, false} {
			dir := t.TempDir()
			path, kept := filepath.Join(dir, "rules.yaml"), filepath.Join(dir, "data", "rules")
			if !lastGood {
				write(t, path, first)
				serve(t, path, kept, func(*testing.T, *watched) {})
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.put(path); err != nil {
				t.Fatal(err)
			}
			f, err := rulefile.Open(rulefile.Options{Path: path, Kept: kept, LastGood: lastGood})
			if f != nil || err == nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%s, last good %t: %v", c.name, lastGood, err)
			}
		}
	}
}

func TestOpen_aFileThatIsNotThere_endsTheStart_whateverIsKept(t *testing.T) {
	dir := t.TempDir()
	path, kept := filepath.Join(dir, "rules.yaml"), filepath.Join(dir, "data", "rules")
	write(t, path, first)
	serve(t, path, kept, func(*testing.T, *watched) {})
	if _, err := rulefile.Open(rulefile.Options{Path: path + "x", Kept: kept, LastGood: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestOpen_keptVersionsThatAreNoGoodAnyMore_arePassedOver(t *testing.T) {
	dir := t.TempDir()
	path, kept := filepath.Join(dir, "rules.yaml"), filepath.Join(dir, "data", "rules")
	write(t, path, first)
	serve(t, path, kept, func(t *testing.T, w *watched) { w.save(t, other) })
	newest := filepath.Join(kept, "00000002-"+versionOf(other), "files", "rules.yaml")
	if err := os.WriteFile(newest, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, path, wrong)
	serve(t, path, kept, func(t *testing.T, w *watched) {
		if got := w.Status().Version; got != versionOf(first) {
			t.Errorf("version %s, want the first, %s", got, versionOf(first))
		}
	})
}

func TestOpen_failingTestsThatTheFileAllows_areTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.yaml")
	write(t, path, warned)
	serve(t, path, "", func(t *testing.T, w *watched) {
		if lines := w.log.Lines("rule file taken with failing tests"); len(lines) != 1 || w.Status().LastError != "" || !w.good(t) {
			t.Errorf("%+v\n%s", w.Status(), w.log)
		}
	})
}

func TestKeep_aDataFolderThatTakesNothing_isTold_andTheReloadIsMade(t *testing.T) {
	dir := t.TempDir()
	path, data := filepath.Join(dir, "rules.yaml"), filepath.Join(dir, "data")
	if err := os.WriteFile(data, nil, 0o600); err != nil { // not even root can make a folder below it
		t.Fatal(err)
	}
	write(t, path, first)
	serve(t, path, filepath.Join(data, "rules"), func(t *testing.T, w *watched) {
		if got := w.save(t, other); got != "" || w.Status().Version != versionOf(other) {
			t.Errorf("the reload: %q, %+v", got, w.Status())
		}
		if got := strings.Join(w.Degraded(), ""); !strings.Contains(got, "cannot be kept") || w.Status().Unkept == "" {
			t.Errorf("degraded: %q, %+v", got, w.Status())
		}
		if lines := w.log.Lines("the rules in force cannot be kept: neither a start with a bad rule file nor a rollback can come back to them"); len(lines) != 2 {
			t.Errorf("told %d times of two versions:\n%s", len(lines), w.log)
		}
		if err := os.Remove(data); err != nil {
			t.Fatal(err)
		}
		w.wait(2 * time.Minute)
		if all := w.History(); len(all) != 1 || all[0].Version != versionOf(other) || len(w.Degraded()) > 0 {
			t.Errorf("when it can be written again: %v, %q", all, w.Degraded())
		}
	})
}
