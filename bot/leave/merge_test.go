package leave

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"escalator/bot/store"
)

// kept is what a store has of the words of s1: when the customer was asked, in
// minutes, the state, and the words, each said a minute after the one before.
func keptBy(t *testing.T, opened int, state State, words ...string) []byte {
	t.Helper()
	at := time.Date(2026, 1, 5, 10, opened, 0, 0, time.UTC)
	m := Message{Conversation: "s1", User: "u", Service: "@s", Opened: at, Since: at, Until: at.Add(time.Hour), State: state, Changed: at}
	for i, w := range words {
		m.Words = append(m.Words, Words{at.Add(time.Duration(i+1) * time.Minute), w})
	}
	value, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestMerge_joinsTheWords_andWhatWasDoneCounts(t *testing.T) {
	for name, c := range map[string]struct {
		ours, theirs []byte
		want         string
	}{
		"one request, both wait":          {keptBy(t, 0, Waiting, "a", "b"), keptBy(t, 0, Waiting, "a", "c"), "waiting a b c"},
		"one request, contacted there":    {keptBy(t, 0, Waiting, "a", "b"), keptBy(t, 0, Contacted, "a"), "contacted a b"},
		"one request, contacted here":     {keptBy(t, 0, Contacted, "a"), keptBy(t, 0, Waiting, "a"), "contacted a"},
		"one request, being called":       {keptBy(t, 0, Waiting, "a"), keptBy(t, 0, Calling, "a"), "calling a"},
		"a later request while one waits": {keptBy(t, 9, Waiting, "b"), keptBy(t, 0, Waiting, "a"), "waiting a b"},
		"a later request, being called":   {keptBy(t, 0, Calling, "a"), keptBy(t, 9, Waiting, "b"), "calling a b"},
		"a later request, after that":     {keptBy(t, 0, Contacted, "a"), keptBy(t, 9, Waiting, "b"), "waiting b"},
		"ours cannot be read":             {[]byte("{"), keptBy(t, 0, Waiting, "a"), "waiting a"},
		"theirs cannot be read":           {keptBy(t, 0, Waiting, "a"), []byte("x"), "waiting a"},
	} {
		for _, value := range [][]byte{Merge(c.ours, c.theirs), Merge(c.theirs, c.ours)} {
			m, err := decode(store.Record{Value: value})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := fmt.Sprint(m.State, " ", strings.Join(m.texts(), " ")); got != c.want {
				t.Errorf("%s: %s, want %s", name, got, c.want)
			}
		}
	}
	if Merge([]byte("{"), []byte("{")) != nil {
		t.Error("something is made of nothing")
	}
}
