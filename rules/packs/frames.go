package packs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

// Framed is the pack that is made of roles and frames.
const Framed = "ask_human"

// sharedFile holds the roles and the frames of all languages.
const sharedFile = "frames.yaml"

// Grammar is what $ask_human is made of: roles that words have in a sentence, and frames that join them.
type Grammar struct {
	Roles  []Role
	Frames []Frame
}

// Role is one role. The words that have it are in the files of the languages.
type Role struct {
	Name, About string
	// Says is how a guard is named in explanations: "tells".
	Says lang.Text
	Kind RoleKind
	// Anchor is set for roles of which each frame has one: in a message without their words nothing else is looked for.
	Anchor bool
	// Packs are built-in packs whose phrases have the role.
	Packs []string
}

// RoleKind says what a role does.
type RoleKind string

const (
	Word    RoleKind = ""        // a part of frames, or known beside them
	Guard   RoleKind = "guard"   // voids the frames of its clause
	Before  RoleKind = "before"  // voids those of its clause and of the next
	Homonym RoleKind = "homonym" // takes back the words of roles that it overlaps
	Anew    RoleKind = "anew"    // begins something that guards do not reach
)

// Frame joins words of roles.
type Frame struct {
	Name    string
	All     []string // parts: a role, or roles with a bar between
	Beside  []string // roles that may stand beside
	Unless  []string // roles that must not be in the clause
	Gap     int      // words between two parts that no role knows
	Between []string // only these roles may stand between the parts
	Whole   string   // clause, end, message or nothing
	Fixed   bool     // the parts stand in this order
	Now     bool     // it asks at this moment, whatever the clause before tells
	In      []string // languages, nil for all
	Line    int
}

// RoleWords are the words of one role in one language.
type RoleWords struct {
	Role    string
	Phrases []Phrase
}

// Role finds a role by its name, nil if there is none.
func (g *Grammar) Role(name string) *Role {
	if i := slices.IndexFunc(g.Roles, func(r Role) bool { return r.Name == name }); i >= 0 {
		return &g.Roles[i]
	}
	return nil
}

// RoleNames lists the roles.
func (g *Grammar) RoleNames() (names []string) {
	for _, r := range g.Roles {
		names = append(names, r.Name)
	}
	return names
}

// Shared gives the roles and the frames of all languages. They are shared: do not change them.
var Shared = sync.OnceValue(func() *Grammar {
	g, err := loadShared()
	if err != nil {
		panic("embedded frames: " + err.Error()) // a test of this package parses them
	}
	return g
})

func loadShared() (*Grammar, error) {
	src, err := files.ReadFile(sharedFile)
	if err != nil {
		return nil, fmt.Errorf("reading frames: %w", err)
	}
	return ParseGrammar(src)
}

// ParseGrammar reads the roles and frames of all languages strictly.
func ParseGrammar(src []byte) (*Grammar, error) {
	g := &Grammar{}
	doc, err := document(src)
	if err != nil {
		return nil, err
	}
	err = eachPair(doc, func(key string, value *yaml.Node) error {
		switch key {
		case "roles":
			return eachPair(value, g.role)
		case "frames":
			frames, err := parseFrames(value, g)
			g.Frames = frames
			return err
		}
		return problem(value, "unknown key %q", key)
	})
	return g, err
}

func (g *Grammar) role(name string, n *yaml.Node) error {
	r := Role{Name: name}
	err := eachPair(n, func(key string, value *yaml.Node) (err error) {
		switch key {
		case "about":
			r.About = value.Value
		case "says":
			r.Says = lang.Key(value.Value)
		case "kind":
			r.Kind = RoleKind(value.Value)
			if !slices.Contains([]RoleKind{Guard, Before, Homonym, Anew}, r.Kind) {
				err = problem(value, "unknown kind %q", value.Value)
			}
		case "anchor":
			r.Anchor = value.Value == "true"
		case "packs":
			r.Packs, err = parseTexts(value)
		default:
			err = problem(value, "unknown key %q", key)
		}
		return err
	})
	g.Roles = append(g.Roles, r)
	return err
}

// parseFrames reads frames, whose roles must be known.
func parseFrames(n *yaml.Node, g *Grammar) (frames []Frame, err error) {
	if n.Kind != yaml.SequenceNode {
		return nil, problem(n, "a list is due")
	}
	for _, e := range n.Content {
		f := Frame{Line: e.Line}
		if err := eachPair(e, f.set); err != nil {
			return nil, err
		}
		if f.Name == "" || len(f.All) == 0 || len(f.All) > 4 {
			return nil, problem(e, "a frame has a name and 1 to 4 parts")
		}
		for _, roles := range slices.Concat(f.All, f.Beside, f.Between, f.Unless) {
			for role := range strings.SplitSeq(roles, "|") {
				if g.Role(role) == nil {
					return nil, problem(e, "unknown role %q", role)
				}
			}
		}
		if !slices.ContainsFunc(f.All, g.anchors) {
			return nil, problem(e, "a frame needs a part whose roles are anchors")
		}
		frames = append(frames, f)
	}
	return frames, nil
}

// anchors says that a part of a frame is always filled by an anchor.
func (g *Grammar) anchors(part string) bool {
	return !slices.ContainsFunc(strings.Split(part, "|"), func(role string) bool { return !g.Role(role).Anchor })
}

func (f *Frame) set(key string, value *yaml.Node) (err error) {
	switch key {
	case "name":
		f.Name = value.Value
	case "all":
		f.All, err = parseTexts(value)
	case "beside":
		f.Beside, err = parseTexts(value)
	case "between":
		f.Between, err = parseTexts(value)
	case "unless":
		f.Unless, err = parseTexts(value)
	case "in":
		f.In, err = parseTexts(value)
	case "gap":
		f.Gap, err = strconv.Atoi(value.Value)
	case "whole":
		f.Whole = value.Value
		if !slices.Contains([]string{"clause", "end", "message"}, f.Whole) {
			err = problem(value, "whole is clause, end or message, not %q", value.Value)
		}
	case "order":
		f.Fixed = value.Value == "fixed"
	case "now":
		f.Now = value.Value == "true"
	default:
		err = problem(value, "unknown key %q", key)
	}
	return err
}

// parseRoles reads the words of roles of one language.
func (f *File) parseRoles(n *yaml.Node, guards bool) error {
	return eachPair(n, func(key string, value *yaml.Node) error {
		switch r := Shared().Role(key); {
		case r == nil:
			return problem(value, "unknown role %q", key)
		case (r.Kind != Word) != guards:
			return problem(value, "%q is of the other kind: words stand under roles, all else under guards", key)
		}
		phrases, err := parsePhrases(value)
		f.Roles = append(f.Roles, RoleWords{key, phrases})
		return err
	})
}
