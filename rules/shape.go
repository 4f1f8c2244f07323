package rules

import (
	"regexp"
	"slices"
	"sync"

	"escalator/rules/lang"
)

// form is the YAML form that a place of the file must have.
type form uint8

const (
	formText     form = iota // any scalar but null; its raw text is taken
	formInteger              // a whole number
	formNumber               // a number
	formBool                 // true or false
	formTrue                 // true
	formDuration             // 10m, 1h30m
	formRate                 // 3/24h
	formRecord               // a mapping with named keys
	formDict                 // a mapping whose keys the user chooses
	formList                 // a sequence
	formChoice               // one of several forms, told apart by the YAML kind (and for mappings by telltale keys)
)

// shape declares what may stand in one place of the file. The shapes are the only declaration of the
// rule language: the validator, its hints, the JSON Schema and the documentation in editors are all derived from them,
// so they cannot drift apart.
type shape struct {
	// name is what messages call it, with its article: "a phrase". ref, if set, names it in the schema's $defs.
	name     lang.Text
	ref      string
	form     form
	doc      string
	examples []string
	way      lang.Text // the way out that messages show instead of an example
	// meant guesses what was meant by a text that does not match, given in lower case.
	meant func(text string) string

	enum     []string          // formText: the only valid words
	synonyms map[string]string // what people write instead of them
	pattern  string            // formText: what the raw text must match
	min, max float64           // formInteger, formNumber: limits; none if max is zero
	positive bool              // formDuration: 0s is refused

	fields []field // formRecord
	// oneOf, atLeastOne and needs are rules about a record's keys.
	oneOf      [][]string // some of these keys must be there, and all that are must be in one group
	atLeastOne []string
	needs      map[string]string // key → key that must stand beside it

	key   *shape // formDict: what a key must look like (formText)
	elem  *shape // formDict, formList
	empty bool   // formDict, formList, formText: may be empty
	most  int    // formList: so many elements at most; 0: any number

	forms []*shape // formChoice
	// telltales chooses the mapping form of a choice: the record whose key is present, with a value that is no scalar.
	telltales map[string]*shape

	once sync.Once
	re   *regexp.Regexp
}

// field is one key of a record.
type field struct {
	key      string
	doc      string
	of       *shape
	required bool
	// standard is the default, as written in a file; "" if there is none.
	standard string
	// aka are words that people try instead; they lead to a hint.
	aka []string
}

// field finds a key's declaration.
func (s *shape) field(key string) *field {
	for i := range s.fields {
		if s.fields[i].key == key {
			return &s.fields[i]
		}
	}
	return nil
}

// knownKeys are all keys of the language, once each.
var knownKeys = sync.OnceValue(func() map[string]bool {
	keys, seen := map[string]bool{}, map[*shape]bool{}
	var visit func(s *shape)
	visit = func(s *shape) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		for _, f := range s.fields {
			keys[f.key] = true
			visit(f.of)
		}
		for _, form := range s.forms {
			visit(form)
		}
		visit(s.elem)
	}
	visit(fileShape)
	return keys
})

// knownKey says that the language has such a key somewhere.
func knownKey(word string) bool { return knownKeys()[word] }

// groupKeys gives the keys of the groups of oneOf, in the order of the declaration.
func (s *shape) groupKeys() []string {
	var keys []string
	for _, f := range s.fields {
		if slices.ContainsFunc(s.oneOf, func(group []string) bool { return slices.Contains(group, f.key) }) {
			keys = append(keys, f.key)
		}
	}
	return keys
}

// apart gives the pairs of keys that exclude each other: those that no group has together.
func (s *shape) apart() [][2]string {
	var pairs [][2]string
	keys := s.groupKeys()
	for i, a := range keys {
		for _, b := range keys[i+1:] {
			if !slices.ContainsFunc(s.oneOf, func(group []string) bool { return slices.Contains(group, a) && slices.Contains(group, b) }) {
				pairs = append(pairs, [2]string{a, b})
			}
		}
	}
	return pairs
}

// matches checks the raw text of a scalar against the pattern.
func (s *shape) matches(text string) bool {
	if s.pattern == "" {
		return true
	}
	s.once.Do(func() { s.re = regexp.MustCompile(s.pattern) })
	return s.re.MatchString(text)
}

// The patterns are written so that Go and ECMAScript read them alike, because the schema carries them to editors.
const (
	patternName     = `^[\p{L}\p{N}_.+-]+$`
	patternListName = `^[\p{L}_][\p{L}\p{N}_-]*(\.[a-z_]+)?$`
	patternDuration = `^([0-9]+(ms|s|m|h|d))+$`
	patternPositive = `^([0-9]+(ms|s|m|h|d))*[0-9]*[1-9][0-9]*(ms|s|m|h|d)([0-9]+(ms|s|m|h|d))*$`
	patternRate     = `^[1-9][0-9]{0,5}/([0-9]*[1-9][0-9]*)?(ms|s|m|h|d)$`
)
