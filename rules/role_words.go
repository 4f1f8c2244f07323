package rules

import (
	"strings"
	"sync"

	"escalator/rules/packs"
	"escalator/rules/text"
)

// Half of the words of roles are no anchors and have a matcher of their own. It is made beside the rest of the load; and
// where the file changes no pack it is the same for all files, and made once.

// addRoles adds the words of all roles to the builder.
func (b *phraseBook) addRoles(anchors text.RoleSet) {
	if b.changesPacks() {
		b.eachRoleWord(b.addRole)
		b.builder.SetOthers(ahead(&b.beside, b.builder.BuildOthers))
		return
	}
	b.builder.SetOthers(ahead(&b.beside, packOthers))
	b.eachRoleWord(func(role text.RoleID, e wordEntry) {
		if anchors.Has(role) {
			b.addRole(role, e)
		} else {
			b.useIn(e)
		}
	})
}

// packOthers is the matcher of the words of roles that are no anchors, as the packs have them.
var packOthers = sync.OnceValues(func() (*text.Matcher, error) {
	b := newPhraseBook(&checker{})
	b.tie()
	g := grammarOf(packs.Shared())
	b.builder.SetGrammar(g)
	b.eachRoleWord(func(role text.RoleID, e wordEntry) {
		if !g.Anchors.Has(role) {
			b.addRole(role, e)
		}
	})
	return b.builder.BuildOthers()
})

// changesPacks says whether the file changes some pack or role. A change of one pack is one of all that name it.
func (b *phraseBook) changesPacks() bool {
	for _, l := range b.lists {
		if l.builtin && l.changed {
			return true
		}
	}
	return len(b.roles) > 0
}

// eachRoleWord calls add with every word of a role, of the packs and of the file.
func (b *phraseBook) eachRoleWord(add func(text.RoleID, wordEntry)) {
	g := packs.Shared()
	for _, scope := range b.scopes {
		for _, words := range scope.file.Roles {
			role := roleOf(g, words.Role)
			for _, w := range words.Phrases {
				add(role, wordEntry{text: w.Text, lang: scope.file.Lang, names: scope})
			}
		}
	}
	for i, r := range g.Roles {
		for _, pack := range r.Packs {
			for _, e := range b.lists[pack].entries {
				add(text.RoleID(i), e)
			}
		}
	}
	for _, change := range b.roles {
		for _, e := range change.add {
			add(change.role, e)
		}
		for _, e := range change.without {
			add(kindOfRole(g, packs.Homonym), e)
		}
	}
}

func (b *phraseBook) addRole(role text.RoleID, e wordEntry) {
	if e.node != nil && b.bad[e.node] {
		return
	}
	if err := b.builder.AddRole(strings.TrimPrefix(e.text, "="), e.options(), role); err != nil {
		b.failPhrase(e, err)
	}
	b.useIn(e)
}

// ahead begins work on another processor, and returns what waits for it. Who waits has its panic too.
func ahead[T any](running *sync.WaitGroup, work func() (T, error)) func() (T, error) {
	once := sync.OnceValues(work)
	running.Go(func() {
		defer func() { _ = recover() }()
		_, _ = once()
	})
	return once
}
