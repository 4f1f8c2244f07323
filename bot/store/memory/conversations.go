package memory

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"escalator/bot/store"
	"escalator/rules"
)

// lookAgain bounds how long a conversation may sit in its queue unseen, so
// that one which is kept for a day does not hold back those behind it.
const lookAgain = 30 * time.Minute

// Conversations keeps the state of the live conversations of one process.
type Conversations struct {
	ConversationsOptions
	table   *table
	locks   *store.Stripes
	scratch sync.Pool // of *rules.Conversation: copies to look at, or to undo a change with
}

// ConversationsOptions says what is kept and for how long.
type ConversationsOptions struct {
	Outbox  store.Outbox // where the transfers of Update go; not needed with a Journal
	Journal Journal      // nil: nothing survives a restart
	Dedup   *Dedup       // where the answers of Update go; nil: only Finish keeps them
	Records *Records     // where the records of Update go; not needed where there are none
	Alarms  store.Alarms
	Max     int // over this the oldest idle one of the bot phase goes first
	Expires func(*rules.Conversation) time.Time
	Now     func() time.Time // nil: time.Now
	Evicted func()           // called for each that went early; may be nil
}

// conversation is an entry: state guarded by the stripe, and what the table
// may ask without it.
type conversation struct {
	state rules.Conversation
	until atomic.Int64
	flags atomic.Uint32 // one word for all: there are a million of these
}

// The flags of a conversation.
const (
	pinned   = 1 << iota // it may not go early
	listed               // it is in the table
	replaced             // it had expired, and another one has taken its place
)

func (c *conversation) is(flag uint32) bool { return c.flags.Load()&flag != 0 }

func (c *conversation) set(flag uint32, on bool) {
	if on {
		c.flags.Or(flag)
	} else {
		c.flags.And(^flag)
	}
}

func (c *conversation) expires() int64  { return c.until.Load() }
func (c *conversation) evictable() bool { return !c.is(pinned) }

// NewConversations returns an empty memory of conversations.
func NewConversations(o ConversationsOptions) *Conversations {
	m := &Conversations{
		ConversationsOptions: o, locks: store.NewStripes(),
		scratch: sync.Pool{New: func() any { return new(rules.Conversation) }},
	}
	m.table = newTable(tableOptions{
		max: o.Max, lookAgain: lookAgain, clock: newStopwatch(o.Now), evicted: orNothing(o.Evicted),
		gone: func(id string, e entry) {
			c := e.(*conversation)
			c.set(listed, false)
			if m.Journal != nil && !c.is(replaced) {
				m.Journal.Keep(Change{ID: id})
			}
		},
	})
	return m
}

// Restore takes up conversations that an earlier process left, and plans their
// alarms. Those whose time is over are forgotten. Stamps that the clock has not
// reached yet, because it was set back meanwhile, become now.
func (m *Conversations) Restore(left map[string]*rules.Conversation) {
	now := m.table.clock.now()
	for id, state := range left {
		state.SetBack(now)
		if m.table.clock.at(m.Expires(state)) < m.table.clock.millis() {
			m.Journal.Keep(Change{ID: id})
			continue
		}
		c := new(conversation)
		c.state.CopyFrom(state)
		m.prolong(c)
		m.add(id, c)
		m.Alarms.Plan(id, m.Alarms.Of(state))
	}
}

// copyOf copies a conversation, a new one if it is not known. Give it back to
// scratch.
func (m *Conversations) copyOf(id string) (c *rules.Conversation, known bool) {
	c = m.scratch.Get().(*rules.Conversation)
	defer m.locks.Lock(id).Unlock()
	e, known := m.table.get(id)
	if known {
		c.CopyFrom(&e.(*conversation).state)
	} else {
		c.CopyFrom(new(rules.Conversation))
	}
	return c, known
}

// View implements store.Conversations.
func (m *Conversations) View(_ context.Context, id string, look func(*rules.Conversation)) error {
	c, _ := m.copyOf(id)
	defer m.scratch.Put(c)
	look(c)
	return nil
}

// Update implements store.Conversations.
func (m *Conversations) Update(ctx context.Context, id string, change store.Change) error {
	defer m.locks.Lock(id).Unlock()
	c := m.find(id)
	kept := false
	if c.is(listed) { // else nobody sees it before it is kept
		before := m.scratch.Get().(*rules.Conversation)
		before.CopyFrom(&c.state)
		defer func() { // also when change panics
			if !kept {
				c.state.CopyFrom(before)
			}
			m.scratch.Put(before)
		}()
	}
	effect, err := change(&c.state)
	if err != nil {
		return err
	}
	records, err := m.Records.begin(effect.Records)
	if err != nil {
		return err
	}
	m.prolong(c) // before it is written, or it may be swept, and forgotten by the journal, after
	err = m.write(ctx, Change{ID: id, Conversation: &c.state, Answer: effect.Answer, Records: records}, &effect)
	m.Records.end(records, err == nil)
	if err != nil {
		return err
	}
	kept = true
	m.add(id, c)
	m.Alarms.Plan(id, m.Alarms.Of(&c.state))
	if m.Dedup != nil && effect.DedupKey != "" {
		m.Dedup.counted(effect.DedupKey, effect.Answer)
	}
	return nil
}

// write has the journal keep what a change led to: all that rules count must survive
// a restart, and the key of the callback with it. With a transfer, or a record that must
// not be late, that is done in one transaction, and at once.
func (m *Conversations) write(ctx context.Context, w Change, effect *store.Effect) error {
	if m.Journal == nil {
		if effect.Transfer == nil {
			return nil
		}
		return m.Outbox.Put(ctx, effect.Transfer)
	}
	if effect.DedupKey != "" {
		w.Key = m.Dedup.keyOf(effect.DedupKey)
	}
	if effect.Transfer == nil && allLate(w.Records) {
		m.Journal.Keep(w)
		return nil
	}
	return m.Journal.Commit(effect.Transfer, w)
}

// Set keeps a state that was decided elsewhere, unless a newer one is here.
func (m *Conversations) Set(id string, state *rules.Conversation) {
	defer m.locks.Lock(id).Unlock()
	c := m.find(id)
	if c.state.Seen().After(state.Seen()) {
		return
	}
	c.state.CopyFrom(state)
	m.prolong(c)
	_ = m.write(context.Background(), Change{ID: id, Conversation: state}, new(store.Effect)) // without a transfer it cannot fail
	m.add(id, c)
	m.Alarms.Plan(id, m.Alarms.Of(state))
}

// Copy returns a copy of a conversation, if it is here.
func (m *Conversations) Copy(id string) (state *rules.Conversation, ok bool) {
	c, ok := m.copyOf(id)
	defer m.scratch.Put(c)
	if !ok {
		return nil, false
	}
	state = new(rules.Conversation)
	state.CopyFrom(c)
	return state, true
}

// find returns the entry of id, or a new one that is not in the table yet.
func (m *Conversations) find(id string) *conversation {
	e, live := m.table.get(id)
	if live {
		return e.(*conversation)
	}
	if e != nil {
		e.(*conversation).set(replaced, true)
	}
	return new(conversation)
}

// prolong sets for how long c is kept, and whether it may go before.
func (m *Conversations) prolong(c *conversation) {
	c.set(pinned, c.state.Phase() != rules.PhaseBot)
	c.until.Store(m.table.clock.at(m.Expires(&c.state)))
}

// add makes sure that c is in the table: it may be new, or have been swept
// while it was changed.
func (m *Conversations) add(id string, c *conversation) {
	if !c.is(listed) {
		c.set(listed, true)
		m.table.add(id, c)
	}
}

// Live returns how many conversations are kept.
func (m *Conversations) Live() int { return m.table.live() }

// Sweep forgets some of what has expired; call it often (see Sweep).
func (m *Conversations) Sweep() { m.table.sweep() }

var _ store.Conversations = (*Conversations)(nil)
