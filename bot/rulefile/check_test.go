package rulefile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"escalator/bot/rulefile"
	"escalator/rules"
)

func sent(files ...string) rules.Files {
	all := rules.Files{}
	for i := 0; i < len(files); i += 2 {
		all[files[i]] = []byte(files[i+1])
	}
	return all
}

func TestCheck_saysWhatIsWrong_andWhatWouldChange(t *testing.T) {
	path := laid(t, layered())
	serve(t, path, filepath.Join(t.TempDir(), "rules"), func(t *testing.T, w *watched) {
		same, err := w.Check(t.Context(), nil)
		if err != nil || !same.OK || same.Version != w.Status().Version || same.Summary.Rules != 2 || same.Difference.Text != "" || !same.Difference.Change.Same {
			t.Errorf("the files on disk: %+v, %v", same, err)
		}
		good, err := w.Check(t.Context(), sent("teams/one.yaml", strings.Replace(teamOne, "id: one", "id: uno", 1)))
		want := rulefile.Difference{Added: []string{"uno"}, Removed: []string{"one"}}
		if err != nil || !good.OK || good.Difference.From != same.Version || good.Difference.To != good.Version || !cmp.Equal(good.Difference.Change.Rules, want) || !strings.Contains(good.Difference.Text, "+  - {id: uno") {
			t.Errorf("a good draft: %+v, %v", good, err)
		}
		bad, err := w.Check(t.Context(), sent("teams/one.yaml", teamOne+"  nonsense\n", "stray.yaml", ""))
		if err != nil || bad.OK || bad.Summary != nil || bad.Difference.Refused == "" || len(bad.Errors) < 2 || bad.Errors[0].File != "teams/one.yaml" || bad.Errors[0].Line != 4 || bad.Errors[len(bad.Errors)-1].File != "stray.yaml" {
			t.Errorf("a bad draft: %+v, %v", bad, err)
		}
		gone, err := w.Check(t.Context(), sent("rules.yaml", first, "teams/one.yaml", teamOne))
		if err != nil || !gone.OK || !cmp.Equal(gone.Difference.Change.Rules.Removed, []string{"one", "refund"}) {
			t.Errorf("a draft that takes less in: %+v, %v", gone, err)
		}
		failing, err := w.Check(t.Context(), sent("rules.yaml", several+"tests: [{name: wrong, say: hello, expect: one}]\n"))
		if err != nil || !failing.OK || !strings.Contains(failing.Difference.Refused, "1 of the file's 1 tests fail") || failing.Difference.Change != nil {
			t.Errorf("a draft whose test fails: %+v, %v", failing, err)
		}
		w.wait(10 * time.Second)
		if s := w.Status(); s.LastError != "" || s.Version != same.Version || len(w.History()) != 1 || !w.good(t) {
			t.Errorf("a check changes nothing: %+v", s)
		}
		if n, err := testutil.GatherAndCount(w.reg, "escalator_rules_info"); err != nil || n != 1 {
			t.Errorf("%d versions, %v", n, err)
		}
	})
}

// A text that takes in a file of secrets as a list of phrases would be told its lines, by warnings or by what is found.
func TestCheck_readsNothingOfTheFolderThatIsNotOfTheRules(t *testing.T) {
	watch(t, func(t *testing.T, w *watched) {
		if err := os.WriteFile(filepath.Join(filepath.Dir(w.path), "escalator.env"), []byte("KEY=verysecret\nKEY=verysecret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		said := func(name string) string {
			text := "version: 1\nlists: {a: {file: " + name + "}}\ntargets: {default: {}}\nrules: [{id: a, when: {says: [$a]}, then: {transfer: default}}]\n"
			c, err := w.Check(t.Context(), sent("rules.yaml", text))
			if err != nil || c.OK {
				t.Fatalf("%s: %+v, %v", name, c, err)
			}
			return strings.ReplaceAll(c.Errors[0].Message.String()+c.Errors[0].Hint.String(), name, "NAME")
		}
		if there, absent := said("escalator.env"), said("nowhere.env"); there != absent {
			t.Errorf("there: %s\nnot there: %s", there, absent)
		}
		for _, pattern := range []string{`"*"`, `"*.env"`, `"data/rules/*/*"`} {
			if c, err := w.Check(t.Context(), sent("rules.yaml", "include: ["+pattern+"]\n"+first)); err != nil || c.OK || !strings.Contains(c.Errors[0].Message.String(), "no file matches") {
				t.Errorf("%s: %+v, %v", pattern, c, err)
			}
		}
	})
}

func TestCompile_eachVersion(t *testing.T) {
	watch(t, func(t *testing.T, w *watched) {
		w.save(t, changed)
		write(t, w.path, other)
		for _, c := range []struct {
			version string
			sent    rules.Files
			want    string
		}{
			{"", nil, changed},
			{"", rules.Files{}, other},
			{"disk", nil, other},
			{rulefile.OnDisk, nil, other},
			{versionOf(first)[:6], nil, first},
			{"", sent("rules.yaml", first+"# sent\n"), first + "# sent\n"},
		} {
			p, err := w.Compile(t.Context(), c.version, c.sent)
			if err != nil || p.Version() != versionOf(c.want) {
				t.Errorf("%q with %q: %v", c.version, c.sent, err)
			}
			again, err := w.Compile(t.Context(), c.version, c.sent)
			if err != nil || again != p {
				t.Errorf("%q is compiled twice, %v", c.version, err)
			}
		}
		if _, err := w.Compile(t.Context(), "0123456789ab", nil); !errors.Is(err, rulefile.ErrUnknownVersion) {
			t.Error(err)
		}
		for _, bad := range []rules.Files{sent("rules.yaml", wrong), sent("stray.yaml", first)} {
			if _, ok := errors.AsType[*rulefile.RefusedError](must(w.Compile(t.Context(), "", bad))); !ok {
				t.Errorf("%q is taken", bad)
			}
		}
	})
}

func must(_ *rules.Policy, err error) error { return err }

func TestShow_tellsTheTextAndWhatStandsAgainstIt(t *testing.T) {
	path := laid(t, layered())
	dir := filepath.Dir(path)
	serve(t, path, filepath.Join(t.TempDir(), "rules"), func(t *testing.T, w *watched) {
		s, err := w.Show(t.Context())
		if err != nil || s.Version != w.Status().Version || s.Main != "rules.yaml" || !s.InForce || !s.Writable || s.WhyNot != "" || len(s.Problems) != 0 || len(s.Warnings) == 0 {
			t.Errorf("%+v, %v", s, err)
		}
		if d := cmp.Diff(layered(), s.Files); d != "" {
			t.Error(d)
		}
		if err := os.WriteFile(filepath.Join(dir, "words/refund.csv"), []byte("# "+strings.Repeat("x", 3<<20)+"\nmoney back\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "teams/one.yaml"), "rules: \xff\n")
		s, err = w.Show(t.Context())
		if err != nil || s.InForce || s.Refused != "the rule file has mistakes" || len(s.Problems) != 1 || s.Problems[0].File != "teams/one.yaml" {
			t.Errorf("%+v, %v", s, err)
		}
		if d := cmp.Diff(map[string]string{"teams/one.yaml": "it is not UTF-8 text", "words/refund.csv": "it is too long for here: 3145742 bytes"}, s.LeftOut); d != "" || len(s.Files) != 1 {
			t.Error(d)
		}
		if err := errors.Join(os.Rename(path, path+".v1"), os.Symlink("rules.yaml.v1", path)); err != nil {
			t.Fatal(err)
		}
		if s, err := w.Show(t.Context()); err != nil || s.Writable || !strings.Contains(s.WhyNot, "ConfigMap") {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestInForce_givesTheFilesThatRun_notThoseOnDisk(t *testing.T) {
	watch(t, func(t *testing.T, w *watched) {
		w.save(t, changed)
		for _, disk := range []string{changed, other} {
			write(t, w.path, disk)
			set, err := w.InForce(t.Context())
			if err != nil || set.Version() != versionOf(changed) {
				t.Errorf("%v, %v", set.Version(), err)
			}
		}
	})
	path := filepath.Join(t.TempDir(), "rules.yaml")
	write(t, path, first)
	bare := attached(t, path, "") // as the demo: no version is kept
	if set, err := bare.InForce(t.Context()); err != nil || set.Version() != bare.Policy().Version() {
		t.Errorf("%v, %v", set.Version(), err)
	}
}
