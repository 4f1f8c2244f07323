package bot

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/desk"
	"escalator/bot/notify"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

const tellingRules = `
version: 1
notify: {support: {slack: {url_file: url}, words: true}}
targets: {default: {}}
rules:
  - {id: lawyer, when: {says: [my lawyer]}, then: {notify: [support]}}
  - {id: human, when: {says: [human]}, then: {transfer: default, notify: [support]}}
`

// notices makes a record of each event, and remembers them.
type notices struct {
	told   []notify.Event
	stored int
}

func (n *notices) Record(e notify.Event) (store.Record, bool) {
	n.told = append(n.told, e)
	return store.Record{Kind: store.KindNotice, Name: "event/" + e.Rule, Value: []byte("{}")}, true
}

func (n *notices) Stored() { n.stored++ }

// What a rule tells is stored before the callback is answered, with the conversation.
func TestStaff_whatARuleTells_isStoredWithTheConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &notices{}
		w := newWorld(t, memory.NewOutbox(nil), func(o *Options) { o.Notices = n })
		w.bot.SetPolicy(mustLoad(t, tellingRules))
		w.user("you will hear from my lawyer")
		w.user("hello")
		w.user("a human please")
		want := []notify.Event{
			{Kind: notify.ByRule, Teams: []string{"support"}, Rule: "lawyer", Session: "s1", RequestID: "r1", Words: []string{"you will hear from my lawyer"}},
			{Kind: notify.ByRule, Teams: []string{"support"}, Rule: "human", Target: "default", Session: "s1", RequestID: "r3", Words: []string{"a human please"}},
		}
		if diff := cmp.Diff(want, n.told); diff != "" || n.stored != 2 {
			t.Errorf("woken %d times; -want +got:\n%s", n.stored, diff)
		}
		kept, err := w.bot.Records.Records(t.Context(), store.KindNotice)
		if err != nil || len(kept) != 2 {
			t.Errorf("%d records are kept (%v)", len(kept), err)
		}
		if err := w.bot.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// fullJournal is a disk that takes nothing.
type fullJournal struct{}

func (fullJournal) Commit(*store.Transfer, memory.Change) error {
	return errors.New("the disk is full")
}

func (fullJournal) Keep(memory.Change) {}

// Where it cannot be stored the callback is refused, so that it comes again.
func TestStaff_whatCannotBeStored_isNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &notices{}
		full := memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(1), Journal: fullJournal{}})
		w := newWorld(t, memory.NewOutbox(nil), func(o *Options) {
			o.Notices = n
			dedup := memory.NewDedup(memory.DedupOptions{Keep: time.Minute, Max: 1000})
			o.Conversations = memory.NewConversations(memory.ConversationsOptions{
				Outbox: o.Outbox, Dedup: dedup, Records: full, Journal: fullJournal{}, Max: 1000,
				Expires: func(*rules.Conversation) time.Time { return time.Time{} },
			})
			o.Dedup = dedup
		})
		w.bot.SetPolicy(mustLoad(t, tellingRules))
		_, err := w.bot.Handle(t.Context(), Request{Event: w.event(desk.EventUserMessage, "you will hear from my lawyer", "")})
		if !errors.Is(err, ErrUnavailable) || n.stored != 0 {
			t.Errorf("Handle: %v; woken %d times", err, n.stored)
		}
		if err := w.bot.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// An unknown event is told once per name.
func TestStaff_isToldOfEventsThatNobodyKnows_onceEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		w := newWorld(t, memory.NewOutbox(nil), func(o *Options) {
			o.Tell = func(e notify.Event) { told = append(told, string(e.Kind)+" "+e.Detail) }
		})
		for _, name := range []string{"Desk.New", "Desk.New", "Desk.Other"} {
			w.handle(w.event(name, "", ""))
		}
		if diff := cmp.Diff([]string{"unknown_event Desk.New", "unknown_event Desk.Other"}, told); diff != "" {
			t.Error(diff)
		}
		if err := w.bot.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
