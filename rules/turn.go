package rules

import (
	"time"
)

// TurnKind says who speaks in a turn. Every condition of the language applies to some kinds only.
type TurnKind uint8

const (
	// UserTurn is a message of the customer.
	UserTurn TurnKind = iota
	// BotTurn is a message of the bot, or (Failed) the fact that it did not answer.
	BotTurn
	// TimerTurn is no message: time has passed since the last one.
	TimerTurn
	// StartTurn is the start of a session: it resets the counters, keeps the fields, and no rule is tried.
	StartTurn
	// RatingTurn is a callback that is no message and carries a rating (RatingField). It counts for nothing else.
	RatingTurn
)

// String names the kind as explain and the recorded dialogues do.
func (k TurnKind) String() string {
	return [...]string{"user", "bot", "timer", "start", "rating"}[min(k, RatingTurn)]
}

// Turn is one thing that happened in a conversation, as the caller saw it.
type Turn struct {
	Kind TurnKind
	// At is the time of receipt: windows, cooldowns and alarms use nothing else. A caller whose clock may be set gives a
	// time here that only ever goes on, and the clock's own in Wall.
	At time.Time
	// Wall is the time of receipt as clocks and calendars on the wall show it, for opening hours and mutes; At if it is zero.
	Wall time.Time
	// Sent is the sender's time, zero if unknown. It only orders changes of phase.
	Sent time.Time
	Text string
	// Mark is the messageType of the message's CloudCustomData, "" if it has none.
	Mark string
	// Sends holds the kinds of elements other than text.
	Sends Sends
	// Fields reads the callback for `field` conditions; may be nil.
	Fields Fields
	// Unsure marks a user message that is not certainly of the bot phase (an event mapped by the file): it never
	// fires while the conversation is queued or with a human.
	Unsure bool
	// Failed marks a BotTurn that stands for a bot which did not answer (forwarding): always a miss.
	Failed bool
	// WithWhy asks for the decision's Why, which takes memory also where a rule only came near.
	WithWhy bool
	// Tried is where Decide notes what became of each rule; nil: nobody asks.
	Tried *Tried
	// Muted holds the rules that an operator silenced; may be nil. It is read only.
	Muted Muted
	// Desk is what Desk said last of its agents and its queue, nil where that is not known. It is read only.
	Desk *Reading
	// UserID names the customer, "" where nobody knows who that is.
	UserID string
	// SessionID names the session. It stands for the customer in shares where UserID is "".
	SessionID string
	// User is what is kept of the customer: Decide reads it and brings it up to date. nil: nothing is known of the
	// customer, and nothing will be kept.
	User *User
}

// Fields reads values of a callback by plain dotted paths.
type Fields interface {
	// Field gives one value.
	Field(path string) (value string, ok bool)
	// Texts visits the texts and numbers at a path in which * stands for every place of a list, in their order, until visit
	// is false. Objects and lists are passed over.
	Texts(path string, visit func(text string) bool)
}

// Mute is an operator's word that a rule must be silent for a while.
type Mute struct {
	Until time.Time `json:"until"`
	By    string    `json:"by"`
	Why   string    `json:"why"`
}

// Muted holds mutes by rule id. A set is never changed once it was given to a turn.
type Muted map[string]Mute

// Sends is a set of the kinds of message elements.
type Sends uint8

const (
	SendsImage Sends = 1 << iota
	SendsSound
	SendsVideo
	SendsFile
	SendsLocation
	SendsFace
	SendsCustom
)

// sendsNames are the words of the condition `sends`, in the order of the bits.
var sendsNames = []string{"image", "sound", "video", "file", "location", "face", "custom"}

// ParseSends gives the bit for one word of the condition `sends`.
func ParseSends(name string) (Sends, bool) {
	for i, n := range sendsNames {
		if n == name {
			return 1 << i, true
		}
	}
	return 0, false
}

// Names lists the set's words.
func (s Sends) Names() []string {
	var names []string
	for i, n := range sendsNames {
		if s&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}
