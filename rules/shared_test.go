package rules

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// One policy decides for all conversations of the service, while others are loaded and explained. `make test` runs
// the tests named …AtOnce under the race detector, and the rest of this package without it.
func TestPolicy_decidesForManyConversationsAtOnce(t *testing.T) {
	source := readFile(t, "../rules.yaml")
	p := mustLoad(t, source)
	texts := []string{"我要转人工", "how do I change my address", "転送してください", "this is useless", "quiero hablar con una persona", "谢谢"}
	said := func() (outcomes string) {
		var c Conversation
		for i, text := range texts {
			at := start.Add(time.Duration(i) * time.Minute)
			outcomes += string(p.Decide(&c, Turn{Text: text, At: at}).Outcome) + " "
			_, trace := p.Explain(&c, Turn{Kind: BotTurn, Text: "Sorry, I do not understand.", At: at})
			for _, rule := range trace.Rules {
				outcomes += rule.Result + rule.Why.String() + " "
			}
		}
		return outcomes
	}
	want := said()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 3 {
				if got := said(); got != want {
					t.Errorf("beside others it is decided so:\n%s\nalone so:\n%s", got, want)
				}
			}
		})
	}
	all.Go(func() { mustLoad(t, source) })
	all.Wait()
}

// Files are loaded beside each other: a reload, what somebody checks in the console, what is explained. They share what no
// file changes, and each has the words that it changes itself.
func TestLoad_ofSeveralFilesAtOnce_eachHasItsOwnWords(t *testing.T) {
	var all sync.WaitGroup
	for i, word := range []string{"zorblify", "", "quaffle", ""} {
		lists := ""
		if word != "" {
			lists = "ask_human.want: {add: [" + word + "]}"
		}
		all.Go(func() {
			p, r := Load([]byte(strings.Replace(framesFile, "LISTS", lists, 1)), LoadOptions{})
			if p == nil {
				t.Errorf("file %d: %+v", i, r.Errors)
				return
			}
			for _, asked := range []string{"zorblify", "quaffle"} {
				if d := p.Decide(&Conversation{}, Turn{Text: "I " + asked + " a human", At: start}); (d.Rule == "ask") != (asked == word) {
					t.Errorf("file %d, which adds %q: %q asks %v", i, word, asked, d.Rule == "ask")
				}
			}
		})
	}
	all.Wait()
}
