package handlers_test

import (
	"go/build/constraint"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// `make test` runs the tests in stages: most packages under the race detector, the others without, and by their names those
// that want it the other way. A test between two stages would be run by nobody, and nobody would see that.

var testNames = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)\w*)\(`)

// stages are the lines of the Makefile that make test.
type stages struct {
	unraced *regexp.Regexp // packages that the first stage leaves out
	whole   []string       // arguments of the stage that runs those
	chosen  []chosen
}

// chosen is a stage that runs some tests of some packages.
type chosen struct {
	race     bool
	run      string
	packages []string
}

func readStages(t *testing.T) (s stages) {
	t.Helper()
	src, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	pattern := regexp.MustCompile(`(?m)^UNRACED +:= (\S+)$`).FindSubmatch(src)
	recipe := regexp.MustCompile(`(?ms)^test: .*?\n\n`).Find(src)
	if pattern == nil || recipe == nil {
		t.Fatal("the Makefile has no UNRACED or no target test any more")
	}
	s.unraced = regexp.MustCompile(string(pattern[1]))
	for line := range strings.Lines(string(recipe)) {
		_, args, ok := strings.Cut(line, "$(if $(WHOLE),go test -tags")
		if !ok || strings.Contains(args, " -C ") {
			continue
		}
		words := strings.Fields(strings.TrimSuffix(strings.TrimSpace(args), ")"))
		folders := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !strings.HasPrefix(w, "./") })
		if at := slices.Index(words, "-run"); at >= 0 {
			s.chosen = append(s.chosen, chosen{race: slices.Contains(words, "-race"), run: strings.Trim(words[at+1], "'"), packages: folders})
		} else {
			s.whole = append(s.whole, folders...)
		}
	}
	return s
}

// covers reports whether arguments of go test name a package.
func covers(arguments []string, importPath string) bool {
	return slices.ContainsFunc(arguments, func(a string) bool {
		path, below := strings.CutSuffix(module+strings.TrimPrefix(a, "."), "/...")
		return path == importPath || below && within(importPath, path)
	})
}

// testsOf are the tests of a package's folder: of all files, and of those that a build with the race detector leaves out.
func testsOf(t *testing.T, folder string) (all, without []string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(folder, "*_test.go"))
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		left := false
		if line := regexp.MustCompile(`(?m)^//go:build .*$`).Find(src); line != nil {
			expr, err := constraint.Parse(string(line))
			if err != nil {
				t.Fatal(err)
			}
			left = !expr.Eval(func(tag string) bool { return tag != "ignore" })
		}
		for _, name := range testNames.FindAllSubmatch(src, -1) {
			if all = append(all, string(name[1])); left {
				without = append(without, string(name[1]))
			}
		}
	}
	return all, without
}

func TestTests_eachIsInAStageOfMakeTest(t *testing.T) {
	s := readStages(t)
	seen := map[string]bool{} // the alternatives of the names that some test has
	for _, p := range packages(t) {
		all, without := testsOf(t, p.Dir)
		raced := !s.unraced.MatchString(p.ImportPath)
		if len(all) > 0 && raced == covers(s.whole, p.ImportPath) {
			t.Errorf("make test runs %s in two stages or in none: see UNRACED in the Makefile", p.ImportPath)
		}
		for _, stage := range s.chosen {
			if !covers(stage.packages, p.ImportPath) {
				continue
			}
			for alternative := range strings.SplitSeq(stage.run, "|") {
				has := regexp.MustCompile(alternative).MatchString
				seen[stage.run+" has "+alternative] = slices.ContainsFunc(all, has) || seen[stage.run+" has "+alternative]
				if !stage.race {
					without = slices.DeleteFunc(without, has)
				}
			}
		}
		if raced && len(without) > 0 {
			t.Errorf("make test runs %s only with the race detector, and so never %v: name them in the stage of the budgets", p.ImportPath, without)
		}
	}
	for what, is := range seen {
		if !is {
			t.Errorf("make test: -run %s, but no test of these packages is called so", what)
		}
	}
	if len(s.chosen) < 2 || len(seen) < 4 {
		t.Errorf("found only these stages: %+v", s)
	}
}
