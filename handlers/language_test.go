package handlers_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"escalator/rules/lang"
	"escalator/rules/packs"
)

// textType is the type of messages. Every constant of it is a key of the catalogues, whatever function it goes through.
const textType = "escalator/rules/lang.Text"

// texts are the keys that the program uses, each with a place that uses it.
type texts struct {
	root   string // the folder of the program
	files  *token.FileSet
	keys   map[string]string
	faults []string
}

// TestMessages_haveTheirTranslation looks for messages that a catalogue lacks, and for translations that nothing uses.
func TestMessages_haveTheirTranslation(t *testing.T) {
	m := readTexts(t)
	zh := lang.Catalogue(lang.Chinese)
	for _, key := range slices.Sorted(maps.Keys(m.keys)) {
		if _, there := zh[key]; !there && hasWords(key) {
			t.Errorf("%s: add to rules/lang/zh.po: msgid %q", m.keys[key], key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(zh)) {
		if m.keys[key] == "" {
			t.Errorf("rules/lang/zh.po: nothing says msgid %q any more: take it out", key)
		}
		if want, got := lang.Holes(key), lang.Holes(zh[key]); want != got {
			t.Errorf("rules/lang/zh.po: %q has the values %s, its translation %q has %s", key, want, zh[key], got)
		}
	}
	for _, fault := range m.faults {
		t.Error(fault)
	}
	if len(m.keys) < 500 {
		t.Errorf("only %d messages were found", len(m.keys))
	}
}

// hasWords says that a message has words of English, not only values and the names of arguments, or signs that Chinese has in
// another form: a colon between values, but not the one of FILE:LINE.
func hasWords(key string) bool {
	prose := notWords.ReplaceAllString(place.ReplaceAllString(key, ""), " ")
	return englishWord.MatchString(prose) || sign.MatchString(prose)
}

var (
	place       = regexp.MustCompile(`^%s(:%d)+: `)
	sign        = regexp.MustCompile(`[:,;] | \(`)
	notWords    = regexp.MustCompile(`%[-+# 0-9.\[\]]*[a-z]|\[[^\]]*\]|--[a-z-]+|[a-z]+(\|[a-z]+)+|[a-z.]+\.[a-z]+`)
	englishWord = regexp.MustCompile(`[a-z]{2}`)
)

// readTexts type-checks the program and collects its messages.
func readTexts(t *testing.T) *texts {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-tags", "nomsgpack", "-export", "-deps", "-json=ImportPath,Export,Dir,GoFiles", "..").Output()
	if err != nil {
		t.Fatal(err)
	}
	type listed struct {
		ImportPath, Export, Dir string
		GoFiles                 []string
	}
	exports, ours := map[string]string{}, []listed{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if within(p.ImportPath, module) && p.ImportPath != "escalator/rules/lang" {
			ours = append(ours, p)
		}
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	m := &texts{root: root, files: token.NewFileSet(), keys: map[string]string{}}
	imports := importer.ForCompiler(m.files, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for _, p := range ours {
		var files []*ast.File
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(m.files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
		if _, err := (&types.Config{Importer: imports}).Check(p.ImportPath, m.files, files, info); err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			ast.Inspect(file, func(n ast.Node) bool { return m.note(info, n) })
		}
	}
	for name, about := range packs.About {
		m.keys[about] = "pack $" + name
	}
	for _, role := range packs.Shared().Roles {
		m.keys[role.About], m.keys[role.Says.String()] = "rules/packs/frames.yaml", "rules/packs/frames.yaml"
	}
	for _, frame := range packs.Shared().Frames {
		m.keys[frame.Name] = "rules/packs/frames.yaml"
	}
	for _, reason := range lang.System {
		m.keys[string(reason)] = "rules/lang/system.go"
	}
	m.keys["%[1]s: %[2]s"] = "rules/lang/system.go"
	delete(m.keys, "")
	return m
}

// note takes a message, or a fault in how one is made.
func (m *texts) note(info *types.Info, n ast.Node) (further bool) {
	e, ok := n.(ast.Expr)
	if !ok {
		return true
	}
	is := info.Types[e]
	at := m.place(e)
	if isText(is.Type) && is.Value != nil {
		m.keys[constant.StringVal(is.Value)] = at
		return false // its parts are no messages
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		if e.Op == token.ADD && isText(is.Type) {
			m.faults = append(m.faults, at+": texts are not added up: use lang.Say or lang.Join")
		}
	case *ast.CallExpr:
		m.call(info, e, at)
	}
	return true
}

// call looks at what a call has of messages: the usage of a flag is one, and a format has as many values as it wants.
func (m *texts) call(info *types.Info, call *ast.CallExpr, at string) {
	fun := info.Types[call.Fun]
	if fun.IsType() && len(call.Args) == 1 {
		if from := info.Types[call.Args[0]]; isText(fun.Type) != isText(from.Type) && from.Value == nil && (isText(fun.Type) || isText(from.Type)) {
			m.faults = append(m.faults, at+": use lang.Raw, lang.Key or String, not a conversion")
		}
		return
	}
	signature, ok := fun.Type.(*types.Signature)
	if !ok {
		return
	}
	params := signature.Params()
	for i := range min(params.Len(), len(call.Args)) {
		value := info.Types[call.Args[i]].Value
		if value == nil || value.Kind() != constant.String {
			continue
		}
		if p := params.At(i); p.Name() == "usage" && p.Pkg() != nil && (p.Pkg().Path() == "flag" || p.Pkg().Path() == module+"/handlers/cli") {
			m.keys[constant.StringVal(value)] = at
		}
		last := params.Len() - 1
		if signature.Variadic() && i == last-1 && params.At(i).Name() == "format" && isText(params.At(i).Type()) && params.At(last).Type().String() == "[]any" && call.Ellipsis == token.NoPos && len(call.Args) > i+1 {
			if given, want := len(call.Args)-i-1, lang.Values(constant.StringVal(value)); given != want {
				m.faults = append(m.faults, fmt.Sprintf("%s: %d values for a message that has %d", at, given, want))
			}
		}
	}
}

func (m *texts) place(n ast.Node) string {
	p := m.files.Position(n.Pos())
	return fmt.Sprintf("%s:%d", strings.TrimPrefix(p.Filename, m.root+string(filepath.Separator)), p.Line)
}

func isText(t types.Type) bool { return t != nil && t.String() == textType }
