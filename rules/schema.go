package rules

import (
	"encoding/json"
	"strings"
)

// Schema is the JSON Schema of rule files, for editors: completion, hover texts and red underlines come from it. It
// says exactly what the validator says about the form of a file; what names mean is known to the validator alone.
func Schema() []byte {
	w := schemaWriter{defs: map[string]any{}}
	root := w.schema(fileShape)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Escalator rules"
	root["$defs"] = w.defs
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // the declaration holds plain strings and numbers only
	}
	return append(out, '\n')
}

// schemaWriter turns shapes into schemas; a shape with a ref is written once, which also ends the recursion.
type schemaWriter struct{ defs map[string]any }

type object = map[string]any

// of gives the schema of a shape, or a reference to it.
func (w *schemaWriter) of(s *shape) object {
	if s.ref == "" {
		return w.schema(s)
	}
	if _, ok := w.defs[s.ref]; !ok {
		w.defs[s.ref] = nil // taken: a recursive shape refers to it
		w.defs[s.ref] = w.schema(s)
	}
	return object{"$ref": "#/$defs/" + s.ref}
}

func (w *schemaWriter) schema(s *shape) object {
	o := object{"title": s.name}
	if s.doc != "" {
		o["description"] = s.doc
	}
	switch s.form {
	case formRecord:
		w.record(o, s)
	case formDict:
		o["type"] = "object"
		o["propertyNames"] = w.keyNames(s.key)
		o["additionalProperties"] = w.of(s.elem)
		if !s.empty {
			o["minProperties"] = 1
		}
	case formList:
		o["type"] = "array"
		o["items"] = w.of(s.elem)
		if !s.empty {
			o["minItems"] = 1
		}
		if s.most > 0 {
			o["maxItems"] = s.most
		}
	case formChoice:
		var forms []any
		for _, f := range s.forms {
			forms = append(forms, w.of(f))
		}
		o["anyOf"] = forms
	default:
		w.scalar(o, s)
	}
	return o
}

func (w *schemaWriter) record(o object, s *shape) {
	o["type"] = "object"
	o["additionalProperties"] = false
	properties := object{}
	var required []string
	for _, f := range s.fields {
		properties[f.key] = w.property(f)
		if f.required {
			required = append(required, f.key)
		}
	}
	o["properties"] = properties
	if required != nil {
		o["required"] = required
	}
	if s.needs != nil {
		needs := object{}
		for key, other := range s.needs {
			needs[key] = []string{other}
		}
		o["dependentRequired"] = needs
	}
	if rules := keyRules(s); rules != nil {
		o["allOf"] = rules
	}
}

// keyRules writes the rules about which keys stand together.
func keyRules(s *shape) []any {
	var rules []any
	for _, words := range [][]string{s.groupKeys(), s.atLeastOne} {
		var one []any
		for _, key := range words {
			one = append(one, object{"required": []string{key}})
		}
		if one != nil {
			rules = append(rules, object{"anyOf": one})
		}
	}
	for _, pair := range s.apart() {
		rules = append(rules, object{"not": object{"required": pair[:]}})
	}
	return rules
}

// property is a key's schema with the key's own documentation, which editors show before the shape's.
func (w *schemaWriter) property(f field) object {
	o := w.of(f.of)
	o["description"] = f.doc
	if _, isRef := o["$ref"]; isRef {
		o["title"] = f.of.name
	}
	if f.standard != "" {
		o["default"] = jsonScalar(f.standard, f.of.form)
		o["description"] = f.doc + " Default: " + f.standard + "."
	}
	if _, ok := o["examples"]; !ok && len(f.of.examples) > 0 {
		o["examples"] = f.of.examples
	}
	return o
}

// keyNames is the schema of a dict's keys: keys are always strings.
func (w *schemaWriter) keyNames(s *shape) object {
	o := object{}
	w.scalar(o, s)
	delete(o, "type")
	return o
}

func (w *schemaWriter) scalar(o object, s *shape) {
	switch s.form {
	case formInteger:
		o["type"], o["minimum"], o["maximum"] = "integer", s.min, s.max
	case formNumber:
		o["type"] = "number"
		if s.max != 0 {
			o["minimum"], o["maximum"] = s.min, s.max
		}
	case formBool:
		o["type"] = "boolean"
	case formTrue:
		o["const"] = true
	case formDuration, formRate:
		o["type"], o["pattern"] = "string", s.pattern
	default:
		w.text(o, s)
	}
}

// text is raw text: 12315 and no are texts too, whatever YAML makes of them.
func (w *schemaWriter) text(o object, s *shape) {
	switch {
	case s.enum != nil:
		o["enum"] = s.enum
		return
	case s.pattern != "":
		o["pattern"] = s.pattern
	case !s.empty:
		o["pattern"] = `\S`
	}
	types := []string{"string"}
	if s.matches("1.5") {
		types = append(types, "number")
		if !s.matches("-1") {
			o["minimum"] = 0
		}
	}
	if s.matches("true") {
		types = append(types, "boolean")
	}
	o["type"] = types
	if len(s.examples) > 0 {
		o["examples"] = s.examples
	}
}

// jsonScalar is a default as JSON.
func jsonScalar(text string, f form) any {
	switch f {
	case formInteger, formNumber, formBool, formTrue:
		return json.RawMessage(text)
	case formList:
		return strings.Split(strings.Trim(text, "[]"), ", ")
	}
	return text
}
