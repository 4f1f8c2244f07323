package rules_test

import (
	"strings"
	"testing"

	"escalator/rules"
)

const ofParts = `version: 1
limits: {global: 50/s}
lists: {refund: [money back]}
targets:
  default: {}
  sales: {group: 7, say_if_queued: One moment.}
rules:
  - {id: ask, when: {says: [human]}, then: {transfer: sales, say: Coming.}}
  - {id: refund.say, when: {says: [$refund]}, then: {offer: Shall I?, transfer: default}}
`

func partsOf(t *testing.T, src string) map[rules.Part]string {
	t.Helper()
	p, report := rules.Load([]byte(src), rules.LoadOptions{})
	if p == nil {
		t.Fatal(report.Errors)
	}
	return p.Parts()
}

func TestParts_changeWithWhatTheFileSaysThere_notWithItsLayout(t *testing.T) {
	before := partsOf(t, ofParts)
	for _, c := range []struct {
		old, new string
		changed  []rules.Part
	}{
		{"# nothing", "", nil},
		{"limits: {global: 50/s}", "limits:\n  global: 50/s # as ever", nil},
		{"global: 50/s", "global: 9/s", []rules.Part{{Section: "limits"}}},
		{"money back", "my money", []rules.Part{{Section: "lists", Name: "refund"}}},
		{"group: 7", "group: 8", []rules.Part{{Section: "targets", Name: "sales"}}},
		{"One moment.", "Soon.", []rules.Part{{Section: "targets", Name: "sales"}, {Section: "targets", Name: "sales", Text: "say_if_queued"}}},
		{"[human]", "[person]", []rules.Part{{Section: "rules", Name: "ask"}}},
		{"Coming.", "Wait.", []rules.Part{{Section: "rules", Name: "ask"}, {Section: "rules", Name: "ask", Text: "say"}}},
		{"Shall I?", "Do you?", []rules.Part{{Section: "rules", Name: "refund.say"}, {Section: "rules", Name: "refund.say", Text: "offer"}}},
	} {
		after := partsOf(t, strings.Replace(ofParts, c.old, c.new, 1))
		changed := map[rules.Part]bool{}
		for part, digest := range after {
			if before[part] != digest {
				changed[part] = true
			}
		}
		if len(changed) != len(c.changed) || len(after) != len(before) {
			t.Errorf("%s → %s: %v changed, want %v", c.old, c.new, changed, c.changed)
		}
		for _, part := range c.changed {
			if !changed[part] {
				t.Errorf("%s → %s: %v is the same", c.old, c.new, part)
			}
		}
	}
}

func TestVersion_isOfNamesAndContents(t *testing.T) {
	one := rules.Files{"a": []byte("xy"), "b": []byte("z")}
	for _, other := range []rules.Files{
		{"a": []byte("x"), "b": []byte("yz")},
		{"a": []byte("xy"), "c": []byte("z")},
		{"a": []byte("xy")},
		{"a": []byte("xy1:b 1:z")},
	} {
		if one.Version() == other.Version() {
			t.Errorf("%q has the version of %q", other, one)
		}
	}
	if same := (rules.Files{"b": []byte("z"), "a": []byte("xy")}); same.Version() != one.Version() || len(one.Version()) != 12 {
		t.Errorf("versions %s and %s of the same files", same.Version(), one.Version())
	}
	p, _ := rules.Load([]byte(ofParts), rules.LoadOptions{Name: "other.yaml"})
	if want := (rules.Files{"other.yaml": []byte(ofParts)}).Version(); p.Version() != want {
		t.Errorf("a policy has version %s, its files %s", p.Version(), want)
	}
}
