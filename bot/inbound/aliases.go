package inbound

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"escalator/bot/desk"
	"escalator/rules"
)

const (
	// maxAliases bounds what is remembered of who has which conversation.
	maxAliases = 200_000
	// maxEchoes bounds the messages that plain IM reported lately and Desk may report
	// yet, of all conversations and of one speaker in one.
	maxEchoes, maxEchoesOfOne = 16_384, 8
	// sameWithin is how far apart the two callbacks of one message may come.
	sameWithin = time.Minute
	// waitLongest is how long a copy waits for the decision upon another one:
	// Tencent itself waits 2 s for an answer (PROTOCOL.md 4.4).
	waitLongest = 2 * time.Second
)

var errBusy = errors.New("another copy of this message is still being decided")

// aliases maps a conversation of plain IM (customer, service account) to the Desk
// sessions of the same chat. Both kinds of callback report each message; the
// first report counts, the second is its echo. Once Desk has reported a chat, IM's
// callbacks for it are left to Desk. Where IM spoke first, the Desk session counts
// into the conversation that is there.
//
// The newest are kept, in two generations: when one is full it becomes the old
// one. A forgotten one costs a call to Desk, which refuses to transfer a session
// twice (141003).
type aliases struct {
	mu         sync.Mutex
	young, old map[string]*alias
	imSeen     atomic.Bool // some conversation began in plain IM; most installations never see one
	recent     []*echo     // in the order in which they came
}

// alias is one chat, known by its pair and by its Desk sessions.
type alias struct {
	id       string    // the conversation of plain IM; "": Desk reported first, each session is a conversation
	reported bool      // Desk reports it
	kept     bool      // something of it was decided and kept
	born     time.Time // when plain IM began it
	deciding int       // messages of Desk that are being decided
	echoes   []*echo
	changed  chan struct{} // closed when a decision ends; nil: nobody waits
}

// deskOnly stands for all chats of which Desk reported first.
var deskOnly = &alias{reported: true, kept: true}

// sessionKey is where an alias is found by a Desk session.
func sessionKey(session string) string { return "desk:" + session }

// resolveDesk says into which conversation a message of Desk counts, and whether plain
// IM reported it before.
func (a *aliases) resolveDesk(ctx context.Context, m *Message, e *desk.Event, at time.Time) error {
	if a.deskOnly(e) {
		m.Conversation = ownID(e)
		return nil
	}
	pair := pairID(e.UserID, e.ServiceID)
	a.mu.Lock()
	defer a.mu.Unlock()
	for {
		m.Conversation = ownID(e)
		k := a.chatOf(pair, e.SessionID)
		switch {
		case k == deskOnly || k == nil && pair == "":
			return nil
		case k == nil: // until this is decided, plain IM waits
			k = &alias{}
			a.put(pair, k)
		case k.id != "":
			m.Conversation = k.id
		}
		before := k.find(m, e, at)
		if before == nil || !before.deciding {
			m.aliases, m.alias, m.fromDesk, m.session = a, k, true, e.SessionID
			m.begins = m.Turn != nil && m.Turn.Kind == rules.StartTurn
			m.echoOf(before)
			k.deciding++
			return nil
		}
		if err := a.wait(ctx, k); err != nil {
			return err
		}
	}
}

// deskOnly reports, as soon as that is certain, that a chat is one of which Desk reported
// first: nearly all are, and nothing is allocated for them.
func (a *aliases) deskOnly(e *desk.Event) bool {
	if a.imSeen.Load() {
		return false
	}
	var room [128]byte
	pair := appendPair(room[:0], e.UserID, e.ServiceID)
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.young[string(pair)] == deskOnly
}

// chatOf returns the alias of a callback of Desk, nil where none is known.
func (a *aliases) chatOf(pair, session string) *alias {
	k := a.find(pair)
	if (k == nil || k.id == "") && a.imSeen.Load() && session != "" {
		if known := a.find(sessionKey(session)); known != nil { // a look-up before a transfer may have shown it
			return known
		}
	}
	return k
}

// resolveIM says into which conversation a message of plain IM counts: none where Desk
// itself reports it. counts says that it is known to count.
func (a *aliases) resolveIM(ctx context.Context, m *Message, e *desk.Event, at time.Time, counts bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for {
		k := a.find(m.Conversation)
		switch {
		case k == nil, k.id == "" && !k.reported && k.deciding == 0:
			k = a.begin(m.Conversation, at)
		case counts:
		case k.reported:
			m.leaveToDesk()
			return nil
		case k.deciding > 0:
			if err := a.wait(ctx, k); err != nil {
				return err
			}
			continue
		}
		m.aliases, m.alias = a, k
		if m.Turn != nil {
			m.echo = &echo{of: k, kind: m.Turn.Kind, deciding: true, key: hashOf(e.MsgKey), words: wordsOf(m.Turn), at: at}
			a.remember(m.echo)
		}
		return nil
	}
}

// wait waits until a decision about the chat ends. It lets go of the lock
// meanwhile.
func (a *aliases) wait(ctx context.Context, k *alias) error {
	if k.changed == nil {
		k.changed = make(chan struct{})
	}
	changed := k.changed
	a.mu.Unlock()
	defer a.mu.Lock()
	timer := time.NewTimer(waitLongest)
	defer timer.Stop()
	select {
	case <-changed:
		return nil
	case <-timer.C:
		return errBusy
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Commit says that the message was counted, and whether we act on it.
func (m *Message) Commit(acted bool) {
	a, k := m.aliases, m.alias
	if a == nil {
		return
	}
	m.aliases = nil
	a.mu.Lock()
	defer a.mu.Unlock()
	k.kept = true
	switch {
	case m.fromDesk:
		k.deciding--
		if m.begins {
			k.born = time.Time{} // the next session is another one
			if !m.Echo {
				k.echoes = slices.DeleteFunc(k.echoes, func(h *echo) bool { return !h.deciding }) // said in the one before
			}
		}
		a.markReported(k, pairID(m.User, m.Service), m.session)
	case m.echo != nil:
		m.echo.deciding, m.echo.acted = false, acted
	}
	k.signal()
}

// Abort says that the message could not be counted: nobody is its echo, and
// nothing is known of its chat that was not known before.
func (m *Message) Abort() {
	a, k := m.aliases, m.alias
	if a == nil {
		return
	}
	m.aliases = nil
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case m.fromDesk:
		k.deciding--
		if m.echo != nil && !m.begins { // it is still to be reported once more
			k.echoes = append(k.echoes, m.echo)
		}
	case m.echo != nil:
		m.echo.forget()
	}
	if !k.kept && k.deciding == 0 && len(k.echoes) == 0 {
		a.drop(pairID(m.User, m.Service), k)
	}
	k.signal()
}

// reported says whether Desk reports a conversation of plain IM.
func (a *aliases) reported(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.find(id)
	return k != nil && k.reported
}

// deskReports says whether Desk reports a conversation of plain IM, as one of
// its own sessions.
func (a *aliases) deskReports(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.find(id)
	return k != nil && k.reported && k.id == ""
}

// noteReported notes what a callback of Desk reports, whose message was counted before.
func (a *aliases) noteReported(e *desk.Event) {
	if a.deskOnly(e) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	pair := pairID(e.UserID, e.ServiceID)
	k := a.chatOf(pair, e.SessionID)
	if k == nil && pair != "" {
		a.put(pair, deskOnly)
	}
	if k == nil || k == deskOnly {
		return
	}
	if key := hashOf(e.MsgKey); key != 0 {
		for _, h := range k.echoes {
			if h.key == key {
				h.forget()
				break
			}
		}
	}
	a.markReported(k, pair, e.SessionID)
}

// markReported notes that Desk reports a chat, in this session.
func (a *aliases) markReported(k *alias, pair, session string) {
	k.reported, k.kept = true, true
	switch {
	case k.id != "" && session != "":
		a.put(sessionKey(session), k)
	case k.id == "" && pair != "":
		a.put(pair, deskOnly)
	}
}

// signal lets those look again who wait for a decision about the chat.
func (k *alias) signal() {
	if k.changed != nil {
		close(k.changed)
		k.changed = nil
	}
}

// begin notes a conversation of plain IM.
func (a *aliases) begin(id string, at time.Time) *alias {
	k := &alias{id: id, born: at}
	a.imSeen.Store(true)
	a.put(id, k)
	return k
}

// Restore notes a conversation, or the Desk session of a transfer, that is known
// from before a restart or from a look-up.
func (r *Reader) Restore(id, session string) {
	if !strings.HasPrefix(id, pairPrefix) {
		return
	}
	a := &r.aliases
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.find(id)
	if k == nil || k.id == "" && !k.reported {
		k = a.begin(id, time.Time{})
	}
	if k == deskOnly {
		return
	}
	k.kept = true
	if session != "" {
		a.put(sessionKey(session), k)
	}
}

// OfSession returns the conversation that a Desk session belongs to, "" where it
// is one of its own.
func (r *Reader) OfSession(session string) string {
	return r.aliases.of(&desk.Event{SessionID: session})
}

// of returns the conversation of a callback that counts for nothing by itself.
func (a *aliases) of(e *desk.Event) string {
	if !a.imSeen.Load() {
		return ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if k := a.chatOf(pairID(e.UserID, e.ServiceID), e.SessionID); k != nil {
		return k.id
	}
	return ""
}

// find returns an alias and keeps it among the newest.
func (a *aliases) find(key string) *alias {
	if k := a.young[key]; k != nil {
		return k
	}
	k := a.old[key]
	if k != nil {
		a.put(key, k)
	}
	return k
}

func (a *aliases) put(key string, k *alias) {
	if a.young == nil || len(a.young) >= maxAliases/2 {
		a.old, a.young = a.young, map[string]*alias{}
	}
	a.young[key] = k
}

// drop forgets an alias of which nothing was kept.
func (a *aliases) drop(key string, k *alias) {
	for _, m := range [...]map[string]*alias{a.young, a.old} {
		if m[key] == k {
			delete(m, key)
		}
	}
}
