package suggest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"escalator/rules"
	"escalator/rules/replay"
	"escalator/rules/score"
	"escalator/rules/suggest"
)

// TestHalf_theFirstTenSuggestionsRaiseRecallOnTheOtherHalf learns from one half of labelled files and measures on the other, before
// and after. Always on messages that are made here; ESCALATOR_SUGGEST_DATA names a folder of further .jsonl files
// (make suggest-figures), of which the figures are printed. Nothing of those files is kept.
func TestHalf_theFirstTenSuggestionsRaiseRecallOnTheOtherHalf(t *testing.T) {
	before, after := half(t, guildRules, guildLines())
	if after.Recall() < before.Recall()+0.3 || after.Precision() < 0.9 {
		t.Errorf("recall %.4f → %.4f, precision %.4f → %.4f; the words are there to be found", before.Recall(), after.Recall(), before.Precision(), after.Precision())
	}
	folder := os.Getenv("ESCALATOR_SUGGEST_DATA")
	if folder == "" {
		return
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no .jsonl file in %s: %v", folder, err)
	}
	shipped, err := os.ReadFile("../../rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		lines := strictView(t, file)
		for _, r := range []struct{ name, src string }{{"shipped rules", string(shipped)}, {"bare words", fewRules}} {
			t.Run(filepath.Base(file)+"/"+r.name, func(t *testing.T) {
				before, after := half(t, r.src, lines)
				t.Logf("%d lines in the other half: recall %.4f → %.4f (missed %d → %d), precision %.4f → %.4f (false alarms %d → %d)", before.N(),
					before.Recall(), after.Recall(), before.FN, after.FN, before.Precision(), after.Precision(), before.FP, after.FP)
			})
		}
	}
}

// fewRules is a file that somebody has just begun: without packs, and with the bare words only.
const fewRules = `version: 1
lists:
  person: ["=(human|live) agent", =人工客服]
targets: {default: {}}
rules:
  - {id: ask, when: {says: [$person]}, then: {transfer: default}}
`

// guildRules belong to a made-up guild, whose customers ask for a shaman.
const guildRules = `version: 1
targets: {default: {}}
rules:
  - {id: ask, when: {says: [$ask_human]}, then: {transfer: default}}
tests:
  - {name: asks, say: I want a human, expect: ask}
`

// guildLines are messages to the guild.
func guildLines() (lines []*replay.Record) {
	for i, ask := range []string{"let me talk to the shaman", "can I speak with your shaman", "I want the shaman", "the shaman please", "give me the shaman", "connect me to the shaman", "找祭司", "我要找祭司", "叫祭司来", "能不能找祭司"} {
		for j, about := range []string{"", ", this is no use", ", my amulet is late", "!", " now"} {
			lines = append(lines, &replay.Record{Text: ask + about, Label: "human", ID: fmt.Sprint(i, j)})
		}
	}
	for i, ask := range []string{"what does the shaman eat", "when does the shaman sleep", "my amulet is late", "how do I talk to dragons", "connect me to the river", "give me the price", "祭司几岁了", "护身符在哪里", "我要退货", "能不能便宜点"} {
		for j, about := range []string{"", ", tell me", " and why", "?", "..."} {
			lines = append(lines, &replay.Record{Text: ask + about, Label: "other", ID: fmt.Sprint("quiet", i, j)})
		}
	}
	return lines
}

// strictView reads a file as the README of the data has it for `eval`.
func strictView(t *testing.T, file string) (lines []*replay.Record) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 4<<20)
	for in.Scan() {
		var more struct {
			Grade string `json:"grade"`
		}
		if json.Unmarshal(in.Bytes(), &more) != nil || slices.Contains([]string{"contact", "contact_info", "ambiguous", "indirect", "policy"}, more.Grade) {
			continue
		}
		err := replay.ReadLines(strings.NewReader(in.Text()), func(_ int, rec *replay.Record) {
			if rec.Label != "human" && rec.Turns == nil {
				rec.Label = "other"
			}
			lines = append(lines, rec)
		}, func(bad *replay.LineError) { t.Error(bad) })
		if err != nil {
			t.Fatal(err)
		}
	}
	return lines
}

// half learns from the lines whose id, or text, has an even hash, and scores the others before and after.
func half(t *testing.T, src string, lines []*replay.Record) (before, after *score.Score) {
	t.Helper()
	var learnt []suggest.Case
	var left []*replay.Record
	for _, rec := range lines {
		h := fnv.New32a()
		_, _ = h.Write([]byte(rec.ID + rec.Text))
		if c, ok := suggest.Labelled(rec); ok && h.Sum32()%2 == 0 {
			learnt = append(learnt, c)
		} else if ok {
			left = append(left, rec)
		}
	}
	set := rules.Set{Main: "rules.yaml", Files: rules.Files{"rules.yaml": []byte(src)}}
	found, err := suggest.Find(t.Context(), &suggest.Input{Rules: set, Cases: learnt, Positive: "human", At: replay.DefaultTime, Most: 10})
	if err != nil {
		t.Fatal(err)
	}
	for i := range found.Suggestions {
		t.Log(found.Suggestions[i].YAML)
	}
	with, err := suggest.Added(set, found.Suggestions...)
	if err != nil {
		t.Fatal(err)
	}
	return scored(t, set, left), scored(t, with, left)
}

// scored is what `escalator eval` says of the lines.
func scored(t *testing.T, set rules.Set, lines []*replay.Record) *score.Score {
	t.Helper()
	policy, report := set.Load(replay.DefaultTime)
	if policy == nil {
		t.Fatalf("the rules are refused: %v", report.Errors)
	}
	s := &score.Scorer{Policy: policy, Positive: "human", At: replay.DefaultTime}
	for _, rec := range lines {
		s.Add(rec, s.Judge(rec))
	}
	return s.Score()
}
