package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"escalator/bot/decisions"
	"escalator/bot/mask"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

// What GET /api/labels answers is what eval scores: a call that was wrong is a false one,
// a near miss that was wrong one that is missing.
func TestEval_scoresTheLabelsOfTheService(t *testing.T) {
	l := decisions.New(decisions.Options{LogText: mask.Masked, Records: memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(10)})})
	for _, c := range []struct {
		text    string
		outcome rules.Outcome
		label   string
	}{
		{"I want to talk to a human", rules.OutcomeTransfer, decisions.Right},
		{"a human please, 13812345678", rules.OutcomeOffer, decisions.Right},
		{"转人工 <b>&</b>", rules.OutcomeTransfer, decisions.Wrong},
		{"let me see somebody about this parcel", rules.OutcomeNone, decisions.Wrong},
		{"where is my parcel", rules.OutcomeSuppressed, decisions.Right},
		{"", rules.OutcomeTransfer, decisions.Right}, // a picture: there are no words
	} {
		id := l.NewID()
		l.Add(&decisions.Record{ID: id, At: time.Now(), Outcome: c.outcome, Near: "ask"}, c.text)
		if _, err := l.SetLabel(t.Context(), id, decisions.Label{Label: c.label, By: "op"}); err != nil {
			t.Fatal(err)
		}
	}
	lines, wordless, err := l.Lessons(t.Context())
	if err != nil || wordless != 1 {
		t.Fatal(wordless, err)
	}
	file := filepath.Join(t.TempDir(), "labels.jsonl")
	if err := os.WriteFile(file, lines, 0o600); err != nil {
		t.Fatal(err)
	}
	r := runIn(t, "", "eval", "--rules", "../../rules.yaml", "--json", file)
	var got struct{ N, TP, FP, FN, TN int }
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || r.stderr != "" {
		t.Fatalf("%v: %+v", err, r)
	}
	if want := (struct{ N, TP, FP, FN, TN int }{5, 2, 1, 1, 1}); got != want {
		t.Errorf("%+v, want %+v of\n%s", got, want, lines)
	}
}
