package redis

import (
	"bytes"
	"context"
	"crypto/rand"
	"hash/maphash"
	"sync"
	"time"

	"escalator/bot/clock"
	"escalator/bot/store"
)

const (
	// claimLife is how long a callback may be worked on. A replica that dies
	// meanwhile leaves a claim, which ends by itself: the next copy is a first one.
	claimLife = 5 * time.Second
	// claimLook is how often one that waits for another replica's answer asks.
	claimLook, claimLookLongest = 5 * time.Millisecond, 80 * time.Millisecond
)

// The value of a callback begins with what it is; see claim.lua.
const (
	callbackClaimed  = 'c'
	callbackCounted  = 'n'
	callbackAnswer   = 'a'
	callbackAnswered = 'x'
)

// maxAnswer is the longest answer that is kept for a repeat.
const maxAnswer = 16 << 10

// answered is the value of a callback that was answered.
func answered(answer []byte) []byte {
	if answer == nil || len(answer) > maxAnswer {
		return []byte{callbackAnswered}
	}
	return append([]byte{callbackAnswer}, answer...)
}

// Dedup remembers the callbacks of all replicas.
type Dedup struct {
	*Client
	reported   reported
	sameWithin time.Duration

	mu         sync.Mutex
	claims     map[string]*claim // by the callback's key: those that this replica works on
	prefetched map[string]string // conversation id → value that came along with a claim
}

// claim is a callback that this replica works on.
type claim struct {
	key, token, conversation string
	chat                     string // the key of a chat that is kept as long as the conversation; "": none
	counted                  bool
	kept                     []byte // the answer that is kept already, nil: none
}

// NewDedup returns the shared memory of callbacks.
func NewDedup(c *Client) *Dedup {
	return &Dedup{
		Client: c, sameWithin: sameWithin, reported: reported{seed: maphash.MakeSeed(), until: map[uint64]time.Time{}},
		claims: map[string]*claim{}, prefetched: map[string]string{},
	}
}

// Claim implements store.Dedup in one round trip, in which the conversation
// comes along. An answer that another replica works on is asked for again and
// again.
func (m *Dedup) Claim(ctx context.Context, key, conversation string) (store.Claim, error) {
	c := m.newClaim(key, conversation)
	return m.await(ctx, key, c, func(ctx context.Context) (any, error) {
		call := m.claiming(c)
		return m.run(ctx, opClaim, call.script, call.keys, call.args...)
	})
}

func (m *Dedup) newClaim(key, conversation string) *claim {
	return &claim{key: m.keys.callback(key, conversation), token: rand.Text(), conversation: conversation}
}

// claiming is the call of claim.lua, and releasing of release.lua.
func (m *Dedup) claiming(c *claim) call {
	keys := []string{c.key}
	if c.conversation != "" {
		keys = append(keys, m.keys.conversation(c.conversation))
	}
	return call{claimScript, keys, []any{c.token, claimLife.Milliseconds()}}
}

func releasing(c *claim) call { return call{releaseScript, []string{c.key}, []any{c.token}} }

const opClaim = "claiming a callback"

// await asks for a claim until that is ours or answered.
func (m *Dedup) await(ctx context.Context, key string, c *claim, ask func(context.Context) (any, error)) (store.Claim, error) {
	began := time.Now()
	for wait := claimLook; ; wait = min(2*wait, claimLookLongest) {
		got, err := ask(ctx)
		if err != nil {
			return store.Claim{}, err
		}
		first, value := pair(got)
		if first > 0 {
			c.counted = first == 2
			m.begin(key, c, value)
			return store.Claim{First: true, Counted: c.counted}, nil
		}
		switch (value + " ")[0] {
		case callbackAnswer:
			return store.Claim{Answer: []byte(value[1:])}, nil
		case callbackAnswered:
			return store.Claim{}, nil
		}
		if time.Since(began) >= store.DuplicateWait {
			return store.Claim{}, store.ErrBusy
		}
		if err := clock.Pause(ctx, wait); err != nil {
			return store.Claim{}, err
		}
	}
}

// pair reads the answer of claim.lua.
func pair(answer any) (first int64, value string) {
	list, _ := answer.([]any)
	if len(list) != 2 {
		return 0, ""
	}
	first, _ = list[0].(int64)
	value, _ = list[1].(string)
	return first, value
}

func (m *Dedup) begin(key string, c *claim, conversation string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.claims[key] = c
	if c.conversation != "" {
		m.prefetched[c.conversation] = conversation
	}
}

// prefetch gives out, once, the value of a conversation that came along with a
// claim; known is false where none did.
func (m *Dedup) prefetch(conversation string) (value string, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, known = m.prefetched[conversation]
	delete(m.prefetched, conversation)
	return value, known
}

// claimed returns what this replica has claimed, else nil. It must have been
// claimed for that conversation: else it is in another slot.
func (m *Dedup) claimed(key, conversation string) *claim {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.claims[key]; c != nil && c.conversation == conversation {
		return c
	}
	return nil
}

// args are the keys and arguments by which save.lua keeps what becomes of c.
func (c *claim) args(answer []byte, life time.Duration) []any {
	if answer != nil {
		return []any{answered(answer), life.Milliseconds()}
	}
	return []any{c.token, life.Milliseconds(), claimLife.Milliseconds()}
}

// end takes a claim out, nil where there is none.
func (m *Dedup) end(key string) *claim {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.claims[key]
	if c != nil {
		delete(m.claims, key)
		delete(m.prefetched, c.conversation)
	}
	return c
}

// ReleaseClaim forgets a claim of this replica that goes on without Redis: it runs out, or its answer is kept later.
func (m *Dedup) ReleaseClaim(key string) { m.end(key) }

// Finish implements store.Dedup.
func (m *Dedup) Finish(ctx context.Context, key string, answer []byte) {
	m.mu.Lock()
	c := m.claims[key]
	m.mu.Unlock()
	if c != nil {
		_ = m.Keep(ctx, key, c.conversation, answer)
	}
}

// Keep keeps the answer to a callback, whoever claimed it. One that was kept with its
// conversation costs nothing more.
func (m *Dedup) Keep(ctx context.Context, key, conversation string, answer []byte) error {
	if c := m.end(key); c != nil && c.kept != nil && bytes.Equal(c.kept, answer) {
		return nil
	}
	return m.do(ctx, "keeping an answer", func(ctx context.Context) error {
		return m.rdb.Set(ctx, m.keys.callback(key, conversation), answered(answer), m.dedup).Err()
	})
}

// Release implements store.Dedup.
func (m *Dedup) Release(ctx context.Context, key string) {
	if c := m.end(key); c != nil {
		_, _ = m.run(ctx, "releasing a callback", releaseScript, []string{c.key}, c.token)
	}
}

var _ store.Dedup = (*Dedup)(nil)
