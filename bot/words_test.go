package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/desk"
	"escalator/bot/messages"
	"escalator/bot/notify"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

const leavingRules = `
version: 1
targets:
  default: {take_message: {say: Leave a word., contact_within: 2h}}
  again: {take_message: {say: Leave a word.}, retry_if_no_agent: {every: 1m, for: 20m}}
events: {Agent.Said: agent_message, Session.Over: closed}
rules:
  - {id: human, when: {says: [human]}, then: {transfer: default}, cooldown: 1s}
  - {id: try, when: {says: [keep trying]}, then: {transfer: again}, cooldown: 1s}
  - {id: leave, when: {says: [nobody]}, then: {take_message: {say: Please write.}}}
  - {id: hello, when: {says: [hello]}, then: {keep: true, say: Hi there}, cooldown: 1s}
`

// leaving runs test with rules that ask for words, and notes what the staff is told.
func leaving(t *testing.T, test func(w *world, told func() []notify.Event)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []notify.Event
		w := newWorld(t, memory.NewOutbox(nil), func(o *Options) {
			o.Tell = func(e notify.Event) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, e)
			}
		})
		w.bot.SetPolicy(mustLoad(t, leavingRules))
		w.bot.Start()
		test(w, func() []notify.Event {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(told)
		})
		if err := w.bot.Stop(t.Context()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
}

// kept is what is kept of the words of session s1.
func (w *world) keptWords() (states []messages.State, words []string) {
	w.t.Helper()
	list, err := w.bot.Messages().List(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range list {
		states, words = append(states, m.State), append(words, m.Words...)
	}
	return states, words
}

func (w *world) wantKept(states []messages.State, words ...string) {
	w.t.Helper()
	gotStates, gotWords := w.keptWords()
	if diff := cmp.Diff(states, gotStates) + cmp.Diff(words, gotWords); diff != "" {
		w.t.Errorf("kept (-want +got):\n%s", diff)
	}
}

// free has a reading show a free agent.
func (w *world) free() {
	one := 1
	w.bot.Messages().Reading(&rules.Reading{At: w.bot.Clock.Now(), Free: &one})
	synctest.Wait()
}

func TestWords_nobodyThere_areKept_andTheCustomerIsContactedOnce(t *testing.T) {
	leaving(t, func(w *world, told func() []notify.Event) {
		w.desk.answer(code(141001))
		w.user("a human please")
		w.wantSaid("Leave a word.")
		if a := w.user("My number is 13800138000"); string(a.JSON) != string(answerSelf) {
			t.Errorf("answered %s", a.JSON)
		}
		w.user("call me after six")
		w.wantKept([]messages.State{messages.Waiting}, "My number is ***", "call me after six")
		said := w.said()
		if len(said) != 2 || said[1] != "Thank you, we have your message. Somebody will contact you as soon as possible. You can add more if you like." {
			t.Errorf("said %q", said)
		}
		if words, err := w.bot.Messages().Of(w.t.Context(), "", "s1"); err != nil || len(words) != 2 || words[0].Text != "My number is 13800138000" {
			t.Errorf("for the agent: %v, %v", words, err)
		}
		w.desk.state = desk.StateNotInSession
		w.free()
		w.free()
		w.wantKept([]messages.State{messages.Contacted}, "My number is ***", "call me after six")
		want := []desk.ContactRequest{{ServiceID: "@service", UserID: "user1"}}
		if diff := cmp.Diff(want, w.desk.contacts); diff != "" {
			t.Errorf("contacts (-want +got):\n%s", diff)
		}
		if told := told(); len(told) != 4 || told[0].Kind != notify.NoAgent || told[1].Words[0] != "My number is 13800138000" || !told[3].Over {
			t.Errorf("told %+v", told)
		}
	})
}

func TestWords_ofARulesOwnAction(t *testing.T) {
	leaving(t, func(w *world, _ func() []notify.Event) {
		if a := w.user("is nobody there"); string(a.JSON) != string(answerSelf) {
			t.Errorf("answered %s", a.JSON)
		}
		w.wantSaid("Please write.")
		w.user("my parcel")
		w.wantKept([]messages.State{messages.Waiting}, "my parcel")
		if s := w.bot.Stats().Rule("leave"); s.Fired != 1 {
			t.Errorf("the rule fired %d times", s.Fired)
		}
		if a := w.user("hello"); string(a.JSON) != string(answerSelf) {
			t.Errorf("answered %s", a.JSON)
		}
		if a := w.user("and now?"); string(a.JSON) != string(answerDesk) {
			t.Errorf("after a rule fired: answered %s", a.JSON)
		}
	})
	leaving(t, func(w *world, _ func() []notify.Event) { // the customer was never asked
		w.desk.sayErr = code(141004)
		w.user("is nobody there")
		if a := w.user("my parcel"); string(a.JSON) != string(answerDesk) {
			t.Errorf("answered %s", a.JSON)
		}
		w.wantKept(nil)
	})
}

func TestWords_endWhenTheCustomerReachesAPerson(t *testing.T) {
	leaveOne := func(w *world) {
		w.desk.answer(code(141001))
		w.user("a human please")
		w.user("my parcel")
		w.wantKept([]messages.State{messages.Waiting}, "my parcel")
	}
	leaving(t, func(w *world, _ func() []notify.Event) {
		leaveOne(w)
		w.handle(w.event("Agent.Said", "how may I help?", ""))
		synctest.Wait()
		w.wantKept([]messages.State{messages.Done}, "my parcel")
	})
	leaving(t, func(w *world, _ func() []notify.Event) {
		leaveOne(w)
		w.desk.answer(nil)
		time.Sleep(time.Minute)
		w.user("a human please")
		w.wantKept([]messages.State{messages.Done}, "my parcel")
		w.free()
		if len(w.desk.contacts) != 0 {
			t.Errorf("contacts %+v", w.desk.contacts)
		}
	})
	leaving(t, func(w *world, _ func() []notify.Event) { // while the transfer is tried again by itself
		w.desk.answer(code(141001))
		w.user("keep trying")
		w.user("my parcel")
		w.free()
		if len(w.desk.contacts) != 0 {
			t.Errorf("contacted although the transfer is being tried: %+v", w.desk.contacts)
		}
		w.desk.answer(nil)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		w.wantKept([]messages.State{messages.Done}, "my parcel")
	})
}

// fullRecords keeps no words.
type fullRecords struct{ store.Conversations }

var errFull = errors.New("no space left on device")

func (f fullRecords) Update(ctx context.Context, id string, change store.Change) error {
	return f.Conversations.Update(ctx, id, func(c *rules.Conversation) (store.Effect, error) {
		effect, err := change(c)
		if err == nil && len(effect.Records) > 0 {
			err = errFull
		}
		return effect, err
	})
}

func TestWords_thatCannotBeStored_areRefused_andCountOnce(t *testing.T) {
	leaving(t, func(w *world, told func() []notify.Event) {
		w.user("is nobody there")
		whole := w.bot.Conversations
		w.bot.Conversations = fullRecords{whole}
		e := w.event(desk.EventUserMessage, "my parcel", "")
		if _, err := w.bot.Handle(w.t.Context(), Request{Event: e}); !errors.Is(err, ErrUnavailable) {
			t.Errorf("words that cannot be stored: %v", err)
		}
		if told := told(); len(told) != 0 || len(w.said()) != 1 {
			t.Errorf("told %v, said %q, though nothing is kept", told, w.said())
		}
		w.bot.Conversations = whole
		w.handle(e)
		if a := w.handle(e); !a.Repeat || string(a.JSON) != string(answerSelf) {
			t.Errorf("a repeat: %+v", a)
		}
		w.wantKept([]messages.State{messages.Waiting}, "my parcel")
	})
}

// hurried changes the words just before they are put, as another process may.
type hurried struct {
	store.Conversations
	before func()
}

func (h hurried) Update(ctx context.Context, id string, change store.Change) error {
	return h.Conversations.Update(ctx, id, func(c *rules.Conversation) (store.Effect, error) {
		effect, err := change(c)
		if err == nil && len(effect.Records) > 0 {
			h.before()
		}
		return effect, err
	})
}

func TestWords_thatSomebodyChangesMeanwhile_areAddedToWhatIsThere(t *testing.T) {
	for _, times := range []int{1, maxConflicts} {
		leaving(t, func(w *world, _ func() []notify.Event) {
			w.user("is nobody there")
			w.user("first")
			left := times
			w.bot.Conversations = hurried{w.bot.Conversations, func() {
				if left--; left < 0 {
					return
				}
				r, err := w.bot.Records.Record(w.t.Context(), store.KindWords, "s1")
				if err == nil {
					err = w.bot.Records.PutRecords(w.t.Context(), r)
				}
				if err != nil {
					t.Error(err)
				}
			}}
			e := w.event(desk.EventUserMessage, "second", "")
			_, err := w.bot.Handle(w.t.Context(), Request{Event: e})
			if times == 1 {
				w.wantKept([]messages.State{messages.Waiting}, "first", "second")
			} else if !errors.Is(err, ErrUnavailable) {
				t.Errorf("always changed: %v", err)
			}
		})
	}
}

func TestWords_decisionLine_saysWhatIsKept(t *testing.T) {
	leaving(t, func(w *world, _ func() []notify.Event) {
		w.user("is nobody there")
		w.user("my parcel")
		var got []string
		for _, line := range w.log.Lines("decision") {
			got = append(got, fmt.Sprintf("%v %v %v %v", line["outcome"], line["rule"], line["target"], line["why"]))
		}
		want := []string{"message leave default says: found nobody", "message leave default take_message: words kept, 1 of at most 10"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
