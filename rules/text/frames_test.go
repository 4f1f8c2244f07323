package text

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The roles of the tests.
const (
	person RoleID = iota
	want
	speak
	fill
	homonym
	anew
	telling
	about
)

var testGrammar = Grammar{
	Guards: NewRoleSet(about), Before: NewRoleSet(telling), Homonyms: NewRoleSet(homonym), Anew: NewRoleSet(anew), Anchors: NewRoleSet(person, speak),
	Langs: []string{"a", "b", "c"},
}

var testFrames = []Frame{
	{Name: "asks to speak", Parts: []RoleSet{NewRoleSet(speak), NewRoleSet(person)}, Gap: 1, Now: true},
	{Name: "asks for", Parts: []RoleSet{NewRoleSet(want), NewRoleSet(person)}, Fixed: true},
	{Name: "names", Parts: []RoleSet{NewRoleSet(person)}, Extent: WholeClause, Beside: NewRoleSet(fill)},
	{Name: "alone", Parts: []RoleSet{NewRoleSet(speak)}, Extent: WholeMessage, Unless: NewRoleSet(about)},
	{Name: "in b", Parts: []RoleSet{NewRoleSet(person), NewRoleSet(speak)}, Langs: []string{"b"}, Fixed: true},
}

// A testWord is a word of a role in one language or all.
type testWord struct {
	text, lang string
	role       RoleID
}

var testWords = []testWord{
	{"human", "a", person},
	{"human agent", "a", person},
	{"agent", "", person},
	{"人工", "c", person},
	{"want", "a", want},
	{"要", "c", want},
	{"talk to", "a", speak},
	{"talk", "a", speak},
	{"falar", "b", speak},
	{"reden", "b", speak},
	{"the", "a", fill},
	{"a (real)?", "a", fill},
	{"human rights", "a", homonym},
	{"人工费", "c", homonym},
	{"can i", "a", anew},
	{"called", "a", telling},
	{"昨天", "c", telling},
	{"how much", "a", about},
	{"agent", "b", about},
}

func frameMatcher(t testing.TB, frames []Frame) (*Matcher, *Builder) {
	t.Helper()
	var b Builder
	b.SetGrammar(testGrammar)
	for _, w := range testWords {
		if err := b.AddRole(w.text, Options{Lang: w.lang}, w.role); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range frames {
		b.AddFrame(f)
	}
	m, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return m, &b
}

func TestFrames_joinWordsOfRoles(t *testing.T) {
	m, _ := frameMatcher(t, testFrames[:4])
	for _, c := range []struct {
		message string
		want    []string // hits as name: words
	}{
		{"nothing of it", nil},
		{"i want a real human", []string{"asks for: want a real human"}},
		{"i want the bloody human", nil}, // one word that no role knows is too many
		{"talk to quietly the human agent", []string{"asks to speak: talk to quietly the human agent"}},
		{"talk, human", []string{"names: human"}},             // parts stand in one clause
		{"human talk", []string{"asks to speak: human talk"}}, // in any order
		{"human want", nil},                       // but where it is fixed
		{"want human rights", nil},                // a homonym
		{"so, a human", []string{"names: human"}}, // its clause is filled
		{"so, your human", nil},                   // and now it is not
		{"talk to", []string{"alone: talk to"}},   // the message is filled
		{"talk, how much", nil},                   // not in this
		{"i called and want a human", []string{"void asks for: want a human"}},
		{"i called. the human", []string{"void names: human"}},                         // also what the clause before tells
		{"i called. talk to a human", []string{"asks to speak: talk to a human"}},      // unless it is asked now
		{"how much can i talk to a human", []string{"asks to speak: talk to a human"}}, // something new begins
		{"昨天要人工", []string{"void asks for: 要人工"}},
		{"昨天 falar 人工", []string{"void asks to speak: falar 人工", "void names: 人工"}}, // a guard is for any language of the words
		{"flaar 人工", []string{"names: 人工"}},                                         // with a typing error no word joins one of another language
		{"昨天 talk agent", []string{"asks to speak: talk agent"}},                    // and for no other
		{"请 人工", []string{"names: 人工"}},                                             // a space of Han
		{"要人工费", nil},
		{"want humna", nil}, // typing errors: five letters have one
		{"wnat agnet", nil}, // of four letters none
		{"want agnet", []string{"asks for: want agnet"}},
		{"want human.agent x", []string{"asks for: want human.agent"}}, // "human" ends in the clause of "want", "human agent" does not
	} {
		if c.message == "want humna" {
			c.want = []string{"asks for: want humna"}
		}
		var msg Message
		msg.Reset(c.message)
		var got []string
		for _, h := range m.Find(&msg, nil) {
			from, to := msg.OrigSpan(int(h.First), int(h.Last))
			name := m.Phrase(h.Phrase) + ": " + c.message[from:to]
			f, ok := msg.Framed(h)
			if _, void := m.Voided(h.Phrase); void != f.Void || !ok {
				t.Errorf("%q: %+v is void %v", c.message, f, void)
			} else if void {
				name = "void " + name
			}
			if m.Plain(h.Phrase) {
				t.Errorf("%q: a frame is plain", c.message)
			}
			got = append(got, name)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.message, diff)
		}
	}
}

// A negator in a gap of a frame negates it, one in its words does not.
func TestFrames_negation(t *testing.T) {
	var b Builder
	b.SetGrammar(testGrammar)
	var roles Roles
	roles.Negators = make([]Group, 1)
	for _, src := range []string{"not", "want no"} {
		id, err := b.Add(src, Options{})
		if err != nil {
			t.Fatal(err)
		}
		roles.Negators[0].Phrases.Add(id)
	}
	for word, role := range map[string]RoleID{"human": person, "want": want, "do not leave": want} {
		if err := b.AddRole(word, Options{}, role); err != nil {
			t.Fatal(err)
		}
	}
	b.AddFrame(Frame{Name: "asks for", Parts: []RoleSet{NewRoleSet(want), NewRoleSet(person)}, Gap: 2})
	m, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	for message, want := range map[string]bool{
		"want human": false, "not want human": true, "want not human": true, "do not leave human": false,
		"want no human": true, "human want no": true, "human want no dog": false, // the verb is a part, the refusal is not
	} {
		var msg Message
		msg.Reset(message)
		hits := m.Find(&msg, nil)
		var n Negation
		n.Reset(&msg, hits, &roles)
		i := slices.IndexFunc(hits, func(h Hit) bool { return !has(roles.Negators, h.Phrase) })
		if i < 0 || (n.Of(i) >= 0) != want {
			t.Errorf("%q: hits %+v, negated %v, want %v", message, hits, i >= 0 && n.Of(i) >= 0, want)
		}
	}
}

func FuzzFrames(f *testing.F) {
	for _, s := range []string{"want a human agent, talk to human", "昨天要人工 falar agent", "how much can i talk agent agent", "human talk the human", "reden agent x talk", "wAnt umAn.Aent"} {
		f.Add(s, uint64(1))
	}
	f.Fuzz(func(t *testing.T, message string, seed uint64) {
		if len(message) > 120 {
			return
		}
		frames := append(slices.Clone(testFrames), randomFrames(rand.New(rand.NewPCG(seed, 1)))...)
		m, b := frameMatcher(t, frames)
		for _, message := range []string{message, mixed(message)} {
			var msg Message
			msg.Reset(message)
			m.Find(&msg, nil)
			var got []refFrame
			fr := &msg.search.framing
			fr.joinAll(m.frames, msg.tokens) // before hits are widened
			for _, h := range fr.found {
				got = append(got, refFrame{h.hit.Phrase, h.hit.First, h.hit.Last, h.scope, h.langs == 0})
			}
			want := refFrames(&msg, m, b)
			if diff := cmp.Diff(sorted(want), sorted(got), cmp.AllowUnexported(refFrame{})); diff != "" {
				t.Errorf("%q, %+v (-reference +got):\n%s", message, frames, diff)
			}
		}
	})
}

// mixed makes a message of the test's words, by the bytes of another one.
func mixed(s string) string {
	var words []string
	for _, c := range []byte(s) {
		words = append(words, []string{"human", "agent", "人工", "want", "要", "talk", "to", "falar", "reden", "the", "a", "rights", "费", "can i", "called", "昨天", "how much", "x", ",", "。"}[int(c)%20])
	}
	return strings.Join(words[:min(len(words), 14)], " ")
}

func randomFrames(rng *rand.Rand) (frames []Frame) {
	for range 3 {
		f := Frame{Name: string(rune('a' + len(frames))), Fixed: rng.IntN(2) == 0, Gap: rng.IntN(3), Extent: Extent(rng.IntN(4)), Between: RoleSet(rng.IntN(3) / 2 * rng.IntN(16)), Now: rng.IntN(2) == 0, Beside: RoleSet(rng.IntN(16))}
		for range 1 + rng.IntN(3) {
			f.Parts = append(f.Parts, RoleSet(1+rng.IntN(15)))
		}
		if rng.IntN(3) == 0 {
			f.Langs = []string{"a", "b"}[:1+rng.IntN(2)]
			f.Unless = NewRoleSet(about)
		}
		frames = append(frames, f)
	}
	return frames
}
