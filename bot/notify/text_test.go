package notify

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each kind is read in both languages, as it begins, as it goes on and as it ends: testdata/*.golden.
func TestText_ofEveryKind_readsWell(t *testing.T) {
	now := time.Date(2026, 3, 2, 14, 30, 0, 0, time.UTC)
	two, one := 2, 1
	for _, lang := range []string{"zh", "en"} {
		var b strings.Builder
		show := func(title string, n notice) {
			n.Since = now.Add(-time.Minute)
			b.WriteString("# " + title + "\n" + n.words(languageOf(lang), now) + "\n\n")
		}
		for _, k := range []Kind{NoAgent, WaitingLong, Failed, Held, ReloadRefused, Message, UnknownEvent, ByRule} {
			n := notice{Kind: k, Team: "support", Count: 1, Rule: "ask", Target: "sales", Session: "s-1", longWait: 5 * time.Minute}
			switch k {
			case NoAgent, WaitingLong, Message:
				n.Waiting = &one
			case Failed:
				n.Details = []string{"code 141004"}
			case Held:
				n = notice{Kind: k, Count: 1, Waiting: &two, Details: []string{"code 70009"}}
			case ReloadRefused:
				n = notice{Kind: k, Count: 1, Details: []string{"the rule file has mistakes"}}
			case UnknownEvent:
				n = notice{Kind: k, Count: 2, Details: []string{"Desk.New", "Desk.Other"}}
			default:
			}
			show(string(k), n)
			again := n
			again.again, again.Count = true, 3
			again.Words = []string{"my parcel is broken"}
			if n.Waiting != nil {
				again.Waiting = &two
			}
			show(string(k)+", again, with words", again)
			if k.ends(false) {
				over := n
				over.Over, over.Waiting = true, nil
				show(string(k)+" is over", over)
			}
		}
		show("contact", notice{Kind: Failed, contact: true, Count: 1, Target: "sales", Session: "s-1", Words: []string{"call me"}})
		show("test", notice{Kind: test, Team: "support", Count: 1})
		late := notice{Kind: NoAgent, Count: 12, Target: "sales", Since: now.Add(-time.Hour)}
		b.WriteString("# late\n" + late.words(languageOf(lang), now) + "\n")
		compareGolden(t, filepath.Join("testdata", lang+".golden"), b.String())
	}
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestText_otherLanguages_areEnglish(t *testing.T) {
	for _, lang := range []string{"ja", "de", "en"} {
		if languageOf(lang) != &english {
			t.Errorf("%s has words of its own", lang)
		}
	}
}

// What customers and rule files name cannot pose as a name in braces.
func TestText_namesAreFilledInOnce(t *testing.T) {
	n := notice{Kind: NoAgent, Count: 1, Target: "{session}", Session: "{team}", Team: "secret"}
	if got := n.words(&english, time.Time{}); strings.Contains(got, "secret") || !strings.Contains(got, "Target: {session}") {
		t.Error(got)
	}
}
