package notify

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"escalator/bot/mask"
	"escalator/bot/store"
	"escalator/rules"
)

const (
	// keepFor is how long a message may be late, and how long it is remembered what
	// a team was told.
	keepFor = 24 * time.Hour
	// leaseFor is how long a message belongs to the process that sends it: longer
	// than sending takes.
	leaseFor = 4 * sendTimeout
	// What a matter remembers of its events, so that it fits a record.
	maxSessions, maxDetails, maxWords, maxWord = 1000, 5, 3, 200
	// maxSkew is how far the clocks of replicas may differ. What is further ahead was
	// written before a clock was set back.
	maxSkew = 2 * time.Minute
)

// The names of the records begin with what they are: an event that no group has taken
// up yet, the events of a matter, the messages that an address got.
const eventPrefix, groupPrefix, addressPrefix = "event/", "group/", "address/"

// group is all that is known of a matter: what happened since its team was last told,
// and what the team was told.
type group struct {
	Team    string `json:"team"`
	Channel string `json:"channel"`
	Event   Event  `json:"event"` // the last one; its request, words and detail are below
	// Count is how many events the team was not told of, Since when the first was.
	Count int       `json:"count"`
	Since time.Time `json:"since,omitzero"`
	// Requests, Details and Words are those of the events that the team was not told of.
	Requests []string `json:"requests,omitempty"`
	Details  []string `json:"details,omitempty"`
	Words    []string `json:"words,omitempty"`
	// Open are the sessions for which it is not over, as codes: their ids may be long.
	Open []string `json:"open,omitempty"`
	// Told says that the team knows of it, and not that it is over; Over, that this is
	// what is to be told.
	Told bool `json:"told,omitempty"`
	Over bool `json:"over,omitempty"`
	// Sent is when the team was last told that it goes on.
	Sent time.Time `json:"sent,omitzero"`
	// ID names the message that is to be sent, Due is when, Faults how often that
	// failed, Leased until when somebody sends it.
	ID     string    `json:"id,omitempty"`
	Due    time.Time `json:"due,omitzero"`
	Faults int       `json:"faults,omitempty"`
	Leased time.Time `json:"leased,omitzero"`
	// At is when the record was written.
	At time.Time `json:"at,omitzero"`

	record  store.Record
	changed bool
}

// decode returns what a record holds.
func decode[T any](r store.Record) (*T, error) {
	v := new(T)
	if r.Value == nil {
		return v, nil
	}
	if err := json.Unmarshal(r.Value, v); err != nil {
		return nil, fmt.Errorf("reading the record %s: %w", r.Name, err)
	}
	return v, nil
}

// encode returns the record with another value.
func encode(r store.Record, value any, until time.Time) (store.Record, error) {
	b, err := json.Marshal(value)
	if err != nil {
		return r, fmt.Errorf("writing the record %s: %w", r.Name, err)
	}
	r.Value, r.Until = b, until
	return r, nil
}

// add takes up an event.
func (g *group) add(team *rules.Team, e Event, now time.Time) {
	g.changed = true
	g.Team, g.Channel = team.Name, team.Channel
	if e.Over {
		g.end(e.Session, now)
		return
	}
	if e.Kind == WaitingLong && slices.Contains(g.Open, code(e.Session)) {
		return // it is about the same customer, who still waits
	}
	request, words, detail := e.RequestID, e.Words, e.Detail
	e.RequestID, e.Words, e.Detail, e.Teams = "", nil, "", nil
	g.Event = e
	if g.Over { // it goes on, after all
		g.Over = false
		g.plan(g.Sent)
	}
	if g.Count == 0 {
		g.Since = now
		g.plan(later(now, g.Sent.Add(team.Every)))
	}
	g.Count++
	if e.Kind.tracked() && e.Session != "" {
		g.Open = last(with(g.Open, code(e.Session)), maxSessions)
	}
	if request != "" {
		g.Requests = last(with(g.Requests, request), maxDetails)
	}
	if detail != "" {
		g.Details = last(with(g.Details, detail), maxDetails)
	}
	if team.Words {
		g.Words = last(append(g.Words, words...), maxWords)
	}
}

// end notes that it is over for a session, or with "" for all.
func (g *group) end(session string, now time.Time) {
	g.Open = slices.DeleteFunc(g.Open, func(s string) bool { return session == "" || s == code(session) })
	if len(g.Open) > 0 || g.Over {
		return
	}
	g.forget()
	if g.Told {
		g.Over, g.Since = true, now
		g.plan(now)
	}
}

// forget drops what was not told.
func (g *group) forget() {
	g.Count, g.Requests, g.Details, g.Words, g.Since = 0, nil, nil, nil, time.Time{}
}

func (g *group) plan(due time.Time) { g.Due, g.Faults, g.ID, g.Leased = due, 0, "", time.Time{} }

// pending says that there is something to tell.
func (g *group) pending() bool { return g.Count > 0 || g.Over }

// sent notes that a message was delivered, which told what the group was when it was
// leased. What has happened since is left to tell.
func (g *group) sent(told *group, every time.Duration, now time.Time) {
	if told.Over {
		g.Told, g.Over = false, false
		g.plan(time.Time{})
		return
	}
	ended := g.Count < told.Count
	g.Told, g.Sent = g.Event.Kind.ends(g.Event.Contact), now
	g.Requests, g.Details, g.Words = without(g.Requests, told.Requests), without(g.Details, told.Details), without(g.Words, told.Words)
	g.Count = max(0, g.Count-told.Count)
	g.Since = now
	g.plan(now.Add(every))
	if ended {
		g.end("", now)
	}
}

// failed plans another try.
func (g *group) failed(wait time.Duration, now time.Time) {
	g.Faults++
	g.Due, g.Leased = now.Add(wait), time.Time{}
}

// adjust takes back times that a clock showed before it was set back: for hours they
// would let nothing be sent. It reports whether there were any.
func (g *group) adjust(now time.Time) bool {
	ahead := g.At.Sub(now)
	if ahead <= maxSkew {
		return false
	}
	g.changed = true
	for _, t := range []*time.Time{&g.Since, &g.Sent, &g.Due, &g.Leased} {
		if !t.IsZero() {
			*t = t.Add(-ahead)
		}
	}
	return true
}

// code stands for a session or an address in a record.
func code(of string) string {
	sum := sha256.Sum256([]byte(of))
	return base64.RawURLEncoding.EncodeToString(sum[:6])
}

// ends says that a message follows when it is over.
func (k Kind) ends(contact bool) bool { return k != ByRule && k != UnknownEvent && !contact }

// encoded is the record of the group as it is now.
func (g *group) encoded(now time.Time) (store.Record, error) {
	g.At = now
	return encode(g.record, g, now.Add(keepFor+time.Minute))
}

// with is a list that holds a text once, as its last.
func with(list []string, text string) []string {
	return append(slices.DeleteFunc(list, func(s string) bool { return s == text }), text)
}

func without(list, others []string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return slices.Contains(others, s) })
}

// last are the last elements of a list.
func last(list []string, most int) []string { return list[max(0, len(list)-most):] }

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// masked are a customer's words as the staff may see them.
func masked(words []string) (shown []string) {
	for _, w := range last(words, maxWords) {
		w = onOneLine(mask.Masked.Text(w))
		if r := []rune(w); len(r) > maxWord {
			w = string(r[:maxWord]) + "…"
		}
		if w != "" {
			shown = append(shown, w)
		}
	}
	return shown
}
