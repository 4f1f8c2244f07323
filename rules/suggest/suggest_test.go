package suggest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"escalator/rules"
	"escalator/rules/replay"
	"escalator/rules/suggest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// set is a rule file by itself.
func set(src string) rules.Set {
	return rules.Set{Main: "rules.yaml", Files: rules.Files{"rules.yaml": []byte(src)}}
}

// labelled makes cases of messages.
func labelled(label string, texts ...string) (cases []suggest.Case) {
	for i, said := range texts {
		c, _ := suggest.Labelled(&replay.Record{Text: said, Label: label})
		c.Source = fmt.Sprintf("%s.jsonl:%d", label, i+1)
		cases = append(cases, c)
	}
	return cases
}

func find(t testing.TB, src string, cases []suggest.Case) *suggest.Result {
	t.Helper()
	found, err := suggest.Find(t.Context(), &suggest.Input{Rules: set(src), Cases: cases, Positive: "human", At: replay.DefaultTime, Most: 10})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// words lists what is proposed, each with its list.
func words(found *suggest.Result) (all []string) {
	for _, s := range found.Suggestions {
		all = append(all, s.List+": "+s.Phrase+strings.Join(s.Words, "|"))
	}
	return all
}

func TestFind_inSeveralLanguages(t *testing.T) {
	for _, tt := range []struct {
		lang          string
		missed, quiet []string
		want          string
	}{
		{"en", []string{"let me talk to the warden", "I want a warden please", "get me a warden"}, []string{"the warden was nice", "what does a warden do?", "good day"}, "ask_human.person: warden"},
		{"zh", []string{"我要找灯塔长", "帮我找灯塔长", "请转灯塔长"}, []string{"灯塔长几岁了", "退货怎么办", "灯在哪里"}, "ask_human.person: 灯塔长"},
		{"es", []string{"quiero hablar con el farero", "páseme con el farero", "necesito un farero"}, []string{"dónde está el faro", "buenos días", "qué hace el farero?"}, "ask_human.person: farero"},
		{"ru", []string{"хочу поговорить со смотрителем", "соедините меня со смотрителем", "позовите смотрителем"}, []string{"где маяк", "добрый день", "когда закат"}, "ask_human.person: смотрителем"},
		{"ja", []string{"灯台守と話したい", "灯台守に代わって", "灯台守をお願いします"}, []string{"灯台はどこ", "返品したい", "営業時間は？"}, "ask_human.person: 灯台守"},
	} {
		t.Run(tt.lang, func(t *testing.T) {
			found := find(t, guildRules, append(labelled("human", tt.missed...), labelled("other", tt.quiet...)...))
			got := words(found)
			if len(got) == 0 || got[0] != tt.want {
				t.Fatalf("got %q, want %q first", got, tt.want)
			}
			s := found.Suggestions[0]
			if s.Lang != tt.lang || s.FalseAlarms != 0 || len(s.Examples) == 0 || s.Kind != "word" || s.Role != "$person" {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func TestFind_forAListOfTheFile_proposesPhrases_judgedAtOnce(t *testing.T) {
	found := find(t, fewRules, append(
		labelled("human", "hand me over now", "please hand me over", "hand me over, this is no use"),
		labelled("other", "hand in my homework", "is it over", "the seller gave me over 3")...))
	if got := words(found); !slices.Equal(got, []string{"person: hand me over"}) {
		t.Fatalf("got %q", got)
	}
	want := suggest.Suggestion{
		Phrase: "hand me over", Kind: "phrase", List: "person", Lang: "en", Catches: 3, Examples: []string{"hand me over now", "please hand me over", "hand me over, this is no use"},
		Source: "human.jsonl:1", YAML: `person: ["hand me over"]  # catches 3, false alarms 0; human.jsonl:1`,
	}
	want.Score = found.Suggestions[0].Score
	if d := cmp.Diff(want, found.Suggestions[0], cmpopts.IgnoreUnexported(suggest.Suggestion{})); d != "" {
		t.Error(d)
	}
}

func TestFind_neverProposes(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		cases     []suggest.Case
	}{
		{"what is found already", guildRules, append(labelled("human", "I want a human", "get me a human"), labelled("other", "hello")...)},
		{"digits", fewRules, labelled("human", "4711 4712", "4711 4712", "order 4711 4712 is late", "what of 4711 4712")[:2]},
		{"what only one has said", fewRules, append(labelled("human", "fetch the innkeeper", "17 Hill Lane"), labelled("other", "hello")...)},
		{"what calls more without need", fewRules, append(labelled("human", "my order is late", "my order is gone"), labelled("other", "my order is here", "my order is big", "where my order is", "my order is fine")...)},
		{"what a test of the file forbids", fewRules + "tests: [{name: quiet, say: please hand me over, expect: none}]\n", labelled("human", "hand me over", "hand me over")},
		{"small words", fewRules, labelled("human", "to the", "to the", "to the")},
		{"names", guildRules, append(labelled("human", "is Egbert there", "tell Egbert", "what of Egbert"), labelled("other", "hello", "how much")...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := words(find(t, tt.src, tt.cases)); len(got) > 0 && tt.name != "names" || slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, ": egbert") }) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// talk makes the events of a conversation of a customer: what they say, what the bot says (behind a >), and what happens (!human,
// !closed).
func talk(user string, lines ...string) (events []replay.Event) {
	at := replay.DefaultTime
	for _, line := range lines {
		at = at.Add(10 * time.Second)
		e := replay.Event{Session: user, User: user, At: at, Turn: &rules.Turn{Kind: rules.UserTurn, Text: line}}
		switch said, bot := strings.CutPrefix(line, ">"); {
		case bot:
			e.Turn = &rules.Turn{Kind: rules.BotTurn, Text: said}
		case line == "!human":
			e.Turn, e.Observe = nil, rules.EventWithHuman
		case line == "!closed":
			e.Turn, e.Observe = nil, rules.EventClosed
		}
		events = append(events, e)
	}
	return events
}

func TestHappened_learnsFromWhatCameBeforeAPerson(t *testing.T) {
	policy, _ := set(guildRules + "").Load(time.Time{})
	var cases []suggest.Case
	for _, events := range [][]replay.Event{
		talk("ann", "where is the warden", ">I do not know", "fetch the warden", "!human"),                  // taken to a person by others
		talk("ben", "fetch the warden", ">Pardon?", "I want a human", "!human", "thanks", "!closed"),        // asked again
		talk("cay", "hello", ">hello", "what of the warden", ">he sleeps", "!closed", "where is my parcel"), // wanted nobody, twice
		talk("dan", "I want a human", "!human"),                                                             // heard at once
	} {
		cases = append(cases, suggest.Happened(policy, events)...)
	}
	found := find(t, guildRules, cases)
	if got := words(found); !slices.Contains(got, "ask_human.person: warden") && !slices.Contains(got, "ask_human: fetch the warden") {
		t.Errorf("got %q", got)
	}
	if found.From.Conversations != 5 || found.From.Missed != 2 || found.From.Calls != 1 {
		t.Errorf("got %+v", found.From)
	}
}

func TestHappened_whatOneCustomerSaysInManyConversationsIsTheirOwn(t *testing.T) {
	policy, _ := set(guildRules).Load(time.Time{})
	var cases []suggest.Case
	for range 5 {
		cases = append(cases, suggest.Happened(policy, talk("ann", "fetch the warden", "!human"))...)
	}
	if got := words(find(t, guildRules, cases)); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}

func TestFind_figuresAreThoseOfEvalOnceItIsAdded(t *testing.T) {
	lines := rapid.SliceOfNDistinct(rapid.SampledFrom(guildLines()), 30, 60, func(r *replay.Record) string { return r.ID + r.Text })
	tried := 0
	for seed := range 8 { // each of them loads the rules many times
		some := lines.Example(seed)
		var cases []suggest.Case
		for _, rec := range some {
			c, _ := suggest.Labelled(rec)
			cases = append(cases, c)
		}
		in := &suggest.Input{Rules: set(fewRules), Cases: cases, Positive: "human", At: replay.DefaultTime, Most: 4}
		found, err := suggest.Find(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		before := scored(t, in.Rules, some)
		for _, s := range found.Suggestions {
			tried++
			with, err := suggest.Added(in.Rules, s)
			if err != nil {
				t.Fatal(err)
			}
			after := scored(t, with, some)
			if got, want := [2]int{s.Catches, s.FalseAlarms}, [2]int{before.FN - after.FN, after.FP - before.FP}; got != want {
				t.Errorf("%s: catches and false alarms %v, eval says %v", s.YAML, got, want)
			}
		}
	}
	if tried < 8 {
		t.Errorf("only %d suggestions were looked at", tried)
	}
}

func TestFind_endsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cases := append(labelled("human", "hand me over", "hand me over", "fetch somebody else", "fetch somebody else"), labelled("other", "hello")...)
	found, err := suggest.Find(ctx, &suggest.Input{
		Rules: set(fewRules), Cases: cases, Positive: "human", At: replay.DefaultTime, Most: 10, Progress: func(int, int) { cancel() },
	})
	if err != nil || found.Whole || found.From.Conversations != 5 || len(found.Suggestions) > 1 {
		t.Errorf("got %+v, %v", found, err)
	}
}

func TestFind_withoutAListToAddTo_saysSo(t *testing.T) {
	src := "version: 1\ntargets: {default: {}}\nrules: [{id: r, when: {bot_missed: {times: 3, within: 5m}}, then: {transfer: default}}]\n"
	if _, err := suggest.Find(t.Context(), &suggest.Input{Rules: set(src), Most: 1}); err == nil || !strings.Contains(err.Error(), "nothing to add words to") {
		t.Errorf("got %v", err)
	}
}

func TestAdded_findsThePlace(t *testing.T) {
	const rest = "\ntargets: {default: {}}\nrules: [{id: r, when: {says: [$ask_human]}, then: {transfer: default}}]\n"
	for _, tt := range []struct{ name, lists, list string }{
		{"no lists", "", "ask_human"},
		{"other lists", "lists: {refund: [refund]}", "ask_human"},
		{"the change of a pack", "lists:\n  ask_human: {add: [other]}", "ask_human"},
		{"a pack of which is taken", "lists:\n  ask_human: {without: [other]}", "ask_human"},
		{"a role", "lists: {ask_human.person: {add: [owner]}}", "ask_human.person"},
		{"a sequence", "lists: {own: [refund]}", "own"},
		{"weights", "lists: {own: {refund: 2}}", "own"},
		{"options", "lists: {own: {typos: off, phrases: [refund]}}", "own"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := "version: 1\n" + tt.lists + rest
			with, err := suggest.Added(set(src), suggest.Suggestion{List: tt.list, Phrase: "hand me over"}, suggest.Suggestion{List: tt.list, Phrase: "no"})
			if err != nil {
				t.Fatal(err)
			}
			if p, report := with.Load(time.Time{}); p == nil {
				t.Fatalf("%v\n%s", report.Errors, with.Files["rules.yaml"])
			}
			if !strings.Contains(string(with.Files["rules.yaml"]), "hand me over") {
				t.Errorf("got\n%s", with.Files["rules.yaml"])
			}
		})
	}
	if _, err := suggest.Added(set("version: 1\nlists: {own: {file: own.csv}}"+rest), suggest.Suggestion{List: "own", Phrase: "x y"}); err == nil {
		t.Error("a list whose file is not there has no place")
	}
}

// Whatever the list is written like, it is found, and what --yaml prints is written as its other entries are.
func TestFind_listsOfEveryForm(t *testing.T) {
	cases := append(labelled("human", "bring me to Marla at once", "please bring me to Marla", "bring me to Marla now"), labelled("other", "where is my parcel", "the parcel is late")...)
	rest := "\ntargets: {default: {}}\nrules: [{id: r, when: {says: [$own]}, then: {transfer: default}}]\n"
	for _, tt := range []struct{ name, lists, file, want string }{
		{"a sequence", "{own: [live crew]}", "", "lists:\n  own:\n    - \"bring me to marla\"  # catches 3, false alarms 0; human.jsonl:1"},
		{"weights", "{own: {live crew: 2}}", "", "lists:\n  own:\n    \"bring me to marla\": 1  # catches 3, false alarms 0; human.jsonl:1"},
		{"options and weights", "{own: {typos: off, phrases: {live crew: 2}}}", "", "lists:\n  own:\n    \"bring me to marla\": 1  # catches 3, false alarms 0; human.jsonl:1"},
		{"a file", "{own: {file: own.txt}}", "live crew", "lists:\n  own:\n    - \"bring me to marla\"  # catches 3, false alarms 0; human.jsonl:1; a line of own.txt"},
		{"a CSV file with weights", "{own: {file: own.csv}}", "live crew,2\n", "lists:\n  own:\n    - \"bring me to marla\"  # catches 3, false alarms 0; human.jsonl:1; a line of own.csv"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := set("version: 1\nlists: " + tt.lists + rest)
			for _, name := range []string{"own.txt", "own.csv"} {
				if strings.Contains(tt.lists, name) {
					in.Files[name] = []byte(tt.file)
				}
			}
			found, err := suggest.Find(t.Context(), &suggest.Input{Rules: in, Cases: cases, Positive: "human", At: replay.DefaultTime, Most: 1})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want+"\n", suggest.YAML(found.Suggestions)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFind_rulesThatDoNotAct_haveNoPlaceForWords(t *testing.T) {
	for _, mode := range []string{"shadow", "off"} {
		in := set("version: 1\nmode: " + mode + "\ntargets: {default: {}}\nrules: [{id: r, when: {says: [$ask_human]}, then: {transfer: default}}]\n")
		if _, err := suggest.Find(t.Context(), &suggest.Input{Rules: in, Most: 1}); !errors.Is(err, suggest.ErrNoList) {
			t.Errorf("%s: %v", mode, err)
		}
	}
}

// FuzzFind reads whatever a file holds. What is proposed can be written into the rules.
func FuzzFind(f *testing.F) {
	f.Add(`{"text":"hand me over","label":"human"}` + "\n" + `{"text":"hand me over","label":"human"}`)
	f.Add(`{"turns":[{"role":"user","text":"a\"b: [c"},{"role":"agent","text":"x"}]}` + "\n" + `{"turns":[{"role":"user","text":"a\"b: [c"},{"role":"agent","text":"x"}]}`)
	f.Add(`{"text":"<b>&#0;…</b> 转\u200b人 工 =( $x","label":"human"}`)
	policy, _ := set(fewRules).Load(time.Time{})
	f.Fuzz(func(t *testing.T, file string) {
		var cases []suggest.Case
		err := replay.ReadLines(strings.NewReader(file), func(_ int, rec *replay.Record) {
			if c, ok := suggest.Labelled(rec); ok {
				cases = append(cases, c)
			} else if rec.Turns != nil {
				cases = append(cases, suggest.Happened(policy, rec.Events(fmt.Sprint(len(cases)), replay.DefaultTime))...)
			}
		}, func(*replay.LineError) {})
		if err != nil {
			t.Fatal(err)
		}
		found := find(t, fewRules, cases)
		with, err := suggest.Added(set(fewRules), found.Suggestions...)
		if err != nil {
			t.Fatal(err)
		}
		if p, report := with.Load(time.Time{}); p == nil {
			t.Errorf("%v", report.Errors)
		}
	})
}
