package rulefile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot/notify"
	"escalator/rules"
)

const small = "version: 1\ntargets: {default: {}}\nrules: [{id: a, when: {says: [human]}, then: {transfer: default}}]\n"

// opened is a rule file of that text in a folder of its own.
func opened(t *testing.T, text string) *File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	log := logrus.New()
	log.SetOutput(io.Discard)
	f.Attach(func(*rules.Policy) {}, func(notify.Event) {}, log, prometheus.NewRegistry())
	return f
}

// To judge a draft takes long enough for an editor to save. The file is looked at once more when all is ready to be written.
func TestSave_whoSavesWhileItIsJudged_isNotOverwritten(t *testing.T) {
	f := opened(t, small)
	now, err := f.now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	set, _ := draft(now, rules.Files{"rules.yaml": []byte(small + "# of the draft\n")})
	const editor = small + "# of the editor\n"
	if err := os.WriteFile(f.source.path, []byte(editor), 0o600); err != nil {
		t.Fatal(err)
	}
	err = f.write(t.Context(), now, set, Author{})
	if stale, ok := errors.AsType[*StaleError](err); !ok || stale.Version != (rules.Files{"rules.yaml": []byte(editor)}).Version() {
		t.Errorf("%v", err)
	}
	left, err := os.ReadDir(filepath.Dir(f.source.path))
	if src, readErr := os.ReadFile(f.source.path); string(src) != editor || readErr != nil || len(left) != 1 || err != nil {
		t.Errorf("%q, %v beside it, %v", src, left, err)
	}
}

// Whoever is killed between two files must not leave a rule file that names one which is not there.
func TestWriting_theRuleFileComesLast(t *testing.T) {
	dir := t.TempDir()
	set := rules.Set{Main: "a.yaml", Files: rules.Files{"a.yaml": []byte("include: [b.yaml]\n" + small), "b.yaml": []byte("rules: []\n")}}
	w := writing{dir: dir, set: set, names: []string{"a.yaml", "b.yaml"}}
	w.unchanged = func() error { return os.MkdirAll(filepath.Join(dir, "a.yaml", "x"), 0o700) } // over which nothing can be renamed
	err := w.all()
	if _, ok := errors.AsType[*NotWritableError](err); !ok {
		t.Errorf("%v", err)
	}
	if w.names[1] != "a.yaml" {
		t.Errorf("written in the order of %v", w.names)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("what was written before is taken back: %v, %v", left, err)
	}
}
