package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("rules.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("rules.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// formErrors are what the validator says about the form of a document.
func formErrors(t interface{ Fatalf(string, ...any) }, src []byte) ([]Problem, any) {
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		t.Fatalf("%s\nis no YAML: %v", src, err)
	}
	k := checker{source: newSource("rules.yaml", src)}
	k.check(doc.Content[0], fileShape, "the file")
	return k.problems, jsonOf(doc.Content[0])
}

// jsonOf reads a YAML tree as an editor does.
func jsonOf(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		o := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			o[n.Content[i].Value] = jsonOf(n.Content[i+1])
		}
		return o
	case yaml.SequenceNode:
		a := []any{}
		for _, e := range n.Content {
			a = append(a, jsonOf(e))
		}
		return a
	}
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		return json.Number(n.Value)
	}
	return n.Value
}

func TestSchema_example_isValid(t *testing.T) {
	problems, value := formErrors(t, readFile(t, "testdata/example.yaml"))
	if len(problems) > 0 {
		t.Errorf("the validator refuses the example: %+v", problems)
	}
	if err := compileSchema(t).Validate(value); err != nil {
		t.Errorf("the schema refuses the example: %v", err)
	}
}

// Whatever document is drawn, right or with mistakes, the schema and the validator say the same about its form.
func TestSchema_andValidator_agree(t *testing.T) {
	schema := compileSchema(t)
	accepted, refused := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		g := generator{t: r, mistakes: rapid.IntRange(0, 2).Draw(r, "mistakes")}
		src := []byte(g.value(fileShape, 0))
		problems, value := formErrors(r, src)
		err := schema.Validate(value)
		if (err == nil) != (len(problems) == 0) {
			r.Fatalf("%s\nvalidator: %+v\nschema: %v", src, problems, err)
		}
		if err == nil {
			accepted++
		} else {
			refused++
		}
	})
	if accepted < 10 || refused < 10 {
		t.Errorf("%d documents were accepted and %d refused: the generator is lopsided", accepted, refused)
	}
}

// generator writes documents in the flow form of YAML from the declared shapes, with a mistake here and there.
type generator struct {
	t        *rapid.T
	mistakes int
}

// slip says that a mistake is due here.
func (g *generator) slip() bool {
	if g.mistakes == 0 || rapid.IntRange(0, 11).Draw(g.t, "slip") != 0 {
		return false
	}
	g.mistakes--
	return true
}

var wrongValues = []string{"[]", "{}", "17", "-1", "0", "3.5", "true", "yes", "no", "null", `""`, "10m", "0s", "3/24h", "a b", "[x]", "{x: y}", "{phrases: [a]}", "{phrases: 3}", "enforce", "$name", `"  "`}

func (g *generator) value(s *shape, depth int) string {
	if g.slip() {
		return rapid.SampledFrom(wrongValues).Draw(g.t, "wrong")
	}
	switch s.form {
	case formChoice:
		return g.value(rapid.SampledFrom(s.forms).Draw(g.t, "form"), depth)
	case formRecord:
		return g.record(s, depth)
	case formDict:
		var parts []string
		for _, key := range g.keys(s) {
			parts = append(parts, key+": "+g.value(s.elem, depth+1))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case formList:
		least := 1
		if s.empty {
			least = 0
		}
		var parts []string
		for range rapid.IntRange(least, max(least, 2-depth/4)).Draw(g.t, "items") {
			parts = append(parts, g.value(s.elem, depth+1))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return g.scalar(s)
}

func (g *generator) keys(s *shape) []string {
	words := s.key.enum
	if words == nil {
		words = []string{"one", "two", "退款", "add", "phrases"}
	}
	n := 1
	if s.empty {
		n = rapid.IntRange(0, 2).Draw(g.t, "pairs")
	}
	return slices.Clone(words[:n])
}

func (g *generator) scalar(s *shape) string {
	switch s.form {
	case formInteger:
		return fmt.Sprint(rapid.IntRange(int(s.min), int(s.max)).Draw(g.t, "integer"))
	case formNumber:
		if s.max == 0 {
			return rapid.SampledFrom([]string{"1", "-2.5", "0"}).Draw(g.t, "number")
		}
		return rapid.SampledFrom([]string{"0.5", "1", "0.1"}).Draw(g.t, "number")
	case formBool:
		return rapid.SampledFrom([]string{"true", "false"}).Draw(g.t, "bool")
	case formTrue:
		return "true"
	case formDuration:
		return rapid.SampledFrom([]string{"1s", "10m", "1h30m", "250ms", "2d"}).Draw(g.t, "duration")
	case formRate:
		return rapid.SampledFrom([]string{"3/24h", "50/s", "1/90m"}).Draw(g.t, "rate")
	}
	switch {
	case s.enum != nil:
		return rapid.SampledFrom(s.enum).Draw(g.t, "word")
	case len(s.examples) > 0:
		return `"` + rapid.SampledFrom(s.examples).Draw(g.t, "example") + `"`
	}
	return rapid.SampledFrom([]string{"name", "退款", "12315", "no", "true", "a-b_c", "1.5"}).Draw(g.t, "text")
}

func (g *generator) record(s *shape, depth int) string {
	var parts []string
	add := func(key, value string) { parts = append(parts, key+": "+value) }
	for _, f := range g.chosen(s, depth) {
		if g.slip() {
			continue
		}
		add(f.key, g.value(f.of, depth+1))
	}
	if g.slip() {
		add("unknwon", "1")
	}
	if g.slip() {
		f := rapid.SampledFrom(s.fields).Draw(g.t, "surplus")
		if !strings.Contains(strings.Join(parts, ","), f.key+":") {
			add(f.key, g.value(f.of, depth+1))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// chosen draws keys that may stand together.
func (g *generator) chosen(s *shape, depth int) []field {
	var out []field
	has := func(key string) bool { return slices.ContainsFunc(out, func(f field) bool { return f.key == key }) }
	add := func(key string) {
		f := s.field(key)
		if f == nil || has(key) {
			return
		}
		for _, pair := range s.apart() {
			if pair[0] == key && has(pair[1]) || pair[1] == key && has(pair[0]) {
				return
			}
		}
		out = append(out, *f)
	}
	for _, words := range [][]string{s.groupKeys(), s.atLeastOne} {
		if len(words) > 0 {
			if depth > 7 && s == conditionShape {
				words = []string{"turns", "says", "hours"} // ends the recursion
			}
			add(rapid.SampledFrom(words).Draw(g.t, "one of"))
		}
	}
	for _, f := range s.fields {
		if f.required || rapid.IntRange(0, 2+depth).Draw(g.t, f.key) == 0 && s != conditionShape {
			add(f.key)
		}
	}
	for key, other := range s.needs {
		if has(key) {
			add(other)
		}
		if has(key) && !has(other) {
			out = slices.DeleteFunc(out, func(f field) bool { return f.key == key })
		}
	}
	return out
}

func TestSchema_everyKey_isExplained(t *testing.T) {
	seen := map[*shape]bool{}
	var visit func(s *shape, path string)
	visit = func(s *shape, path string) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		if s.name == "" {
			t.Errorf("%s has no name", path)
		}
		for _, f := range s.fields {
			if f.doc == "" {
				t.Errorf("%s.%s has no documentation", path, f.key)
			}
			visit(f.of, path+"."+f.key)
		}
		visit(s.elem, path+"[]")
		visit(s.key, path+"(key)")
		for _, form := range s.forms {
			visit(form, path)
		}
		for _, e := range s.examples {
			if s.form == formText && !s.matches(e) {
				t.Errorf("%s: the example %q is not valid", path, e)
			}
		}
	}
	visit(fileShape, "file")
}
