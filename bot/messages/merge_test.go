package messages

import (
	"strings"
	"testing"
	"time"

	"escalator/bot/store"
)

func TestMerge_keepsTheWordsOfBoth_andTheStateThatContactsNobodyTwice(t *testing.T) {
	began := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	message := func(state State, opened int, texts ...string) []byte {
		m := &Message{Conversation: "c", State: state, Opened: began.Add(time.Duration(opened) * time.Hour), Since: began, Changed: began, Until: began}
		for _, text := range texts {
			m.Words = append(m.Words, Words{At: began.Add(time.Duration(text[0]) * time.Second), Text: text})
		}
		r, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		return r.Value
	}
	for name, c := range map[string]struct {
		a, b []byte
		want string
	}{
		"both wait":                              {message(Waiting, 1, "b"), message(Waiting, 1, "a", "c"), "waiting a b c"},
		"the same words":                         {message(Waiting, 1, "a", "b"), message(Waiting, 1, "a"), "waiting a b"},
		"one was contacted":                      {message(Contacted, 1, "a"), message(Waiting, 1, "a", "b"), "contacted a b"},
		"one is being called":                    {message(Calling, 1, "a"), message(Waiting, 1, "b"), "calling a b"},
		"one is being called for an earlier":     {message(Calling, 1, "a"), message(Waiting, 2, "b"), "calling a b"},
		"a later request, the earlier waits":     {message(Waiting, 1, "a"), message(Waiting, 2, "b"), "waiting a b"},
		"a later request, the earlier has ended": {message(Done, 1, "a"), message(Waiting, 2, "b"), "waiting b"},
		"no sense":                               {[]byte("{"), message(Waiting, 1, "a"), ""},
	} {
		for order, got := range map[string][]byte{"": Merge(c.a, c.b), ", the other way round": Merge(c.b, c.a)} {
			text := ""
			if got != nil {
				m, err := decode(store.Record{Value: got})
				if err != nil {
					t.Fatal(err)
				}
				text = strings.Join(append([]string{string(m.State)}, m.texts()...), " ")
			}
			if text != c.want {
				t.Errorf("%s%s: %q, want %q", name, order, text, c.want)
			}
		}
	}
}
