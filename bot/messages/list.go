package messages

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/mask"
	"escalator/bot/store"
	"escalator/rules/lang"
)

// ErrNone is returned where no words of the session are kept.
var ErrNone = lang.Errorf("no words of this session are kept")

// Shown is what an operator sees of a message (GET /api/messages), the words as the
// log may show them.
type Shown struct {
	Session string    `json:"session"`
	User    string    `json:"user,omitempty"`
	Rule    string    `json:"rule"`
	Target  string    `json:"target"`
	State   State     `json:"state"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
	Changed time.Time `json:"changed"`
	Tried   int       `json:"tried"`
	Agent   string    `json:"agent,omitempty"`
	Code    int       `json:"code,omitempty"`
	Error   string    `json:"error,omitempty"`
	Words   []string  `json:"words"`
}

// List returns all words that are kept, those first that came first.
func (k *Keeper) List(ctx context.Context) ([]Shown, error) {
	all := []Shown{}
	err := k.each(ctx, func(m *Message) error {
		s := Shown{
			Session: m.shown(), User: mask.Clip(m.User), Rule: m.Rule, Target: m.Target, State: m.State, Since: m.Since, Until: m.Until,
			Changed: m.Changed, Tried: m.Tried, Agent: mask.Clip(m.Agent), Code: m.Code, Error: m.Error, Words: []string{},
		}
		for _, text := range m.texts() {
			if text = k.LogText.Text(text); text != "" {
				s.Words = append(s.Words, text)
			}
		}
		all = append(all, s)
		return nil
	})
	slices.SortStableFunc(all, func(a, b Shown) int { return a.Since.Compare(b.Since) })
	return all, err
}

// Of returns the words that a customer left, in one of these conversations or in any
// other as that user ("": nobody knows who it is), unmasked: they are for the agent.
// Who is contacted because of them comes in another session than the one they were
// left in.
func (k *Keeper) Of(ctx context.Context, user string, conversations ...string) (words []Words, err error) {
	records, err := k.Records.Records(ctx, store.KindWords)
	if err != nil {
		return nil, fmt.Errorf("reading the words left: %w", err)
	}
	quoted, _ := json.Marshal(user) // text can always be written
	for _, r := range records {
		here := slices.ContainsFunc(conversations, func(c string) bool { return r.Name == Name(c) })
		if !here && (user == "" || !bytes.Contains(r.Value, quoted)) {
			continue // of thousands nearly all: they are not decoded
		}
		m, err := decode(r)
		if err != nil {
			k.unreadable(err)
		} else if here || m.User == user {
			words = append(words, m.Words...)
		}
	}
	slices.SortStableFunc(words, func(a, b Words) int { return a.At.Compare(b.At) })
	return words, nil
}

// Delete forgets the words of a session or conversation; ErrNone: there are none.
// Nobody contacts the customer then.
func (k *Keeper) Delete(ctx context.Context, session string) error {
	m, err := k.find(ctx, session)
	switch {
	case err != nil:
		return err
	case m == nil:
		return ErrNone
	}
	return k.remove(ctx, m)
}

// Forget forgets all words of a user, and returns of how many conversations.
func (k *Keeper) Forget(ctx context.Context, user string) (n int, err error) {
	err = k.each(ctx, func(m *Message) error {
		if m.User != user {
			return nil
		}
		n++
		return k.remove(ctx, m)
	})
	return n, err
}

// find returns the message of a session or conversation, nil if there is none.
func (k *Keeper) find(ctx context.Context, session string) (*Message, error) {
	r, err := k.Records.Record(ctx, store.KindWords, Name(session))
	if err == nil && r.Value != nil {
		return decode(r)
	}
	var found *Message
	if err == nil { // plain IM's conversation has another name than its session
		err = k.each(ctx, func(m *Message) error {
			if m.Session == session || m.shown() == session {
				found = m
			}
			return nil
		})
	}
	return found, err
}

// remove forgets one message, whatever becomes of it meanwhile.
func (k *Keeper) remove(ctx context.Context, m *Message) error {
	removed, err := store.RemoveRecord(ctx, k.Records, store.KindWords, m.record.Name)
	if err != nil {
		return fmt.Errorf("removing the words: %w", err)
	}
	if removed {
		k.log(m, deleted, logrus.InfoLevel)
		k.look()
	}
	return nil
}

// each shows all messages that can be read.
func (k *Keeper) each(ctx context.Context, show func(*Message) error) error {
	records, err := k.Records.Records(ctx, store.KindWords)
	if err != nil {
		return fmt.Errorf("reading the words left: %w", err)
	}
	for _, r := range records {
		m, err := decode(r)
		if err != nil {
			k.unreadable(err)
			continue
		}
		if err := show(m); err != nil {
			return err
		}
	}
	return nil
}
