package rules

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"escalator/rules/lang"
	"escalator/rules/text"

	"go.yaml.in/yaml/v4"
)

// wholeMessages are the packs whose phrases are not looked for like others: they are the whole answer, or say what to
// make of other phrases. A short one or a longer one beside a shorter one has its use there.
var wholeMessages = []string{"yes", "no", "polite", "negators", "asking_idioms"}

// lintPhrases looks at each phrase that the file itself holds.
func (l *loader) lintPhrases() {
	seen := make(map[*yaml.Node]bool, len(l.book.written))
	spelt := make(map[spelling]*yaml.Node, len(l.book.written))
	broad := l.broad()
	for _, w := range l.book.written {
		n := w.entry.node
		if seen[n] {
			continue
		}
		seen[n] = true
		if l.lintTwice(w, spelt) || slices.Contains(wholeMessages, w.list) {
			continue
		}
		if why := short(w.entry.text); why != "" {
			l.warn(n.Line, n.Column, lang.Say("write =%s if it must be the whole message, more words, or # ok: reason behind it", w.entry.text), "the phrase %s is %s and will be found where nobody means it", w.entry.text, why)
		}
		if broad.Has(w.id) && l.alone(w.id) {
			l.warn(n.Line, n.Column, "say more of what must stand there", "the regular expression %s is found in nearly every message", shorten(w.entry.text))
		}
		if w.weighted || !l.policy.matcher.Plain(w.id) {
			continue
		}
		if w.cover != "" {
			l.warn(n.Line, n.Column, "take it out, or say behind it why it stays: # ok: reason", "the phrase %s is covered by %s: it changes nothing", w.entry.text, w.cover)
		}
	}
	l.lintMasks()
}

// spelling is a phrase of a set in the normal form.
type spelling struct {
	set  *matchSet
	text string
}

// lintTwice warns of a phrase that stands in the same list already, in this or another spelling.
func (l *loader) lintTwice(w writtenPhrase, spelt map[spelling]*yaml.Node) bool {
	key := spelling{w.set, w.entry.text}
	if l.policy.matcher.Plain(w.id) {
		key.text = l.normal(w.entry.text)
	}
	first, at := spelt[key], w.entry.node
	switch {
	case first == nil:
		spelt[key] = at
		return false
	case first.Value == at.Value:
		l.warn(at.Line, at.Column, "take one of them out", "the phrase %s stands here a second time; the first is in %s", shorten(at.Value), l.source.where(first.Line, at.Line))
	default:
		l.warn(at.Line, at.Column, "take one of them out", "the phrase %s is the same as %s in %s: the spellings are read alike", shorten(at.Value), shorten(first.Value), l.source.where(first.Line, at.Line))
	}
	return true
}

// short says why a phrase is too little to stand anywhere in a message, "" if it is not.
func short(s string) lang.Text {
	r, size := utf8.DecodeRuneInString(s)
	if size == len(s) && unicode.Is(unicode.Han, r) {
		return "one character only"
	}
	letters := 0
	for _, r := range s {
		if !unicode.Is(unicode.Latin, r) {
			return ""
		}
		letters++
	}
	if letters < 3 {
		return "very short"
	}
	return ""
}

// refusing finds a word that turns the meaning of what stands beside it, whether or not it refuses it in the sense of
// the pack $negators: whoever writes "no agent" beside "agent" has a reason.
var refusing = regexp.MustCompile(`(?i)[不没別别无無勿]|\b(no|not|never|without|don['’]?t|cannot|can['’]?t|non|nicht|kein|keine|sin|sem|não|sans|pas)\b`)

// inside reads a phrase in the middle of a customer's message, and visits what counts there for sure: without a typing
// error, not negated, and not turned into something else by the other words of the phrase.
func (l *loader) inside(phrase string, visit func(e *evaluation, i int)) {
	e := l.policy.begin(&Conversation{}, &Turn{Kind: UserTurn})
	e.turn.Text = "xx " + phrase + " xx"
	e.msg.ResetCustomer(e.turn.Text)
	e.hits = l.policy.matcher.FindAll(&e.msg, e.hits) // those that are looked for in the bot's words too
	e.negation.Reset(&e.msg, e.hits, &l.policy.roles)
	for i, h := range e.hits {
		if h.Typos != 0 || e.negation.Of(i) >= 0 {
			continue
		}
		from, to := e.msg.OrigSpan(int(h.First), int(h.Last))
		before, behind := e.t.Text[:from], e.t.Text[to:]
		if before == "xx " && behind == " xx" || !refusing.MatchString(before+" "+behind) {
			visit(e, i)
		}
	}
	e.end()
}

// noteCovers finds out, for each phrase of the file, which others hold wherever it does: in one reading, since lists are
// long. What it notes in the phrases of each condition is for lintReach.
func (l *loader) noteCovers() {
	var sets []*matchSet
	for _, r := range l.policy.rules {
		r.when.has(func(k *cond) bool {
			if t := testOf(k.leaf); t != nil && t.any != nil {
				sets = append(sets, t.any)
			}
			return false
		})
	}
	for i := range l.book.written {
		w := &l.book.written[i]
		if !l.policy.matcher.Plain(w.id) {
			continue
		}
		l.inside(w.entry.text, func(e *evaluation, i int) {
			for _, set := range sets {
				for _, g := range set.groups {
					if g.Masks.Empty() && g.Phrases.Has(e.hits[i].Phrase) && !slices.Contains(wholeMessages, g.list) {
						set.covered.Add(w.id)
					}
				}
			}
			if w.cover == "" && !w.weighted {
				w.cover = l.cover(e, i, w)
			}
		})
	}
}

// cover names a hit inside a phrase that makes the phrase idle, because both are of one set; "" if it does not.
func (l *loader) cover(e *evaluation, i int, w *writtenPhrase) (other string) {
	h := e.hits[i]
	if h.Phrase == w.id || !w.set.has(h.Phrase) || l.sameWords(h.Phrase, w.id) {
		return ""
	}
	for _, g := range w.set.groups {
		if _, in := g.weights[h.Phrase]; !in || slices.Contains(wholeMessages, g.list) || !g.Masks.Empty() && g.list != w.list || text.Overlapping(e.hits, i, &g.Masks) >= 0 {
			continue
		}
		if other = l.policy.phrase(h.Phrase); g.list != "" && (g.list != w.list || l.book.lists[g.list].builtin) {
			other = "$" + g.list
		}
	}
	return other
}

// sameWords says that two phrases differ in spelling only.
func (l *loader) sameWords(a, b text.PhraseID) bool {
	return l.policy.matcher.Plain(a) && l.normal(l.policy.matcher.Phrase(a)) == l.normal(l.policy.matcher.Phrase(b))
}

// normal is the normal form of a text.
func (l *loader) normal(s string) string {
	l.msg.Reset(s)
	return l.msg.Normal()
}

// testOf gives the phrases that a condition looks for in the customer's words, nil if it looks for none.
func testOf(k leaf) *phraseTest {
	switch k := k.(type) {
	case *saysLeaf:
		return &k.test
	case *saidLeaf:
		return &k.test
	}
	return nil
}

// excepted are phrases of a condition with the `not_part_of` beside them.
type excepted struct {
	entries []wordEntry
	mask    text.PhraseSet
}

// lintMasks warns of phrases that never count, because what excepts them lies in them.
func (l *loader) lintMasks() {
	for _, w := range l.book.written {
		if !l.policy.matcher.Plain(w.id) {
			continue
		}
		for _, x := range l.excepted {
			if slices.ContainsFunc(x.entries, func(e wordEntry) bool { return e.node == w.entry.node }) {
				l.lintMask(w, x.mask, "not_part_of")
			}
		}
		for _, g := range w.set.groups {
			if g.list == w.list && g.list != "" {
				l.lintMask(w, g.Masks, "without")
			}
		}
	}
}

func (l *loader) lintMask(w writtenPhrase, mask text.PhraseSet, key string) {
	t := phraseTest{mask: mask}
	if !mask.Empty() && t.maskedByItself(l.policy, w.id) {
		l.warn(w.entry.node.Line, w.entry.node.Column, "take it out there or here", "the phrase %s never counts: `%s` excepts it", w.entry.text, key)
	}
}

// sampleMessages are messages of which one is as good as another, by kind: what is found in all of one kind says nothing.
var sampleMessages = [][]string{
	{"你好", "我的订单怎么还没到", "请问可以退款吗", "谢谢", "什么时候发货", "密码忘了怎么办", "好的"},
	{"hello", "where is my order", "how can I get a refund", "thanks a lot", "the app does not open", "what time do you open", "okay then"},
	{"我买了 2 件", "订单 3 天了还没到", "i paid 5 dollars", "gate 7", "房间 8 没有热水"},
}

// broad gives the regular expressions that are found in all sample messages of a kind.
func (l *loader) broad() text.PhraseSet {
	var broad text.PhraseSet
	for _, kind := range sampleMessages {
		found := map[text.PhraseID]int{}
		for _, message := range kind {
			var msg text.Message
			msg.Reset(message)
			once := map[text.PhraseID]bool{}
			for _, h := range l.policy.matcher.FindAll(&msg, nil) {
				if strings.HasPrefix(l.policy.matcher.Phrase(h.Phrase), "/") && !once[h.Phrase] {
					once[h.Phrase] = true
					found[h.Phrase]++
				}
			}
		}
		for id, n := range found {
			if n == len(kind) {
				broad.Add(id)
			}
		}
	}
	return broad
}

// alone says that a phrase suffices for some rule: nothing else must hold, and it is not what must be absent.
func (l *loader) alone(id text.PhraseID) bool {
	return slices.ContainsFunc(l.policy.rules, func(r *rule) bool { return r.when.sufficient(id) })
}

func (k *cond) sufficient(id text.PhraseID) bool {
	k = k.unwrap()
	switch {
	case k.name == "any" || k.name == "all" && len(k.kids) == 1:
		return slices.ContainsFunc(k.kids, func(kid *cond) bool { return kid.sufficient(id) })
	case k.leaf == nil:
		return false
	}
	t := testOf(k.leaf)
	return t != nil && t.any != nil && len(t.all) == 0 && t.any.has(id)
}
