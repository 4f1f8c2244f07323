package messages

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"escalator/bot/store"
)

// State says where the words of a customer stand.
type State string

// The states; doc.go says what leads from one to the other.
const (
	Waiting   State = "waiting"
	Calling   State = "calling"
	Contacted State = "contacted"
	Done      State = "done"
	GivenUp   State = "given_up"
	Unknown   State = "unknown"
	StaffOnly State = "staff_only"
)

// open reports whether the customer may still be contacted.
func (s State) open() bool { return s == Waiting || s == Calling }

const (
	// maxTexts and maxChars bound what is kept of one customer, over all requests: the
	// oldest words go first.
	maxTexts = 10
	maxChars = 2000
	// keepContacted and keepOthers are how long words are kept after the contact, and
	// where there was none.
	keepContacted = 24 * time.Hour
	keepOthers    = 7 * 24 * time.Hour
	// maxName bounds the name of a record; a longer one is a hash.
	maxName = 256
)

// Message is what a customer left, and what became of it. All times are those of
// clock.Clock.Now.
type Message struct {
	Conversation string `json:"conversation"`
	Session      string `json:"session,omitempty"`
	User         string `json:"user,omitempty"`
	Service      string `json:"service,omitempty"`
	// RequestID is that of the callback that brought the last words, for the log.
	RequestID string `json:"request_id,omitempty"`
	Rule      string `json:"rule"`
	Target    string `json:"target"`

	// Words are unmasked: they are for the agent's eyes.
	Words []Words `json:"words"`
	// Opened is when the customer was asked for them, Since when the first came, Until
	// when nobody contacts the customer any more.
	Opened time.Time `json:"opened"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`

	State   State     `json:"state"`
	Changed time.Time `json:"changed"`
	// Tried counts the calls of contact_user. Agent, Code and Error are what Desk said last.
	Tried int    `json:"tried,omitempty"`
	Agent string `json:"agent,omitempty"`
	Code  int    `json:"code,omitempty"`
	Error string `json:"error,omitempty"`

	record store.Record // as it was read
}

// Words are one message of the customer.
type Words struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// texts are the words alone.
func (m *Message) texts() (all []string) {
	for _, w := range m.Words {
		all = append(all, w.Text)
	}
	return all
}

// Left is what a customer has just said, to be added to what was left before.
type Left struct {
	Conversation, Session, User, Service string
	RequestID                            string // of the callback, for the log
	Rule, Target                         string
	Text                                 string
	Opened, At                           time.Time
	ContactWithin                        time.Duration
}

// Name returns the name under which the words of a conversation are kept.
func Name(conversation string) string {
	if len(conversation) <= maxName {
		return conversation
	}
	sum := sha256.Sum256([]byte(conversation))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Add returns the record with the customer's words added. It does nothing else, so
// that a store may repeat it (store.Effect). What was left for an earlier request
// and led to something is forgotten: the customer is heard anew.
func Add(kept store.Record, l *Left) (store.Record, *Message, error) {
	m, err := decode(kept)
	if err != nil {
		m = &Message{record: kept} // unreadable: it must not keep the customer from being heard
	}
	if !m.Opened.Equal(l.Opened) && !m.State.open() {
		*m = Message{record: kept, State: Waiting, Since: l.At, Changed: l.At}
	}
	m.Conversation, m.Session, m.User, m.Service, m.RequestID = l.Conversation, l.Session, l.User, l.Service, l.RequestID
	m.Rule, m.Target, m.Opened = l.Rule, l.Target, l.Opened
	m.Words = bounded(append(m.Words, Words{l.At, l.Text}))
	m.Until = l.At.Add(l.ContactWithin)
	if m.State == Waiting && (m.User == "" || m.Service == "") {
		m.State = StaffOnly
	}
	r, err := m.encode()
	return r, m, err
}

// bounded forgets the oldest words beyond what is kept of one customer.
func bounded(words []Words) []Words {
	chars := 0
	for i, w := range slices.Backward(words) {
		chars += utf8.RuneCountInString(w.Text)
		if chars > maxChars || len(words)-i > maxTexts {
			return slices.Clone(words[i+1:])
		}
	}
	return words
}

// decode reads a record; one that is not there is a message without a state.
func decode(r store.Record) (*Message, error) {
	m := &Message{record: r}
	if r.Value == nil {
		return m, nil
	}
	err := json.Unmarshal(r.Value, m)
	if err == nil && (len(m.Words) == 0 || m.Conversation == "") {
		err = errors.New("it holds no words, or names no conversation")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the words left in %.64q: %w", r.Name, err)
	}
	return m, nil
}

// encode returns the record to put, under the version that was read.
func (m *Message) encode() (store.Record, error) {
	value, err := json.Marshal(m)
	if err != nil {
		return store.Record{}, fmt.Errorf("writing the words left in %.64q: %w", m.Conversation, err)
	}
	r := m.record
	r.Kind, r.Name, r.Value = store.KindWords, Name(m.Conversation), value
	r.Until = m.Words[len(m.Words)-1].At.Add(keepOthers)
	if m.State == Contacted {
		r.Until = m.Changed.Add(keepContacted)
	}
	return r, nil
}
