package packs

import (
	"slices"
	"strings"
	"testing"
)

func TestAll_parses(t *testing.T) {
	files, err := load()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 18 {
		t.Errorf("%d languages, want 18", len(files))
	}
	begun := []string{"it", "nl", "hi"} // of requests and of what bots say they know nothing yet
	for _, f := range files {
		for _, name := range Names {
			due := !slices.Contains(begun, f.Lang) || slices.Contains([]string{"greeting", "thanks", "yes", "no", "polite", "negators", "asking_idioms"}, name)
			if name == "ask_human" && len(f.Roles) > 0 {
				continue
			}
			if due && len(f.Packs[name].Phrases) == 0 {
				t.Errorf("%s has no pack %s", f.Lang, name)
			}
		}
	}
}

func TestParse_mistakes_areRefused(t *testing.T) {
	for src, want := range map[string]string{
		"":                                    "empty",
		"- a":                                 "mapping is due",
		"askhuman: [a]":                       "unknown pack",
		"ask_human: [a]":                      "unknown pack", // it is made of roles
		"yes: {phrases: [a], matches: []}":    "unknown key",
		"yes: {not_part_of: [a]}":             "without phrases",
		"yes: [a, ~]":                         "text is due",
		"yes: [a, &x b]":                      "text is due",
		"yes: {phrases: {a: x}}":              "no whole number",
		"yes: [a]\nyes: [b]":                  "stands twice",
		"words: {a: []}":                      "are empty",
		"yes: {phrases: a}":                   "mapping is due",
		"yes: {phrases: [a], not_part_of: b}": "list is due",
		"a: [":                                "parsing",
	} {
		if _, err := Parse("xx", []byte(src)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", src, err, want)
		}
	}
}

func TestParse_rawText_isTaken(t *testing.T) {
	f, err := Parse("xx", []byte("words: {w: [no]}\nno: {phrases: [no, 12], typos: off}\nangry: {phrases: {bad: 2, 糟: 3}}"))
	if err != nil {
		t.Fatal(err)
	}
	if p := f.Packs["no"]; len(p.Phrases) != 2 || p.Phrases[0].Text != "no" || p.Phrases[1].Text != "12" || !p.NoTypos {
		t.Errorf("no: %+v", p)
	}
	if p := f.Packs["angry"]; p.Phrases[1].Weight != 3 || p.Phrases[1].Text != "糟" {
		t.Errorf("angry: %+v", p)
	}
}

func TestAbout_saysWhatEachPackIsFor(t *testing.T) {
	for _, name := range Names {
		if About[name] == "" {
			t.Errorf("nothing says what $%s is for", name)
		}
	}
	if len(About) != len(Names) {
		t.Errorf("%d packs are described, and there are %d", len(About), len(Names))
	}
}
