package memory

import (
	"context"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"escalator/bot/store"
	"escalator/rules"
)

// stripes is how many conversations can be changed at the same moment. More
// than connections in flight, so that two seldom wait for one commit.
const stripes = 1024

// lookAgain bounds how long a conversation may sit in its queue unseen, so
// that one which is kept for a day does not hold back those behind it.
const lookAgain = 30 * time.Minute

// Conversations keeps the state of the live conversations of one process.
type Conversations struct {
	table   *table
	outbox  store.Outbox
	keeper  Keeper
	lasting func(*rules.Conversation) bool
	expires func(*rules.Conversation) time.Time
	seed    maphash.Seed
	locks   [stripes]sync.Mutex
	scratch sync.Pool // of *rules.Conversation, to undo a change that failed
}

// Keeper writes the conversations that must survive a restart.
type Keeper interface {
	// Keep has the conversation written, or forgotten when c is nil. It must
	// not block, nor keep c.
	Keep(id string, c *rules.Conversation)
}

// ConversationsOptions says what is kept and for how long.
type ConversationsOptions struct {
	Outbox store.Outbox // where the transfers of Update go
	Keeper Keeper       // nil: nothing survives a restart
	// Lasting says which conversations the keeper gets; needed with a Keeper.
	Lasting func(*rules.Conversation) bool
	Max     int // over this the oldest idle one of the bot phase goes first
	Expires func(*rules.Conversation) time.Time
	Now     func() time.Time // nil: time.Now
	Evicted func()           // called for each that went early; may be nil
}

// conversation is an entry: state guarded by the stripe, and what the table
// may ask without it.
type conversation struct {
	state  rules.Conversation
	until  atomic.Int64
	pinned atomic.Bool
	kept   atomic.Bool // the keeper has it
}

func (c *conversation) expires() int64  { return c.until.Load() }
func (c *conversation) evictable() bool { return !c.pinned.Load() }

// NewConversations returns an empty memory of conversations.
func NewConversations(o ConversationsOptions) *Conversations {
	m := &Conversations{
		outbox:  o.Outbox,
		keeper:  o.Keeper,
		lasting: o.Lasting,
		expires: o.Expires,
		seed:    maphash.MakeSeed(),
		scratch: sync.Pool{New: func() any { return new(rules.Conversation) }},
	}
	m.table = newTable(tableOptions{
		max: o.Max, lookAgain: lookAgain, now: orNow(o.Now), evicted: orNothing(o.Evicted),
		gone: func(id string, e entry) {
			if e.(*conversation).kept.Load() {
				m.keeper.Keep(id, nil)
			}
		},
	})
	return m
}

// Restore takes up conversations that an earlier process left. Those whose time
// is over are forgotten.
func (m *Conversations) Restore(left map[string]*rules.Conversation) {
	now := m.table.now()
	for id, state := range left {
		if m.expires(state).Before(now) {
			m.keeper.Keep(id, nil)
			continue
		}
		c := new(conversation)
		c.state.CopyFrom(state)
		c.kept.Store(true)
		m.keep(id, c)
	}
}

// Update implements store.Conversations.
func (m *Conversations) Update(ctx context.Context, id string, change store.Change) error {
	lock := &m.locks[maphash.String(m.seed, id)%stripes]
	lock.Lock()
	defer lock.Unlock()

	c := m.find(id)
	before := m.scratch.Get().(*rules.Conversation)
	defer m.scratch.Put(before)
	before.CopyFrom(&c.state)

	effect, err := change(&c.state)
	if err == nil && effect.Transfer != nil {
		err = m.outbox.Put(ctx, effect.Transfer)
	}
	if err != nil {
		c.state.CopyFrom(before)
		return err
	}
	m.keep(id, c)
	return nil
}

// Set keeps a state that was decided elsewhere, unless a newer one is here.
func (m *Conversations) Set(id string, state *rules.Conversation) {
	lock := &m.locks[maphash.String(m.seed, id)%stripes]
	lock.Lock()
	defer lock.Unlock()
	c := m.find(id)
	if c.state.Seen().After(state.Seen()) {
		return
	}
	c.state.CopyFrom(state)
	m.keep(id, c)
}

// State returns a copy of a conversation, if it is here.
func (m *Conversations) State(id string) (state *rules.Conversation, ok bool) {
	lock := &m.locks[maphash.String(m.seed, id)%stripes]
	lock.Lock()
	defer lock.Unlock()
	e, ok := m.table.get(id)
	if !ok {
		return nil, false
	}
	state = new(rules.Conversation)
	state.CopyFrom(&e.(*conversation).state)
	return state, true
}

// find returns the entry of id, or a new one that is not in the table yet.
func (m *Conversations) find(id string) *conversation {
	if e, ok := m.table.get(id); ok {
		return e.(*conversation)
	}
	return new(conversation)
}

// keep makes sure that c is in the table: it may be new, or have been swept
// while it was changed.
func (m *Conversations) keep(id string, c *conversation) {
	c.pinned.Store(c.state.Phase() != rules.PhaseBot)
	c.until.Store(m.expires(&c.state).UnixMilli())
	if e, ok := m.table.get(id); !ok || e != entry(c) {
		m.table.add(strings.Clone(id), c) // the caller's may be a piece of something large
	}
	if m.keeper == nil {
		return
	}
	if m.lasting(&c.state) {
		m.keeper.Keep(id, &c.state)
		c.kept.Store(true)
	} else if c.kept.Swap(false) {
		m.keeper.Keep(id, nil)
	}
}

// Live implements store.Conversations.
func (m *Conversations) Live() int { return m.table.live() }

// Sweep forgets some of what has expired; call it often (see Sweep).
func (m *Conversations) Sweep() { m.table.sweep() }

var _ store.Conversations = (*Conversations)(nil)
