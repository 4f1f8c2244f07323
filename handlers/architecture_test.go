package handlers_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// This file proves the plan of the house: imports go one way, the rules stay pure, and no test waits for real time. It lives in handlers because that is
// the highest package below main, so whoever breaks the plan meets it in `go test ./...` and in `go test ./handlers`.

const module = "escalator"

// level is one folder of the house with everything below it, the folders that its code and its tests may import, and what of those
// they may not.
type level struct {
	folder string
	sees   []string
	not    []string
}

// house is read from the top: the first level that holds a package is the one that counts. A folder that is not listed is an
// error, so that a new one has to find its place here first.
var house = []level{
	{folder: "rules/lang", sees: nil},
	{folder: "rules/packs", sees: []string{"rules/lang"}},
	{folder: "rules/text", sees: []string{"rules/lang", "rules/text"}},
	{folder: "rules", sees: []string{"rules"}},
	{folder: "bot/desk", sees: []string{"rules/lang", "bot/desk"}},
	{folder: "bot/clock", sees: nil},
	{folder: "bot/logtest", sees: nil}, // for tests only
	{folder: "bot/regular", sees: nil},
	{folder: "bot/secrets", sees: []string{"rules/lang", "bot/regular", "bot/secrets"}},
	{folder: "bot/retry", sees: []string{"bot/store"}},
	{folder: "bot/quiet", sees: []string{"bot/logtest", "bot/quiet"}},
	// Failover works over any shared store, so it knows none of them.
	{folder: "bot/store/failover", sees: []string{"rules", "bot/store", "bot/clock"}, not: []string{"bot/store/redis", "bot/store/journal"}},
	{folder: "bot/store", sees: []string{"rules", "bot/store", "bot/clock", "bot/regular"}},
	{folder: "bot/mask", sees: []string{"bot/mask"}},
	{folder: "bot/mute", sees: []string{"rules", "bot/store", "bot/mask", "bot/quiet", "bot/regular", "bot/mute"}},
	{folder: "bot/history", sees: []string{"rules", "bot/store", "bot/mask", "bot/quiet", "bot/regular", "bot/logtest", "bot/history"}},
	{folder: "bot/decisions", sees: []string{"rules", "bot/store", "bot/clock", "bot/mask", "bot/quiet", "bot/history", "bot/logtest", "bot/decisions"}},
	{folder: "bot/metrics", sees: []string{"rules", "bot/store", "bot/metrics"}},
	// What reads events, delivers transfers, asks for free agents and contacts customers know neither each other nor the
	// bot that joins them. Reading knows no storage, so live traffic and replay read with the same code.
	{folder: "bot/inbound", sees: []string{"rules", "bot/desk", "bot/mask", "bot/metrics", "bot/inbound"}},
	{folder: "bot/notify", sees: []string{"rules", "bot/trace", "bot/desk", "bot/store", "bot/clock", "bot/mask", "bot/metrics", "bot/quiet", "bot/retry", "bot/secrets", "bot/logtest", "bot/notify"}},
	{folder: "bot/delivery", sees: []string{"rules", "bot/trace", "bot/desk", "bot/store", "bot/clock", "bot/mask", "bot/metrics", "bot/notify", "bot/quiet", "bot/retry", "bot/history", "bot/logtest", "bot/delivery"}},
	{folder: "bot/trace/otlp", sees: []string{"rules/lang", "bot/desk", "bot/clock", "bot/retry", "bot/trace"}},
	{folder: "bot/trace", sees: []string{"bot/trace"}},
	{folder: "bot/reception", sees: []string{"rules", "bot/desk", "bot/store", "bot/clock", "bot/quiet", "bot/logtest", "bot/reception"}},
	{folder: "bot/messages", sees: []string{"rules", "bot/desk", "bot/store", "bot/clock", "bot/mask", "bot/metrics", "bot/notify", "bot/quiet", "bot/history", "bot/logtest", "bot/messages"}},
	{folder: "bot/recording", sees: []string{"rules", "bot/mask", "bot/quiet", "bot/logtest", "bot/recording"}},
	{folder: "bot/rulefile", sees: []string{"rules", "bot/mask", "bot/notify", "bot/regular", "bot/logtest", "bot/rulefile"}},
	{folder: "bot/inspect", sees: []string{"rules", "bot/desk", "bot/inspect"}},
	{folder: "bot/backend", sees: []string{"rules/lang", "bot/backend"}},
	{folder: "bot", sees: []string{"rules", "bot"}},
	{folder: "handlers", sees: []string{"rules", "bot", "handlers"}},
	{folder: ".", sees: []string{"rules", "bot", "handlers", "."}},
}

// impure are the packages that no file of rules may name, tests excepted: rules know no I/O, no logger, no randomness.
var impure = []string{
	"net", "os", "syscall", "log", "math/rand", "crypto/rand",
	"github.com/gin-gonic/gin", "github.com/sirupsen/logrus", "github.com/prometheus/client_golang",
}

// unreachable are the packages that must not come in through a library either. (os does: fmt needs it.)
var unreachable = []string{
	"net", "os/exec", "os/signal",
	"github.com/gin-gonic/gin", "github.com/sirupsen/logrus", "github.com/prometheus/client_golang",
}

// clock are the names of package time that look at the real clock or wait for it. The time of a turn is Turn.At, which is
// why the same turns give the same decisions in the service, in a replay and in a test.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

func TestHouse_importsGoOneWay(t *testing.T) {
	for _, p := range packages(t) {
		from := folderOf(p.ImportPath)
		at, known := levelOf(from)
		if !known {
			t.Errorf("%s has no place in the house: add it to the table of this file, or move it below rules, bot or handlers", from)
			continue
		}
		for _, path := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if within(path, module) && !at.maySee(folderOf(path)) {
				t.Errorf("%s imports %s: imports go rules ← bot ← handlers ← main", from, folderOf(path))
			}
		}
	}
}

func TestHouse_tableSaysWhatTheDesignSays(t *testing.T) {
	cases := []struct {
		from, to string
		want     bool
	}{
		{"rules/text", "rules", false},
		{"rules/packs", "rules/text", false},
		{"rules/lang", "rules", false},
		{"rules/text", "rules/lang", true},
		{"bot/desk", "rules/lang", true},
		{"rules", "rules/text", true},
		{"rules", "bot", false},
		{"rules/replay", "bot/desk", false},
		{"bot/desk", "rules", false},
		{"bot/desk/desktest", "bot/desk", true},
		{"bot/desk/desktest", "bot", false},
		{"bot/store", "rules", true},
		{"bot/store/memory", "bot", false},
		{"bot/store/failover", "bot/store", true},
		{"bot/store/failover", "bot/store/memory", true},
		{"bot/store/failover", "bot/store/redis", false},
		{"bot/store/redis", "bot/store/failover", true},
		{"bot/inbound", "bot", false},
		{"bot/inbound", "bot/delivery", false},
		{"bot/inbound", "bot/store", false},
		{"bot/inbound", "bot/desk", true},
		{"bot/delivery", "bot", false},
		{"bot/delivery", "bot/inbound", false},
		{"bot/delivery", "bot/store", true},
		{"bot/delivery", "bot/messages", false},
		{"bot/delivery", "bot/reception", false},
		{"bot/messages", "bot", false},
		{"bot/messages", "bot/delivery", false},
		{"bot/messages", "bot/reception", false},
		{"bot/messages", "bot/notify", true},
		{"bot/reception", "bot/messages", false},
		{"bot/reception", "bot/notify", false},
		{"bot/notify", "bot/delivery", false},
		{"bot/notify", "bot/messages", false},
		{"bot/history", "bot/delivery", false},
		{"bot/history", "bot/desk", false},
		{"bot/inspect", "bot/store", false},
		{"bot/secrets", "bot/desk", false},
		{"bot/rulefile", "bot/store", false},
		{"bot/recording", "bot/desk", false},
		{"bot/metrics", "bot", false},
		{"bot/mask", "bot", false},
		{"bot", "bot/store", true},
		{"bot", "bot/inbound", true},
		{"bot", "bot/delivery", true},
		{"bot", "handlers", false},
		{"handlers", "bot", true},
		{"handlers", ".", false},
		{".", "handlers", true},
		{"handlers", "tools/bench", false},
		{".", "tools/bench", false},
	}
	for _, c := range cases {
		at, known := levelOf(c.from)
		if !known || at.maySee(c.to) != c.want {
			t.Errorf("%s may import %s: got %t, want %t", c.from, c.to, !c.want, c.want)
		}
	}
	if _, known := levelOf("util"); known {
		t.Error("a new folder at the top has a place without having been given one")
	}
}

func TestRules_touchNothingOutsideThemselves(t *testing.T) {
	for _, p := range rulesPackages(t) {
		for _, path := range p.Imports {
			if withinAny(path, impure) {
				t.Errorf("%s imports %s: rules are pure; take bytes, an io.Reader or a value instead", folderOf(p.ImportPath), path)
			}
		}
		for _, path := range p.Deps {
			if withinAny(path, unreachable) {
				t.Errorf("%s reaches %s through a library", folderOf(p.ImportPath), path)
			}
		}
	}
}

func TestRules_haveNoClock(t *testing.T) {
	for _, p := range rulesPackages(t) {
		for _, name := range p.GoFiles {
			file, files := parse(t, filepath.Join(p.Dir, name))
			for _, use := range clockUses(file, clock...) {
				t.Errorf("%s: rules have no clock, time comes in as Turn.At", files.Position(use))
			}
		}
	}
}

func TestRules_clockIsFoundUnderAnyName(t *testing.T) {
	cases := []struct {
		name, source string
		want         int
	}{
		{"called", `import "time"; var at = time.Now()`, 1},
		{"as a value", `import "time"; var now = time.Now`, 1},
		{"renamed", `import std "time"; var at = std.Since(t0)`, 1},
		{"dot import", `import . "time"; var at = Now()`, 1},
		{"only durations", `import "time"; var d = 3 * time.Second`, 0},
		{"another package of that name", `import "example.com/time"; var at = time.Now()`, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file, err := parser.ParseFile(token.NewFileSet(), "p.go", "package p; "+c.source, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(clockUses(file, clock...)); got != c.want {
				t.Errorf("found %d uses of the clock, want %d", got, c.want)
			}
		})
	}
}

func TestTests_sleepInVirtualTimeOnly(t *testing.T) {
	for _, p := range packages(t) {
		for _, name := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
			file, files := parse(t, filepath.Join(p.Dir, name))
			virtual := slices.ContainsFunc(file.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == `"testing/synctest"` })
			for _, use := range clockUses(file, "Sleep") {
				if !virtual {
					t.Errorf("%s: a test waits for a channel, or sleeps in a bubble of testing/synctest", files.Position(use))
				}
			}
		}
	}
}

// maxLines is how long a file may be, tests and tools included: what does not fit is two things.
const maxLines = 400

func TestHouse_noFileIsTooLong(t *testing.T) {
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if n := bytes.Count(text, []byte("\n")); n > maxLines {
			t.Errorf("%s has %d lines, more than %d: split it by what it is about", path, n, maxLines)
		}
		return err
	})
	if err != nil || files < 100 {
		t.Errorf("looked at %d files: %v", files, err)
	}
}

// parse reads one Go file.
func parse(t *testing.T, path string) (*ast.File, *token.FileSet) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file, files
}

// clockUses returns where a file takes one of names from package time. A dot import of time counts as a use: it would hide the others.
func clockUses(file *ast.File, names ...string) []token.Pos {
	var uses []token.Pos
	for _, spec := range file.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err != nil || path != "time" {
			continue
		}
		name := "time"
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == "." {
			uses = append(uses, spec.Pos())
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains(names, sel.Sel.Name) {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == name {
					uses = append(uses, sel.Pos())
				}
			}
			return true
		})
	}
	return uses
}

// listed is what `go list` tells about one package.
type listed struct {
	ImportPath, Dir                    string
	GoFiles, TestGoFiles, XTestGoFiles []string
	Imports, TestImports, XTestImports []string
	Deps                               []string
}

// packages lists every package of the module.
func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list",
		"-json=ImportPath,Dir,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports,Deps", module+"/...")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, complaints.String())
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// rulesPackages lists rules and what is below it; none at all would make every test of it pass for no reason.
func rulesPackages(t *testing.T) []listed {
	t.Helper()
	found := slices.DeleteFunc(packages(t), func(p listed) bool { return !within(p.ImportPath, module+"/rules") })
	if len(found) == 0 {
		t.Fatal("found no package below rules")
	}
	return found
}

func folderOf(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

func levelOf(folder string) (level, bool) {
	i := slices.IndexFunc(house, func(l level) bool { return within(folder, l.folder) })
	if i < 0 {
		return level{}, false
	}
	return house[i], true
}

func (l level) maySee(folder string) bool {
	return withinAny(folder, l.sees) && !withinAny(folder, l.not)
}

func withinAny(path string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return within(path, root) })
}

// within reports whether path is root or lies below it.
func within(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}
