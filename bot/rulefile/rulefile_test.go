package rulefile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot/logtest"
	"escalator/bot/notify"
	"escalator/bot/rulefile"
	"escalator/rules"
)

const (
	first = `version: 1
targets: {default: {}}
rules:
  - {id: ask, when: {says: [human]}, then: {transfer: default}}
`
	wrong = first + "nonsense: 1\n"
	other = first + "# the same rules, mended\n"
)

// watched is a rule file that a service watches.
type watched struct {
	*rulefile.File
	path string
	kept string
	log  *logtest.Buffer
	told *[]string // what the staff is told
	reg  *prometheus.Registry
}

// watch runs test in virtual time beside a watcher of a file with the first rules.
func watch(t *testing.T, test func(t *testing.T, w *watched)) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "rules.yaml")
	write(t, path, first)
	serve(t, path, filepath.Join(dir, "data", "rules"), test)
}

// serve is the life of one process, from its start with what is there to its end.
func serve(t *testing.T, path, kept string, test func(t *testing.T, w *watched)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f, err := rulefile.Open(rulefile.Options{Path: path, Kept: kept, LastGood: true})
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		w := &watched{told: &told, File: f, path: path, kept: kept, log: &logtest.Buffer{}, reg: prometheus.NewRegistry()}
		log := logrus.New()
		log.SetFormatter(&logrus.JSONFormatter{DisableHTMLEscape: true})
		log.SetOutput(w.log)
		f.Attach(func(*rules.Policy) {}, func(e notify.Event) {
			told = append(told, fmt.Sprint(e.Kind, " over=", e.Over, " ", e.Detail))
		}, log, w.reg)
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { f.Watch(ctx) })
		test(t, w)
		cancel()
		done.Wait()
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	next := path + ".next" // a write and a rename, so that no half of it is read
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

// wait lets virtual time pass.
func (w *watched) wait(d time.Duration) { time.Sleep(d) }

// save writes the file, lets a few looks pass, and returns the last error.
func (w *watched) save(t *testing.T, text string) string {
	t.Helper()
	write(t, w.path, text)
	time.Sleep(5 * time.Second)
	return w.Status().LastError
}

func (w *watched) good(t *testing.T) bool {
	t.Helper()
	return slices.Equal(w.counted(t, "escalator_rules_last_reload_successful"), []float64{1})
}

// counted returns the values of a metric's series, in order of their labels.
func (w *watched) counted(t *testing.T, name string) (values []float64) {
	t.Helper()
	families, err := w.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				values = append(values, m.GetGauge().GetValue()+m.GetCounter().GetValue())
			}
		}
	}
	return values
}

// An alert on a series that appears with the first refusal would miss that one.
func TestAttach_everyResultIsCountedFromTheStart(t *testing.T) {
	watch(t, func(t *testing.T, w *watched) {
		if got := w.counted(t, "escalator_rules_reload_total"); !slices.Equal(got, []float64{0, 0}) { // ok and refused
			t.Error(got)
		}
	})
}

func TestWatch_aRefusedFileThatComesBackAfterAGoodOne_isRefusedAgain(t *testing.T) {
	watch(t, func(t *testing.T, w *watched) {
		for i, step := range []struct {
			text   string
			refuse bool
		}{{wrong, true}, {other, false}, {wrong, true}, {first, false}, {wrong, true}, {other, false}} {
			got := w.save(t, step.text)
			if refused := strings.Contains(got, "nonsense"); refused != step.refuse || w.good(t) == step.refuse {
				t.Errorf("step %d: last error %q, metric good %t, want refused %t", i, got, w.good(t), step.refuse)
			}
		}
		if n := strings.Count(w.log.String(), "rule file refused"); n != 3 {
			t.Errorf("told %d times, want 3:\n%s", n, w.log)
		}
	})
}

func TestWatch_aRefusedFile_isToldOnce_andAgainAfterItWasGone(t *testing.T) {
	watch(t, func(t *testing.T, w *watched) {
		w.save(t, wrong)
		time.Sleep(time.Minute)
		if n := strings.Count(w.log.String(), "rule file refused"); n != 1 {
			t.Errorf("told %d times, want once:\n%s", n, w.log)
		}
		if err := os.Remove(w.path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if got := w.Status().LastError; got != "the rule file is gone" {
			t.Errorf("while it is gone: %q", got)
		}
		if got := w.save(t, wrong); !strings.Contains(got, "nonsense") {
			t.Errorf("it is back with its mistakes: %q", got)
		}
	})
}

// unreadable is put in the file's place by each.
var unreadable = []struct {
	name, want string
	put        func(path string) error
}{
	{"a FIFO", "not a regular file", func(path string) error { return syscall.Mkfifo(path, 0o600) }},
	{"a device", "not a regular file", func(path string) error { return os.Symlink("/dev/zero", path) }},
	{"a terminal", "not a regular file", func(path string) error { return os.Symlink("/dev/tty", path) }},
	{"a folder", "not a regular file", func(path string) error { return os.Mkdir(path, 0o700) }},
	{"a link to nothing", "the rule file is gone", func(path string) error { return os.Symlink("/nonexistent", path) }},
	{"a file that is full of holes", "at most 1048576", func(path string) error {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			return err
		}
		return os.Truncate(path, 100<<20)
	}},
}

func TestWatch_whatIsNoRuleFile_isToldOnce_andAGoodOnePutBackIsTaken(t *testing.T) {
	for _, c := range unreadable {
		t.Run(c.name, func(t *testing.T) {
			watch(t, func(t *testing.T, w *watched) {
				if err := os.Remove(w.path); err != nil {
					t.Fatal(err)
				}
				if err := c.put(w.path); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
				if got := w.Status().LastError; !strings.Contains(got, c.want) {
					t.Errorf("last error %q, want %q", got, c.want)
				}
				if n := strings.Count(w.log.String(), "rule file refused"); n != 1 {
					t.Errorf("told %d times, want once:\n%s", n, w.log)
				}
				var refused *rulefile.RefusedError // it is the file's fault, not the service's
				if _, err := w.Reload(t.Context()); !errors.As(err, &refused) {
					t.Errorf("a reload on request: %v", err)
				}
				if err := os.Remove(w.path); err != nil {
					t.Fatal(err)
				}
				before := w.Status().Version
				if got := w.save(t, other); got != "" || w.Status().Version == before {
					t.Errorf("a good file put back: %q, version %s", got, w.Status().Version)
				}
			})
		})
	}
}

func TestOpen_whatIsNoRuleFile_isRefusedAtOnce(t *testing.T) {
	for _, c := range unreadable {
		path := filepath.Join(t.TempDir(), "rules.yaml")
		if err := c.put(path); err != nil {
			t.Fatal(err)
		}
		if _, err := rulefile.Open(rulefile.Options{Path: path}); err == nil {
			t.Errorf("%s is opened", c.name)
		}
	}
}

// The staff is told once of a file that is refused, in words that show nothing of it, and once that all is well again;
// a start says how things stand, for what an earlier process told.
func TestWatch_tellsTheStaff_ofAFileThatIsRefused_andThatItIsMended(t *testing.T) {
	watch(t, func(t *testing.T, w *watched) {
		w.save(t, "version: 1\nsecret-word: 1\n")
		w.wait(time.Hour)
		w.save(t, first)
		w.save(t, "version: 1\nrules: []\n")
		w.save(t, strings.Replace(first, "human", "person", 1))
		want := []string{
			"reload_refused over=true ",
			"reload_refused over=false the rule file has mistakes", "reload_refused over=true ",
			"reload_refused over=false the rule file has mistakes", "reload_refused over=true ",
		}
		if !slices.Equal(*w.told, want) {
			t.Errorf("the staff was told %q, want %q", *w.told, want)
		}
	})
}
