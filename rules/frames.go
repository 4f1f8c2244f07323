package rules

import (
	"slices"
	"strings"

	"escalator/rules/lang"
	"escalator/rules/packs"
	"escalator/rules/text"

	"go.yaml.in/yaml/v4"
)

// roleChange is what a file adds to a role of $ask_human, and what it takes away.
type roleChange struct {
	role         text.RoleID
	add, without []wordEntry
}

// changeRole reads `ask_human.person: {add: […], without: […]}`.
func (b *phraseBook) changeRole(key, value *yaml.Node, name string) {
	names := packs.Shared().RoleNames()
	at := slices.Index(names, name)
	switch {
	case at < 0:
		hint := DidYouMean(name, names)
		if hint == "" {
			hint = lang.Say("known: %s", strings.Join(names, ", "))
		}
		b.fail(key, hint, "$%s has no role `%s`", packs.Framed, shorten(name))
	case value != nil && phraseBookForm(value) != packChange:
		b.fail(key, "write {add: […], without: […]}", "`%s` is a role of $%s, which can only be changed", key.Value, packs.Framed)
	case value != nil:
		b.roles = append(b.roles, roleChange{text.RoleID(at), b.entries(b.get(value, "add")), b.entries(b.get(value, "without"))})
	}
}

// roleWords counts the words and phrases of all roles, and says whether the file changes some.
func (b *phraseBook) roleWords() (n int, changed bool) {
	for _, scope := range b.scopes {
		for _, words := range scope.file.Roles {
			n += len(words.Phrases)
		}
	}
	for _, change := range b.roles {
		n += len(change.add)
	}
	return n, len(b.roles) > 0
}

// frames compiles the roles and frames of $ask_human, with the file's changes. What masks them is the file's: masks of
// packs are for phrases.
func (b *phraseBook) frames(list *wordList) phraseGroup {
	g := packs.Shared()
	group := phraseGroup{weights: map[text.PhraseID]int{}, list: list.name, frames: true}
	for _, m := range list.masks {
		if m.node != nil {
			mask := b.maskSet([]wordEntry{m})
			group.Masks.Merge(&mask)
		}
	}
	grammar := grammarOf(g)
	b.builder.SetGrammar(grammar)
	b.addRoles(grammar.Anchors)
	add := func(f packs.Frame) {
		id := b.builder.AddFrame(frameOf(g, f))
		group.Phrases.Add(id)
		group.weights[id] = 1
	}
	for _, f := range g.Frames {
		add(f)
	}
	for _, scope := range b.scopes {
		for _, f := range scope.file.Frames {
			add(f)
		}
	}
	return group
}

func roleOf(g *packs.Grammar, name string) text.RoleID {
	return text.RoleID(slices.IndexFunc(g.Roles, func(r packs.Role) bool { return r.Name == name }))
}

func kindOfRole(g *packs.Grammar, kind packs.RoleKind) text.RoleID {
	return text.RoleID(slices.IndexFunc(g.Roles, func(r packs.Role) bool { return r.Kind == kind }))
}

// rolesOf makes a set of roles that are written with bars between.
func rolesOf(g *packs.Grammar, names ...string) (s text.RoleSet) {
	for _, n := range names {
		for name := range strings.SplitSeq(n, "|") {
			s |= text.NewRoleSet(roleOf(g, name))
		}
	}
	return s
}

func grammarOf(g *packs.Grammar) (out text.Grammar) {
	for _, f := range packs.All() {
		out.Langs = append(out.Langs, f.Lang)
	}
	for i, r := range g.Roles {
		role := text.NewRoleSet(text.RoleID(i))
		switch r.Kind {
		case packs.Guard:
			out.Guards |= role
		case packs.Before:
			out.Before |= role
		case packs.Homonym:
			out.Homonyms |= role
		case packs.Anew:
			out.Anew |= role
		case packs.Word:
		}
		if r.Anchor {
			out.Anchors |= role
		}
		if len(r.Packs) > 0 {
			out.Aside |= role
		}
	}
	return out
}

func frameOf(g *packs.Grammar, f packs.Frame) text.Frame {
	out := text.Frame{Name: f.Name, Fixed: f.Fixed, Gap: f.Gap, Now: f.Now, Langs: f.In, Beside: rolesOf(g, f.Beside...), Between: rolesOf(g, f.Between...), Unless: rolesOf(g, f.Unless...)}
	for _, part := range f.All {
		out.Parts = append(out.Parts, rolesOf(g, part))
	}
	switch f.Whole {
	case "clause":
		out.Extent = text.WholeClause
	case "end":
		out.Extent = text.ToTheEnd
	case "message":
		out.Extent = text.WholeMessage
	}
	return out
}

// frameWords tells which frame a hit is, with the words that fill it; "" if it is a hit of a phrase.
func (e *evaluation) frameWords(i int) lang.Text {
	f, ok := e.msg.Framed(e.hits[i])
	if !ok {
		return ""
	}
	var parts []string
	for _, p := range f.Parts {
		parts = append(parts, e.spanWords(p))
	}
	words := lang.Say("%s: %s", lang.Key(e.p.matcher.Phrase(e.hits[i].Phrase)), strings.Join(parts, " + "))
	if f.Void {
		words = lang.Say("%s does not count, for the message %s: %s", words, packs.Shared().Roles[f.GuardRole].Says, e.spanWords(f.Guard))
	}
	return words
}

// spanWords is what the message has at some tokens.
func (e *evaluation) spanWords(s text.Span) string {
	start, end := e.msg.OrigSpan(int(s.First), int(s.Last))
	return e.t.Text[min(start, len(e.t.Text)):min(end, len(e.t.Text))]
}

// unknownLanguage says that $ask_human found nothing because no pack knows the message's language.
func (s *phraseTest) unknownLanguage(e *evaluation) lang.Text {
	framed := s.any != nil && slices.ContainsFunc(s.any.groups, func(g phraseGroup) bool { return g.frames })
	if !framed || e == nil || e.kind != onUser || languageAfter(&e.msg, "") != "" {
		return ""
	}
	letters := int32(0)
	for _, n := range e.msg.Scripts() {
		letters += n
	}
	if letters < minLetters {
		return ""
	}
	return "; no pack for this language"
}

// minLetters is how many letters a message has of which it is said that its language is unknown.
const minLetters = 6
