package bot

import (
	"errors"
	"time"

	"escalator/bot/desk"
	"escalator/rules"
	"escalator/rules/replay"
)

// Recorded turns a recorded callback into the events that it was for its
// conversation: none where the service had nothing to count. It is understood
// just as a live one is.
func Recorded(p *rules.Policy, at time.Time, query string, body []byte) ([]replay.Event, error) {
	e, err := desk.Decode(desk.ParseQuery(query), body)
	if err != nil {
		return nil, err
	}
	if e.Command != desk.CommandSessionEvent {
		return nil, nil
	}
	if e.SessionID == "" {
		return nil, errors.New("the callback has no SessionId")
	}
	s, _ := understand(p, e)
	if s.empty() || ours(e) {
		return nil, nil
	}
	event := replay.Event{Session: e.SessionID, At: at, Turn: s.turn}
	if s.observe != nil {
		event.Observe = *s.observe
	}
	return []replay.Event{event}, nil
}
