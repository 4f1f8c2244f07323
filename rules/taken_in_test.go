package rules

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"escalator/rules/lang"

	"github.com/google/go-cmp/cmp"
)

// folderOf is a folder in memory.
type folderOf map[string]string

func (f folderOf) Read(name string, most int) ([]byte, error) {
	src, ok := f[name]
	switch {
	case !ok:
		return nil, fs.ErrNotExist
	case src == "locked":
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	case len(src) > most:
		return nil, ErrTooLarge
	}
	return []byte(src), nil
}

func (f folderOf) List(name string) ([]string, error) {
	var names []string
	for file := range f {
		for at := file; at != "."; at = path.Dir(at) {
			if path.Dir(at) == name && !slices.Contains(names, path.Base(at)) {
				names = append(names, path.Base(at))
			}
		}
	}
	if names == nil {
		return nil, fs.ErrNotExist
	}
	return names, nil
}

// collected is the set of the rule file of a folder.
func (f folderOf) collected() Set {
	return (&Collector{In: f}).Collect("rules.yaml", []byte(f["rules.yaml"]))
}

// told are the problems of a report as people read them.
func told(problems []Problem) (lines []string) {
	for _, p := range problems {
		lines = append(lines, fmt.Sprintf("%s:%d:%d: %s", p.In("rules.yaml"), p.Line, p.Column, p.Message))
	}
	return lines
}

const (
	oneRule  = "rules: [{id: first, when: {says: [$refund]}, then: {transfer: default}}]\n"
	fileHead = "version: 1\ntargets: {default: {}}\n"
	teamA    = "lists: {a: [apple]}\ntargets: {team_a: {group: 1}}\ncalendars: {day: {tz: UTC, open: [mon 09:00-10:00]}}\n" +
		"rules: [{id: of-a, when: {all: [{says: [$a]}, {hours: day}]}, then: {transfer: team_a}}]\n" +
		"tests:\n  - {name: a, say: apple, at: 2026-01-05T09:30:00Z, expect: {rule: of-a, target: team_a}}\n"
)

func TestInclude_addsToTheRuleFile_rulesInTheOrderGiven(t *testing.T) {
	f := folderOf{
		"rules.yaml":   fileHead + "include: [z.yaml, 'teams/*.yaml', teams/b.yaml]\nlists: {refund: {file: words/refund.txt}}\n" + oneRule,
		"z.yaml":       "rules: [{id: of-z, when: {turns: {at_least: 2}}, then: {keep: true}}]\n",
		"teams/b.yaml": "rules: [{id: of-b, when: {says: [bread]}, then: {transfer: team_a}}]\n",
		"teams/a.yaml": teamA, "teams/.a.yaml": "not looked at", "teams/a.txt": "nor this", "words/refund.txt": "money back\n",
	}
	set := f.collected()
	p, r := set.Load(start)
	if p == nil {
		t.Fatal(told(r.Errors))
	}
	var ids []string
	for _, info := range p.Rules() {
		ids = append(ids, fmt.Sprintf("%s %s:%d", info.ID, info.File, info.Line))
	}
	want := []string{"first :5", "of-z z.yaml:1", "of-a teams/a.yaml:4", "of-b teams/b.yaml:1"}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Error(diff)
	}
	if got := p.Tests()[0]; got.File != "teams/a.yaml" || got.Line != 6 {
		t.Errorf("the test stands at %s:%d", got.File, got.Line)
	}
	names := []string{"rules.yaml", "teams/a.yaml", "teams/b.yaml", "words/refund.txt", "z.yaml"}
	if diff := cmp.Diff(names, set.names()); diff != "" {
		t.Error("what was read:", diff)
	}
	if p.Version() != set.Version() || p.Summary().Files != len(names) {
		t.Errorf("version %s of %d files, read was %s", p.Version(), p.Summary().Files, set.Version())
	}
	f["words/refund.txt"] += "my money\n"
	changed, _ := f.collected().Load(start)
	part := Part{Section: "lists", Name: "refund"}
	if changed.Version() == p.Version() || changed.Parts()[part] == p.Parts()[part] {
		t.Error("other phrases in a file are no other version, or no other list")
	}
}

func TestTakingIn_whatIsWrong_isToldAtItsPlace(t *testing.T) {
	many := folderOf{"rules.yaml": fileHead + "include: ['t/*']\nlists: {refund: [x y]}\n" + oneRule}
	for i := range 65 {
		many[fmt.Sprintf("t/%02d.yaml", i)] = "tests: []\n"
	}
	lists := fileHead + oneRule + "lists:\n  refund: [x y]\n"
	for i := range 65 {
		many[fmt.Sprintf("w/%02d.txt", i)] = "some words\n"
		lists += fmt.Sprintf("  l%02d: {file: w/%02d.txt}\n", i, i)
	}
	include := func(entry string) string {
		return fileHead + "include: [" + entry + "]\nlists: {refund: [x y]}\n" + oneRule
	}
	list := func(value string) string { return fileHead + "lists: {refund: {file: " + value + "}}\n" + oneRule }
	for _, c := range []struct {
		name string
		f    folderOf
		want []string
	}{
		{"no such list", folderOf{"rules.yaml": list("none.csv")}, []string{"rules.yaml:3:24: there is no file `none.csv`"}},
		{"a list that may not be read", folderOf{"rules.yaml": list("a.csv"), "a.csv": "locked"}, []string{"rules.yaml:3:24: `a.csv` cannot be read: permission denied"}},
		{"a list too large", folderOf{"rules.yaml": list("a.csv"), "a.csv": strings.Repeat("some words\n", 17<<20/11)}, []string{"rules.yaml:3:24: `a.csv` is too large"}},
		{"a list of 200,001 phrases", folderOf{"rules.yaml": list("a.csv"), "a.csv": strings.Repeat("some words\n", 200_001)}, []string{"rules.yaml:3:24: `a.csv` has too many phrases: the files of a rule file hold at most 200000 in all"}},
		{"one phrase too many, on the last line of a text", folderOf{"rules.yaml": list("a.txt"), "a.txt": strings.Repeat("some words\n", 200_000) + "one more"}, []string{"rules.yaml:3:24: `a.txt` has too many phrases: the files of a rule file hold at most 200000 in all"}},
		{"the rule file itself", folderOf{"rules.yaml": fileHead + "include: [rules.yaml]\nrules: [{id: a, when: {says: [gold]}, then: {transfer: default}}]\n"}, []string{"rules.yaml:3:11: the rule file cannot include itself"}},
		{"a list in UTF-16", folderOf{"rules.yaml": list("a.csv"), "a.csv": "\xff\xfer\x00\n\x00"}, []string{"rules.yaml:3:24: `a.csv` is not UTF-8 text: see its line 1"}},
		{"the same without a mark", folderOf{"rules.yaml": list("a.csv"), "a.csv": "r\x00e\x00"}, []string{"rules.yaml:3:24: `a.csv` holds a control character: see its line 1"}},
		{"a list in GBK", folderOf{"rules.yaml": list("a.csv"), "a.csv": "refund\n\xcd\xcb\xbf\xee\n"}, []string{"rules.yaml:3:24: `a.csv` is not UTF-8 text: see its line 2"}},
		{"an empty list", folderOf{"rules.yaml": list("a.csv"), "a.csv": "# none yet\n\n"}, []string{"rules.yaml:3:24: `a.csv` holds no phrase"}},
		{"bad lines of a list", folderOf{"rules.yaml": list("a.csv"), "a.csv": "\uFEFFok words\r\n退款 $nowhere,2\r\nx y,much\r\n,3\r\n"}, []string{
			"a.csv:2:4: there is no list $nowhere", "a.csv:3:5: \"much\" is not a weight from -100 to 100", "a.csv:4:1: this line has no phrase",
		}},
		{"a quotation left open", folderOf{"rules.yaml": list("a.csv"), "a.csv": "one thing\n\"two things\nthree things\n"}, []string{"a.csv:2:1: a quotation in this line is not closed, or more stands behind it"}},
		{"a quotation that ends lines below", folderOf{"rules.yaml": list("a.csv"), "a.csv": "\"two\nthings\"\nthree\n"}, []string{"a.csv:1:1: a phrase does not go over several lines"}},
		{"a quotation mark inside", folderOf{"rules.yaml": list("a.csv"), "a.csv": "say \"two\"\n"}, []string{"a.csv:1:5: a quotation mark is out of place"}},
		{"a list outside", folderOf{"rules.yaml": list("../a.csv")}, []string{"rules.yaml:3:24: `../a.csv` leads out of the rule file's folder"}},
		{"a list by its whole path", folderOf{"rules.yaml": list("/etc/a.csv")}, []string{"rules.yaml:3:24: `/etc/a.csv` is not relative to the rule file's folder"}},
		{"a pattern for a list", folderOf{"rules.yaml": list("'*.csv'"), "a.csv": "x y"}, []string{"rules.yaml:3:24: `*.csv` is a pattern, and one file is due"}},
		{"65 lists", withMain(many, lists), []string{"rules.yaml:70:15: `w/64.txt` is one too many: a rule file takes phrases from at most 64 files"}},
		{"no such include", folderOf{"rules.yaml": include("a.yaml")}, []string{"rules.yaml:3:11: there is no file `a.yaml`"}},
		{"no include at all", folderOf{"rules.yaml": include("'*/a.yaml'")}, []string{"rules.yaml:3:11: no file matches `*/a.yaml`"}},
		{"the rule file itself alone", folderOf{"rules.yaml": include("'*.yaml'")}, []string{"rules.yaml:3:11: no file matches `*.yaml`"}},
		{"an include too large", folderOf{"rules.yaml": include("a.yaml"), "a.yaml": "# " + strings.Repeat("x", 1<<20)}, []string{"rules.yaml:3:11: `a.yaml` is too large"}},
		{"a way out in a pattern", folderOf{"rules.yaml": include("'*/../../*.yaml'")}, []string{"rules.yaml:3:11: `*/../../*.yaml` leads out of the rule file's folder"}},
		{"the same in a class", folderOf{"rules.yaml": include("'t/[.][.]/*.yaml'"), "t/a.yaml": "tests: []"}, []string{"rules.yaml:3:11: no file matches `t/[.][.]/*.yaml`"}},
		{"a broken pattern", folderOf{"rules.yaml": include("'a[.yaml'")}, []string{"rules.yaml:3:11: `a[.yaml` is no pattern: a bracket is not closed, or nothing stands behind \\"}},
		{"65 includes", many, []string{"rules.yaml:3:11: `t/64.yaml` is one too many: a rule file includes at most 64 files"}},
		{"an include that includes", folderOf{"rules.yaml": include("a.yaml"), "a.yaml": "tests: []\ninclude: [b.yaml]\n"}, []string{"a.yaml:2:1: an include cannot include another file"}},
		{"an include with teams", folderOf{"rules.yaml": include("a.yaml"), "a.yaml": "notify: {}\n"}, []string{"a.yaml:1:1: `notify` belongs in the rule file itself"}},
		{"an include with settings", folderOf{"rules.yaml": include("a.yaml"), "a.yaml": "mode: off\n"}, []string{"a.yaml:1:1: `mode` belongs in the rule file itself"}},
		{"an include with an unknown key", folderOf{"rules.yaml": include("a.yaml"), "a.yaml": "rule: []\n"}, []string{"a.yaml:1:1: unknown key `rule` in an include"}},
		{"an empty include", folderOf{"rules.yaml": include("a.yaml"), "a.yaml": "# later\n"}, []string{"a.yaml:1:1: the file is empty"}},
		{"an include that is a list", folderOf{"rules.yaml": include("a.yaml"), "a.yaml": "- x\n"}, []string{"a.yaml:1:1: an include is a mapping with some of the keys lists, targets, calendars, rules, tests, not a list"}},
		{"a section of the wrong kind", folderOf{"rules.yaml": include("a.yaml"), "a.yaml": "rules: {id: x}\n"}, []string{"a.yaml:1:8: `rules` must be a list of rules, not a mapping"}},
		{"no YAML", folderOf{"rules.yaml": include("a.yaml"), "a.yaml": "tests: []\nrules: [\n"}, []string{"a.yaml:3:1: a bracket opens here and is not closed in the right place"}},
		{"no YAML up to its very end", folderOf{
			"rules.yaml": include("a.yaml, b.yaml"), "a.yaml": "rules: [{", "b.yaml": "tests: [{",
		}, []string{"a.yaml:2:1: a bracket opens here and is not closed in the right place", "b.yaml:2:1: a bracket opens here and is not closed in the right place"}},
		{"lines that end in other ways", folderOf{
			"rules.yaml": include("a.yaml, b.yaml"), "a.yaml": "tests: []\r# one\u2028rules: [{\r", "b.yaml": "tests: []\n",
		}, []string{"a.yaml:4:1: a bracket opens here and is not closed in the right place"}},
		{"mistakes in several files", folderOf{
			"rules.yaml": include("a.yaml, b.yaml"), "a.yaml": "rules:\n  - {id: of-a, wen: {says: [x y]}, then: {keep: true}}\n", "b.yaml": "targets:\n  b: {grup: 3}\n",
		}, []string{"a.yaml:2:16: unknown key `wen` in a rule", "b.yaml:2:7: unknown key `grup` in `b`"}},
		{"names that stand twice", folderOf{
			"rules.yaml": include("a.yaml, b.yaml"),
			"a.yaml":     "lists: {refund: [z y]}\nrules:\n  - {id: first, when: {says: [x y]}, then: {keep: true}}\ntests: [{name: t, say: x, expect: none}]\n",
			"b.yaml":     "\n\nrules:\n  - {id: first, when: {says: [x y]}, then: {keep: true}}\ntests: [{name: t, say: x, expect: none}]\n",
		}, []string{
			"a.yaml:1:9: `refund` stands here a second time; the first is in line 4 of rules.yaml",
			"a.yaml:3:10: a second rule `first`; the first is in line 5 of rules.yaml",
			"b.yaml:4:10: a second rule `first`; the first is in line 5 of rules.yaml",
			"b.yaml:5:16: a second test \"t\"; the first is in line 4 of a.yaml",
		}},
		{"a slip of the keyboard, and no word of the file", folderOf{"rules.yaml": strings.Replace(list("a.csv"), "version:", "version：", 1), "a.csv": "x y"}, []string{
			"rules.yaml:1:8: this is a full-width colon (：), not YAML's own",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, r := c.f.collected().Load(start)
			if diff := cmp.Diff(c.want, told(r.Errors)); p != nil || diff != "" {
				t.Error(diff)
			}
			for _, e := range r.Errors {
				if e.Hint == "" {
					t.Errorf("no way out: %s", e.Message)
				}
			}
		})
	}
}

func withMain(f folderOf, main string) folderOf {
	with := maps.Clone(f)
	with["rules.yaml"] = main
	return with
}

func TestListFile_phrasesAndWeights(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      map[string]int
	}{
		{"a.csv", "\uFEFF# a heading\r\nrefund now,2,# a note\r\n\r\n\"a, b\"\r\n\"the \"\"best\"\" one\",-3\r\n\"#1 fan\",1\r\n,,\r\n", map[string]int{"refund now": 2, "a, b": 1, `the "best" one`: -3, "#1 fan": 1}},
		{"a.txt", "\uFEFF# a heading\nrefund, now\t2\n  spaced out  \n\n\"quoted\"\t-3\tnote", map[string]int{"refund, now": 2, "spaced out": 1, `"quoted"`: -3}},
	} {
		f := folderOf{"rules.yaml": fileHead + "lists: {m: {file: " + c.name + "}}\nrules: [{id: a, when: {mood: {list: m, at_least: 3, within: 5m}}, then: {transfer: default}}]\n", c.name: c.src}
		p, r := f.collected().Load(start)
		if p == nil {
			t.Errorf("%s: %v", c.name, told(r.Errors))
			continue
		}
		got := map[string]int{}
		for _, g := range p.rules[0].when.leaf.(*moodLeaf).set.groups {
			for id, weight := range g.weights {
				got[p.matcher.Phrase(id)] = weight
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Error(c.name, diff)
		}
	}
}

// A warning on a phrase of a file is silenced in the column for notes.
func TestListFile_warningsStandAtItsLine_untilTheyAreAnswered(t *testing.T) {
	main := fileHead + "lists: {refund: {file: a.csv, typos: off}}\n" + oneRule + "tests: [{name: a, say: refund, expect: first}, {name: b, say: hello, expect: none}]\n"
	_, r := folderOf{"rules.yaml": main, "a.csv": "refund\nmy refund\ngo,,# ok: our word for it\nup\n"}.collected().Load(start)
	want := []string{
		"a.csv:2:1: the phrase my refund is covered by refund: it changes nothing",
		"a.csv:4:1: the phrase up is very short and will be found where nobody means it",
	}
	if diff := cmp.Diff(want, told(r.Warnings)); diff != "" {
		t.Error(diff)
	}
	_, r = folderOf{"rules.yaml": main, "a.csv": strings.Repeat("refund\n", 200)}.collected().Load(start)
	if n := len(r.Warnings); n != maxOfList || !strings.Contains(r.Warnings[n-1].Message.String(), "(and 149 more in this file)") {
		t.Errorf("%d warnings, the last is %v", n, r.Warnings[max(0, n-1)])
	}
}

// Only what changed is read as YAML again, and what it takes in is found anew.
func TestCollector_seesWhatChanges(t *testing.T) {
	f := folderOf{"rules.yaml": fileHead + "include: ['*.yaml']\nlists: {refund: [x y]}\n" + oneRule, "a.yaml": "lists: {w: {file: w.txt}}\n", "w.txt": "some words", "v.txt": "others"}
	c := Collector{In: f}
	collect := func() []string { return c.Collect("rules.yaml", []byte(f["rules.yaml"])).names() }
	for _, step := range []struct {
		change func()
		want   string
	}{
		{func() {}, "a.yaml rules.yaml w.txt"},
		{func() { f["a.yaml"] = "lists: {w: {file: v.txt}}\n" }, "a.yaml rules.yaml v.txt"},
		{func() { f["b.yaml"] = "lists: {x: {file: w.txt}}\n" }, "a.yaml b.yaml rules.yaml v.txt w.txt"},
		{func() { delete(f, "a.yaml") }, "b.yaml rules.yaml w.txt"},
		{func() { f["rules.yaml"] = fileHead }, "rules.yaml"},
	} {
		step.change()
		if got := strings.Join(collect(), " "); got != step.want {
			t.Errorf("read %s, want %s", got, step.want)
		}
	}
}

// A file that is missing and then there makes another version, or it would not be looked at again.
func TestSet_faultsBelongToTheVersion(t *testing.T) {
	f := folderOf{"rules.yaml": fileHead + "lists: {refund: {file: a.csv}}\n" + oneRule}
	missing := f.collected()
	f["a.csv"] = "locked"
	locked := f.collected()
	if !errors.Is(missing.Faults["a.csv"], fs.ErrNotExist) || missing.Version() == locked.Version() || locked.Version() == locked.Files.Version() {
		t.Errorf("missing %s %v, locked %s", missing.Version(), missing.Faults, locked.Version())
	}
}

// What another program writes between columns, or a person between phrases, is told.
func TestListFile_signsThatSeparateNothing_areWarnedOf(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"a.csv", "refund now;2\n", "a.csv:1:11: a semicolon does not separate anything here: this is one phrase, refund now;2"},
		{"a.csv", "退款，2\n", "a.csv:1:3: a full-width comma (，) does not separate anything here: this is one phrase, 退款，2"},
		{"a.csv", "退款、退货\n", "a.csv:1:3: a Chinese list comma (、) does not separate anything here: this is one phrase, 退款、退货"},
		{"a.csv", "refund now\t2\n", "a.csv:1:11: a tab does not separate anything here: this is one phrase, refund now\t2"},
		{"a.txt", "refund now,2\n", "a.txt:1:11: a comma does not separate anything here: this is one phrase, refund now,2"},
		{"a.txt", "refund; now\t1\t# ok: one phrase\n", ""},
		{"a.txt", "refund, now\n", ""},
		{"a.csv", "\"refund, now\"\n", ""},
		{"a.csv", "refund now,2\n", ""},
	} {
		main := fileHead + "lists: {refund: {file: " + c.name + "}}\n" + oneRule + "tests: [{name: a, say: refund now, expect: first}, {name: b, say: hello, expect: none}]\n"
		_, r := folderOf{"rules.yaml": main, c.name: c.src}.collected().Load(start)
		if got := strings.Join(told(r.Warnings), "\n"); got != c.want || !r.OK() {
			t.Errorf("%s of %q:\n got %s\nwant %s", c.name, c.src, got, c.want)
		}
	}
}

func FuzzTakingIn(f *testing.F) {
	f.Add("a.csv", "refund,2\n\"a, b\"\n# x\n\"open\n", "rules: [{id: a, when: {says: [x]}, then: {keep: true}}]\n", "*.yaml")
	f.Add("a.txt", "refund\t2\n\n$nowhere\n", "lists: {x: {file: a.txt}}\ninclude: [b.yaml]\n", "../[a-]*")
	f.Add("b.yaml", "\xff\xfe", "rules： [\n", "b.yaml")
	f.Fuzz(func(t *testing.T, name, list, include, pattern string) {
		main := fileHead + fmt.Sprintf("include: [%q, b.yaml]\nlists: {refund: {file: %q}}\n", pattern, name) + oneRule
		set := folderOf{"rules.yaml": main, "b.yaml": include, name: list}.collected()
		p, r := set.Load(start)
		if (p == nil) == r.OK() {
			t.Fatal("neither rules nor a mistake")
		}
		for _, problem := range append(r.Errors, r.Warnings...) {
			if problem.Line < 1 || problem.Column < 1 {
				t.Errorf("no place: %+v", problem)
			}
		}
		r.Write(io.Discard, lang.English, "rules.yaml", set.Files)
	})
}
