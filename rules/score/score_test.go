package score_test

import (
	"encoding/json"
	"maps"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"escalator/rules"
	"escalator/rules/replay"
	"escalator/rules/score"
)

const testRules = `version: 1
lists: {magic: [abracadabra], missed: [sorry]}
signals: {bot_missed: {says: [$missed]}}
targets: {default: {}}
rules:
  - {id: magic, when: {says: [$magic]}, then: {transfer: default}}
  - {id: asks, when: {says: [perhaps]}, then: {offer: "A person?", transfer: default}}
  - {id: stuck, when: {bot_missed: {times: 2, within: 15m}}, then: {transfer: default}}
  - {id: stays, when: {says: [weather]}, then: {keep: true}}
  - {id: watcher, mode: shadow, when: {says: [treasure]}, then: {transfer: default}}
`

func scorer(t *testing.T) *score.Scorer {
	t.Helper()
	p, report := rules.Load([]byte(testRules), rules.LoadOptions{})
	if p == nil {
		t.Fatal(report.Errors)
	}
	return &score.Scorer{Policy: p, Positive: "human", At: replay.DefaultTime}
}

func says(text, label, lang string) *replay.Record {
	return &replay.Record{Text: text, Label: label, Lang: lang}
}

func dialogue(id string, transferred bool, turns ...string) *replay.Record {
	rec := &replay.Record{ID: id, Transferred: &transferred, Turns: []replay.Said{}}
	for i, text := range turns {
		rec.Turns = append(rec.Turns, replay.Said{Role: []string{"user", "bot"}[i%2], Text: text})
	}
	return rec
}

func add(s *score.Scorer, records ...*replay.Record) {
	for _, rec := range records {
		s.Add(rec, s.Judge(rec))
	}
}

func TestScore_aTransferOrAnOffer_callsAPerson_andNothingElseDoes(t *testing.T) {
	s := scorer(t)
	for text, want := range map[string]string{
		"abracadabra": "magic", "perhaps": "asks", "weather": "", "treasure": "", "hello": "",
	} {
		v := s.Judge(says(text, "human", ""))
		if v.Got != (want != "") || v.Got && v.Rule != want || !v.Want {
			t.Errorf("%s: %+v", text, v)
		}
	}
}

func TestScore_eachUtterance_isAConversationOfItsOwn(t *testing.T) {
	s := scorer(t)
	add(s, says("abracadabra", "human", "en"), says("abracadabra", "human", "en"))
	if got := s.Score().TP; got != 2 {
		t.Errorf("the first transfer suppressed the second: tp %d", got)
	}
}

func TestScore_countsByLanguageAndRule(t *testing.T) {
	s := scorer(t)
	add(s,
		says("abracadabra", "human", "en"), says("abracadabra", "other", "en"), says("hello", "human", "zh"), says("hello", "other", "zh"),
		says("perhaps", "human", ""),
		dialogue("d1", true, "a", "sorry", "b", "sorry"), dialogue("d2", false, "abracadabra"), dialogue("d3", true, "hello", "hi"))
	got := s.Score()
	if diff := cmp.Diff(score.Counts{TP: 3, FP: 2, FN: 2, TN: 1}, got.Counts); diff != "" {
		t.Error(diff)
	}
	byLang := map[string]*score.Counts{"en": {TP: 1, FP: 1}, "zh": {FN: 1, TN: 1}, "": {TP: 2, FP: 1, FN: 1}}
	if diff := cmp.Diff(byLang, got.ByLang); diff != "" {
		t.Error(diff)
	}
	byRule := map[string]*score.RuleCounts{"magic": {TP: 1, FP: 2}, "asks": {TP: 1}, "stuck": {TP: 1}}
	if diff := cmp.Diff(byRule, got.ByRule); diff != "" {
		t.Error(diff)
	}
	wrong := []score.Wrong{
		{Text: "abracadabra", Lang: "en", Label: "other", Rule: "magic"},
		{Text: "hello", Lang: "zh", Label: "human"},
		{Text: "dialogue d2", Label: "not transferred", Rule: "magic"},
		{Text: "dialogue d3", Label: "transferred"},
	}
	if diff := cmp.Diff(wrong, got.Wrong); diff != "" {
		t.Error(diff)
	}
}

func TestScore_anOfferThatIsNotAccepted_isNoCallOfADialogue(t *testing.T) {
	s := scorer(t)
	for answer, want := range map[string]bool{"yes": true, "no thanks": false, "": false} {
		if v := s.Judge(dialogue("d", false, "perhaps", "hm", answer)); v.Got != want {
			t.Errorf("answer %q: %+v", answer, v)
		}
	}
}

func TestScore_shadowRules_areCountedBeside(t *testing.T) {
	s := scorer(t)
	add(s, says("treasure", "human", ""), says("treasure", "other", ""), dialogue("d", true, "treasure"))
	got := s.Score()
	if diff := cmp.Diff(map[string]*score.RuleCounts{"watcher": {TP: 2, FP: 1}}, got.Shadow); diff != "" {
		t.Error(diff)
	}
	if got.TP != 0 || got.FP != 0 {
		t.Errorf("a shadow rule counts as called: %+v", got.Counts)
	}
}

func TestCounts_ratios(t *testing.T) {
	for _, c := range []struct {
		counts                score.Counts
		precision, recall, f1 float64
	}{
		{score.Counts{}, 1, 1, 1},
		{score.Counts{TN: 5}, 1, 1, 1},
		{score.Counts{FP: 1, FN: 1}, 0, 0, 0},
		{score.Counts{TP: 2, FP: 1, FN: 2, TN: 4}, 0.6667, 0.5, 0.5714},
	} {
		for what, pair := range map[string][2]float64{
			"precision": {c.counts.Precision(), c.precision}, "recall": {c.counts.Recall(), c.recall}, "f1": {c.counts.F1(), c.f1},
		} {
			if math.Abs(pair[0]-pair[1]) > 1e-9 {
				t.Errorf("%s of %+v = %v, want %v", what, c.counts, pair[0], pair[1])
			}
		}
	}
}

// TestScore_asJSON_hasTheNamesThatScriptsRead is CONTRACT.md 6.
func TestScore_asJSON_hasTheNamesThatScriptsRead(t *testing.T) {
	s := scorer(t)
	empty, err := json.Marshal(s.Score())
	if err != nil || string(empty) != `{"n":0,"tp":0,"fp":0,"fn":0,"tn":0,"precision":null,"recall":null,"f1":null,"by_lang":{},"by_rule":{}}` {
		t.Errorf("%s %v", empty, err)
	}
	add(s, says("abracadabra", "human", "en"))
	full, err := json.Marshal(s.Score())
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(full, &got); err != nil {
		t.Fatal(err)
	}
	counts := map[string]any{"n": 1.0, "tp": 1.0, "fp": 0.0, "fn": 0.0, "tn": 0.0, "precision": 1.0, "recall": 1.0, "f1": 1.0}
	want := map[string]any{"by_lang": map[string]any{"en": counts}, "by_rule": map[string]any{"magic": map[string]any{"tp": 1.0, "fp": 0.0}}}
	maps.Copy(want, counts)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLabelled_saysWhichRecordsCanBeScored(t *testing.T) {
	can := []*replay.Record{says("a", "x", ""), dialogue("d", false)}
	cannot := []*replay.Record{says("a", "", ""), {Turns: []replay.Said{{Role: "user"}}, Label: "human"}, {Body: []byte("{}"), Label: "human"}}
	for _, rec := range can {
		if !score.Labelled(rec) {
			t.Errorf("cannot be scored: %+v", rec)
		}
	}
	for _, rec := range cannot {
		if score.Labelled(rec) {
			t.Errorf("can be scored: %+v", rec)
		}
	}
}

func TestScore_aShare_takesEverybody_unlessSomebodyIsNamed(t *testing.T) {
	p, report := rules.Load([]byte("version: 1\ntargets: {default: {}}\nrules: [{id: vip, share: 55%, when: {says: [gold]}, then: {transfer: default}}]\n"), rules.LoadOptions{})
	if p == nil {
		t.Fatal(report.Errors)
	}
	for user, want := range map[string]bool{"": true, "u1": false, "u2": true} {
		s := &score.Scorer{Policy: p, Positive: "human", At: replay.DefaultTime, User: user}
		if got := s.Judge(says("gold", "human", "")).Got; got != want {
			t.Errorf("a message of %q: %v", user, got)
		}
		if got := s.Judge(dialogue("d", true, "gold")).Got; got != want {
			t.Errorf("a dialogue of %q: %v", user, got)
		}
	}
}
