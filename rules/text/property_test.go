package text

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"escalator/rules/lang"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var (
	someWords  = []string{"agent", "human", "talk", "to", "a", "representative", "refund", "refunding", "person", "persona", "转", "人工", "客服", "不", "l'agent", "don't", "h u m a n", "转-人-工", "123", "คน", "상담원", "a b", "can", "you", "the", "我", "要", "的"}
	separators = []string{" ", " ", " ", "", ", ", ". ", "-", "\n", "，", "。", " ... ", "!"}
)

// someGroups are written in several phrases, and then compiled once.
var someGroups = []string{
	"(agent|human|转 人工)", "((a)? (agent|human)|to)", "((a)? (agent|human|person)|to)?", "(talk (to|(agent|human|转 人工))|不 .. 人工|客)",
	"(转|人工|客服|a|to)", "((转|人工|客服|a|to) (转|人工|客服|a|to)|person*)", "(to, |a|b|不，)", "(representative|agent .. human)", "((a)? (b)? (to)?|不)", "(can|could) (you|the|representative)", "(我|你) (要|想|不)", "((the)? (agent|refund*)|you)",
}

// someNames are classes that phrases name: small ones, one that names another, and one so large that it is never part
// of its phrase.
var someNames = classes{
	"person": {"agent", "human", "(转)? 人工"}, "reach": {"talk to", "转", "a .. $person", "$person 客服"}, "gap": {"不 .. 人工", "to"},
	"large": append(strings.Fields(strings.Repeat("refund ", maxInline+1)), "转 .. $person", "a b"),
}

// classes are names for tests.
type classes map[string][]string

var madeClasses = map[string]*Class{}

func (c classes) Class(name string) *Class {
	if c[name] == nil {
		return nil
	}
	if madeClasses[name] == nil {
		class := &Class{Name: name}
		for _, src := range c[name] {
			class.Phrases = append(class.Phrases, Source{src, &c})
		}
		madeClasses[name] = class
	}
	return madeClasses[name]
}

func (classes) Suggest(string) lang.Text { return "" }

// aWord is a word, at times with typing errors.
func aWord(t *rapid.T) string {
	w := rapid.SampledFrom(someWords).Draw(t, "word")
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 1, 2}).Draw(t, "edits") {
		if len(w) < 3 || w[0] >= utf8.RuneSelf {
			break
		}
		i := rapid.IntRange(0, len(w)-2).Draw(t, "at")
		switch rapid.IntRange(0, 3).Draw(t, "edit") {
		case 0:
			w = w[:i] + w[i+1:]
		case 1:
			w = w[:i] + "x" + w[i:]
		case 2:
			w = w[:i] + "e" + w[i+1:]
		case 3:
			w = w[:i] + w[i+1:i+2] + w[i:i+1] + w[i+2:]
		}
	}
	return w
}

func aMessage(t *rapid.T) string {
	var b strings.Builder
	for range rapid.IntRange(0, 14).Draw(t, "words") {
		b.WriteString(aWord(t))
		b.WriteString(rapid.SampledFrom(separators).Draw(t, "separator"))
	}
	return b.String()
}

// aSequence is a phrase, mostly a valid one.
func aSequence(t *rapid.T, depth int) string {
	var b strings.Builder
	for i := range rapid.IntRange(1, 4).Draw(t, "items") {
		if i > 0 {
			b.WriteString(rapid.SampledFrom([]string{" ", " ", " ", " .. ", "", ", "}).Draw(t, "between"))
		}
		switch k := rapid.IntRange(0, 9).Draw(t, "kind"); {
		case k == 6 && depth > 0:
			b.WriteString(rapid.SampledFrom([]string{"$person", "$reach", "$gap", "$large", "$person?"}).Draw(t, "name"))
		case k < 6 || depth == 0:
			b.WriteString(rapid.SampledFrom(someWords).Draw(t, "word"))
			if k == 5 {
				b.WriteString("*")
			}
		case k == 7:
			b.WriteString(rapid.SampledFrom(someGroups).Draw(t, "group"))
		default:
			b.WriteString("(" + aSequence(t, depth-1))
			for range rapid.IntRange(0, 2).Draw(t, "alternatives") {
				b.WriteString("|" + aSequence(t, depth-1))
			}
			b.WriteString(")")
			if k == 9 {
				b.WriteString("?")
			}
		}
	}
	return b.String()
}

// matters reports whether hits of all phrases may not be left out: one means something by itself, or they fill the
// message.
func (b *Builder) matters(msg *Message, hits []Hit) bool {
	covered := make([]bool, len(msg.tokens))
	for _, h := range hits {
		tells, fills := b.means(h.Phrase, b.phrases[h.Phrase])
		if tells.has(msg.firstPass()) {
			return true
		}
		for i := h.First; fills && i < h.Last; i++ {
			covered[i] = true
		}
	}
	return !slices.Contains(covered, false)
}

func TestFind_equalsTheReference(t *testing.T) {
	hits := 0
	rapid.Check(t, func(t *rapid.T) {
		var b Builder
		var polite, telling PhraseSet
		for range rapid.IntRange(1, 12).Draw(t, "phrases") {
			src := aSequence(t, 2)
			if rapid.IntRange(0, 5).Draw(t, "whole") == 0 {
				src = "=" + src
			}
			id, err := b.Add(src, Options{NoTypos: rapid.IntRange(0, 3).Draw(t, "typos") == 0, Names: &someNames})
			if err == nil && rapid.IntRange(0, 3).Draw(t, "polite") == 0 {
				polite.Add(id)
			}
			if err == nil && rapid.IntRange(0, 3).Draw(t, "telling") > 0 {
				telling.Add(id)
			}
		}
		b.SetMeaning(Meaning{Polite: polite, OfBot: telling})
		m, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		ref := newReference(&b, polite)
		var msg Message
		for range 4 {
			s := aMessage(t)
			msg.Reset(s)
			want, got := ref.find(&msg), m.Find(&msg, nil)
			if len(got) == 0 && !b.matters(&msg, want) {
				continue
			}
			if len(want) == 0 && len(got) == 0 {
				continue
			}
			hits += len(want)
			if diff := cmp.Diff(want, got); diff != "" {
				for id, ph := range b.phrases {
					t.Logf("phrase %d: %s %+v", id, ph.src, ph.options)
				}
				t.Fatalf("message %q %q (-reference +Find):\n%s", s, tokensOf(s), diff)
			}
		}
	})
	if hits == 0 {
		t.Error("the generator makes no hit")
	}
	t.Logf("%d hits compared", hits)
}
