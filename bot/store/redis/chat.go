package redis

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"escalator/bot/store"
)

const (
	// chatLife is how long a chat is kept without a callback. Where plain IM spoke first,
	// its conversation tells that for longer, and keeps it where Desk reports it too. Where Desk did and both report it, it is kept
	// for bothLife, which is how long a silent conversation is remembered by default: plain
	// IM's next message would begin another one.
	chatLife, bothLife = 10 * time.Minute, 2 * time.Hour
	// sameWithin is how far apart the two copies of one message may come.
	sameWithin = time.Minute
	// reportedFor is how long a replica relies on it that Desk spoke first: far less than
	// that is kept. maxReported bounds how many such chats it knows.
	reportedFor, maxReported = time.Minute, 200_000
)

// begun is the key of the message of which the begin of a session is a copy.
const begun = "begun"

// reported are the sessions of chats of which Desk spoke first, until when that is
// relied upon: their callbacks cost nothing more than where plain IM tells nothing. With
// no session, those of which was noted that plain IM tells too.
type reported struct {
	mu    sync.Mutex
	seed  maphash.Seed
	until map[uint64]time.Time
}

func (r *reported) hash(chat *store.Chat) uint64 {
	return maphash.Comparable(r.seed, [2]string{chat.Pair, chat.Session})
}

func (r *reported) has(chat *store.Chat, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.Before(r.until[r.hash(chat)])
}

func (r *reported) add(chat *store.Chat, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.until) >= maxReported {
		clear(r.until) // each costs a script more, once
	}
	r.until[r.hash(chat)] = now.Add(reportedFor)
}

// forget is for a Redis that may have been emptied.
func (r *reported) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.until)
}

// ClaimIn implements store.Chats. The chat is asked in the round trip of the claim,
// behind it: who finds there a message to wait for finds its claim as well. Only a
// callback that belongs elsewhere, or is a copy under another key, takes one more.
func (m *Dedup) ClaimIn(ctx context.Context, key, conversation string, chat *store.Chat) (store.Claim, error) {
	switch {
	case chat.Session == "":
		conversation = chat.Pair
	case m.reported.has(chat, m.now()):
		got, err := m.Claim(ctx, key, chat.Session)
		got.Place = &store.Place{Conversation: chat.Session}
		return got, err
	}
	c := m.newClaim(key, conversation)
	var met meeting
	got, err := m.await(ctx, key, c, func(ctx context.Context) (answer any, err error) {
		answer, met, err = m.claimIn(ctx, key, c, chat)
		return answer, err
	})
	if err != nil {
		m.reported.forget()
		return store.Claim{}, err
	}
	got.Place = met.place
	if !got.First || met.copied == "" {
		return got, nil
	}
	if err = m.copyOf(ctx, met); err != nil {
		m.Release(ctx, key)
	}
	return got, err
}

// claimIn asks once for a claim, and again where the callback belongs elsewhere.
func (m *Dedup) claimIn(ctx context.Context, key string, c *claim, chat *store.Chat) (answer any, met meeting, err error) {
	answers, err := m.runAll(ctx, opClaim, m.claiming(c), m.meet(key, c, chat))
	if err != nil {
		return nil, met, err
	}
	met = m.met(answers[1], chat)
	if met.place.Conversation == c.conversation {
		c.keeps(m, chat)
		return answers[0], met, nil
	}
	calls := []call{releasing(c)}
	*c = *m.newClaim(key, met.place.Conversation)
	calls = append(calls, m.claiming(c))
	if c.conversation == chat.Pair { // only there it can be a copy
		c.keeps(m, chat)
		calls = append(calls, m.meet(key, c, chat))
	}
	if answers, err = m.runAll(ctx, opClaim, calls...); err != nil {
		return nil, met, err
	}
	if len(answers) == 3 {
		met.copied = m.met(answers[2], chat).copied
	}
	return answers[1], met, nil
}

// keeps has the chat kept as long as its conversation, where that is plain IM's and both
// tell: until then plain IM's messages are left to Desk.
func (c *claim) keeps(m *Dedup, chat *store.Chat) {
	if chat.Session != "" && c.conversation == chat.Pair {
		c.chat = m.keys.chat(chat.Pair)
	}
}

// copyOf waits for the answer to the message that another one is a copy of. One that
// was given up leaves the copy to count.
func (m *Dedup) copyOf(ctx context.Context, met meeting) error {
	if met.copied == begun {
		met.place.Echo = true
		return nil
	}
	before, err := m.Claim(ctx, met.copied, met.place.Conversation)
	if err != nil {
		return err
	}
	if before.First {
		m.Release(ctx, met.copied)
	}
	met.place.Echo, met.place.Answer = !before.First || before.Counted, before.Answer
	return nil
}

// Meet notes a callback whose message was answered before, and says where it belongs;
// nil of one that is left to Desk, as was noted a moment ago.
func (m *Dedup) Meet(ctx context.Context, key string, chat *store.Chat) (*store.Place, error) {
	switch {
	case !m.reported.has(chat, m.now()):
	case chat.Session == "":
		return nil, nil
	default:
		return &store.Place{Conversation: chat.Session}, nil
	}
	answers, err := m.runAll(ctx, "noting a callback", m.meet(key, &claim{}, chat))
	if err != nil {
		return nil, err
	}
	return m.met(answers[0], chat).place, nil
}

// meeting is what chat.lua says of a callback.
type meeting struct {
	place  *store.Place
	copied string // the key of the message that it is a copy of; "": none
}

// meet is the call of chat.lua for a callback that is claimed, or was.
func (m *Dedup) meet(key string, c *claim, chat *store.Chat) call {
	keys := []string{m.keys.chat(chat.Pair), m.keys.conversation(chat.Pair)}
	if c.conversation == chat.Pair {
		keys = append(keys, c.key)
	}
	does := ""
	switch {
	case chat.Begins:
		does = "begins"
	case chat.Asks:
		does = "asks"
	}
	reported := ""
	if chat.Reported {
		reported = "1"
	}
	return call{chatScript, keys, []any{
		key, c.token, chat.Session, chat.Words, does, m.sameWithin.Milliseconds(), chatLife.Milliseconds(), bothLife.Milliseconds(), reported,
	}}
}

// met reads the answer of chat.lua.
func (m *Dedup) met(answer any, chat *store.Chat) meeting {
	met := meeting{place: &store.Place{Conversation: chat.Pair}}
	list, _ := answer.([]any)
	if len(list) != 3 {
		return met
	}
	if session, _ := list[0].(string); session != "" {
		met.place.Conversation = session
		if (chat.Session == session || chat.Session == "") && !chat.Asks {
			m.reported.add(chat, m.now())
		}
	}
	left, _ := list[1].(int64)
	met.place.Left = left == 1
	met.copied, _ = list[2].(string)
	return met
}

var _ store.Chats = (*Dedup)(nil)
