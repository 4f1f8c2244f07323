// Package packs holds the built-in word packs: how customers ask for a person, refuse a robot, say yes and no, and how
// bots excuse themselves, one YAML file for each language. The files are data for people to read and mend; this
// package only embeds and parses them. Invariant: what is embedded parses, a test says so.
package packs

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
)

//go:embed *.yaml
var files embed.FS

// Names are the packs that exist, in the order of RULES.md 3.
var Names = []string{
	"ask_human", "bot_missed", "bot_offers", "angry", "thanks", "greeting", "yes", "no", "polite", "negators", "asking_idioms",
}

// About says what each pack is for.
var About = map[string]string{
	"ask_human":     "asks for a person, or refuses the robot",
	"bot_missed":    "the excuses of a bot that did not understand",
	"bot_offers":    "the bot itself asks whether to call a person",
	"angry":         "anger, with weights",
	"thanks":        "thanks",
	"greeting":      "greetings",
	"yes":           "consent",
	"no":            "refusal",
	"polite":        "polite words, which =… passes over",
	"negators":      "what refuses: do not, no need",
	"asking_idioms": "what looks like a refusal and asks: why can't I",
}

// File is the pack file of one language. Its tests are in testdata: whole messages that must hit, and that must not. Those
// of negators must refuse the object, or not; those of asking_idioms hold a negator and must ask for the object all the
// same, or not.
type File struct {
	Lang string
	// Words are private word classes: $name inside a phrase of this file stands for one of them.
	Words map[string][]string
	// Object is a plain word of the language, with which the examples of negators and asking_idioms are made.
	Object string
	Packs  map[string]Pack
	// Roles are the words of $ask_human, and Frames what this language joins in its own way.
	Roles  []RoleWords
	Frames []Frame
}

// Pack is one pack in one language.
type Pack struct {
	Phrases []Phrase
	// NotPartOf masks: a hit of the pack that overlaps one of these phrases does not count.
	NotPartOf []string
	NoTypos   bool
}

// Phrase is one phrase with its weight (1 if the file gives none).
type Phrase struct {
	Text   string
	Weight int
	Line   int
	// Behind is set for a negator that refuses only what stands before it.
	Behind bool
}

// All gives the embedded files in the order of their languages' names. They are shared: do not change them.
var All = sync.OnceValue(func() []File {
	all, err := load()
	if err != nil {
		panic("embedded packs: " + err.Error()) // a test of this package parses them all
	}
	return all
})

func load() ([]File, error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("listing packs: %w", err)
	}
	var all []File
	for _, e := range entries {
		if e.Name() == sharedFile {
			continue
		}
		src, err := files.ReadFile(e.Name())
		if err != nil {
			return nil, fmt.Errorf("reading pack %s: %w", e.Name(), err)
		}
		f, err := Parse(strings.TrimSuffix(e.Name(), path.Ext(e.Name())), src)
		if err != nil {
			return nil, fmt.Errorf("pack file %s: %w", e.Name(), err)
		}
		all = append(all, f)
	}
	return all, nil
}

// Parse reads one pack file strictly.
func Parse(lang string, src []byte) (File, error) {
	f := File{Lang: lang, Words: map[string][]string{}, Packs: map[string]Pack{}}
	doc, err := document(src)
	if err != nil {
		return f, err
	}
	err = eachPair(doc, func(key string, value *yaml.Node) error {
		switch key {
		case "words":
			return f.parseWords(value)
		case "object":
			f.Object = value.Value
			return plain(value)
		case "roles", "guards":
			return f.parseRoles(value, key == "guards")
		case "frames":
			frames, err := parseFrames(value, Shared())
			for i := range frames {
				frames[i].In = []string{lang}
			}
			f.Frames = frames
			return err
		}
		if !slices.Contains(Names, key) || key == Framed {
			return problem(value, "unknown pack %q", key)
		}
		p, err := parsePack(value)
		f.Packs[key] = p
		return err
	})
	return f, err
}

// document gives the only document of a file.
func document(src []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, fmt.Errorf("parsing: %w", err)
	}
	if len(doc.Content) != 1 {
		return nil, fmt.Errorf("parsing: the file is empty")
	}
	joinTexts(doc.Content[0])
	return doc.Content[0], nil
}

// joinTexts makes one string of all texts below a node. What is kept of a file would else hold its place between what was
// read and thrown away, and take a third more memory.
func joinTexts(n *yaml.Node) {
	var all []*yaml.Node
	size := 0
	var visit func(*yaml.Node)
	visit = func(n *yaml.Node) {
		all, size = append(all, n), size+len(n.Value)
		for _, kid := range n.Content {
			visit(kid)
		}
	}
	visit(n)
	joined := make([]byte, 0, size)
	for _, n := range all {
		joined = append(joined, n.Value...)
	}
	rest := string(joined)
	for _, n := range all {
		n.Value, rest = rest[:len(n.Value)], rest[len(n.Value):]
	}
}

func (f *File) parseWords(n *yaml.Node) error {
	return eachPair(n, func(key string, value *yaml.Node) error {
		words, err := parseTexts(value)
		if err == nil && len(words) == 0 {
			err = problem(value, "words %q are empty", key)
		}
		f.Words[key] = words
		return err
	})
}

func parsePack(n *yaml.Node) (Pack, error) {
	var p Pack
	if n.Kind == yaml.SequenceNode {
		return p, p.add(n, false)
	}
	err := eachPair(n, func(key string, value *yaml.Node) (err error) {
		switch key {
		case "phrases", "behind":
			err = p.add(value, key == "behind")
		case "not_part_of":
			p.NotPartOf, err = parseTexts(value)
		case "typos":
			p.NoTypos = value.Value == "off"
		default:
			err = problem(value, "unknown key %q", key)
		}
		return err
	})
	if err == nil && len(p.Phrases) == 0 {
		err = problem(n, "a pack without phrases")
	}
	return p, err
}

func (p *Pack) add(n *yaml.Node, behind bool) error {
	phrases, err := parsePhrases(n)
	for _, ph := range phrases {
		ph.Behind = behind
		p.Phrases = append(p.Phrases, ph)
	}
	return err
}

func parsePhrases(n *yaml.Node) ([]Phrase, error) {
	var phrases []Phrase
	if n.Kind == yaml.SequenceNode {
		for _, e := range n.Content {
			if err := plain(e); err != nil {
				return nil, err
			}
			phrases = append(phrases, Phrase{Text: e.Value, Weight: 1, Line: e.Line})
		}
		return phrases, nil
	}
	err := eachPair(n, func(key string, value *yaml.Node) error {
		weight, err := strconv.Atoi(value.Value)
		if err != nil {
			return problem(value, "weight %q is no whole number", value.Value)
		}
		phrases = append(phrases, Phrase{Text: key, Weight: weight, Line: value.Line})
		return nil
	})
	return phrases, err
}

func parseTexts(n *yaml.Node) ([]string, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, problem(n, "a list is due")
	}
	var texts []string
	for _, e := range n.Content {
		if err := plain(e); err != nil {
			return nil, err
		}
		texts = append(texts, e.Value)
	}
	return texts, nil
}

// plain accepts a scalar that says something: its raw text is taken, whatever YAML makes of it.
func plain(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode || n.Anchor != "" || n.Tag == "!!null" || strings.TrimSpace(n.Value) == "" {
		return problem(n, "a text is due")
	}
	return nil
}

// eachPair walks a mapping in order and refuses a key that stands twice.
func eachPair(n *yaml.Node, do func(key string, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return problem(n, "a mapping is due")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if err := plain(key); err != nil {
			return err
		}
		if seen[key.Value] {
			return problem(key, "%q stands twice", key.Value)
		}
		seen[key.Value] = true
		if err := do(key.Value, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func problem(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("line %d: %s", n.Line, fmt.Sprintf(format, args...))
}
