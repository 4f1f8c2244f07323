package bot

import (
	"context"
	"fmt"
	"sync"

	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/bot/mask"
)

// Handle does what one callback asks for and returns the answer to it. The
// error wraps ErrUnavailable when the sender should try again.
func (b *Bot) Handle(ctx context.Context, e *desk.Event) (Answer, error) {
	key := e.DedupKey()
	if key == "" { // an answer that has to be computed anew each time
		json, err := b.accept(context.WithoutCancel(ctx), e)
		return Answer{JSON: json}, err
	}
	claim, err := b.Dedup.Claim(ctx, key, named(e))
	if err != nil {
		return Answer{}, fmt.Errorf("%w: waiting for the first of several copies: %w", ErrUnavailable, err)
	}
	if !claim.First {
		b.Metrics.DedupHits.Inc()
		if claim.Answer == nil { // it was not kept
			claim.Answer = b.answerTo(e, false)
		}
		return Answer{JSON: claim.Answer, Repeat: true}, nil
	}
	// The claim must end, also when the sender hangs up and when we panic.
	ctx = context.WithoutCancel(ctx)
	finished := false
	defer func() {
		if !finished {
			b.Dedup.Release(ctx, key)
		}
	}()
	json, err := b.accept(ctx, e)
	if err != nil {
		return Answer{}, err
	}
	b.Dedup.Finish(ctx, key, json)
	finished = true
	return Answer{JSON: json}, nil
}

// accept handles a callback and records it, with the time at which it came: that
// is what windows and cooldowns go by.
func (b *Bot) accept(ctx context.Context, e *desk.Event) ([]byte, error) {
	received := b.Now()
	json, err := b.dispatch(ctx, e)
	if err == nil && b.Recorder != nil {
		b.Recorder.Record(received, e.RawQuery, e.Body, e.Failed)
	}
	return json, err
}

// dispatch sends a callback to what handles its command.
func (b *Bot) dispatch(ctx context.Context, e *desk.Event) ([]byte, error) {
	switch e.Command {
	case desk.CommandSessionEvent:
		return b.sessionEvent(ctx, e)
	case desk.CommandBotC2C, desk.CommandC2CAfter:
		return b.directMessage(ctx, e)
	case desk.CommandAssignHuman, desk.CommandAssignAgent:
		return b.assign(ctx, e)
	case desk.CommandTaskFlow:
		return b.taskFlow(ctx, e)
	case desk.CommandMemberChanged:
		return b.memberChanged(ctx, e)
	case desk.CommandBotGroup:
		return b.passOn(ctx, e, answerOK)
	default:
		// Everything else is acknowledged: anything but success makes Tencent
		// send it again. That lets every message pass whose callback comes
		// before it is sent, which never feeds the rules.
		return answerOK, nil
	}
}

// maxUnknownNames bounds the names of unknown events that are told apart.
const maxUnknownNames = 32

// otherName stands for all names beyond the bound.
const otherName = "other"

// nameSet tells apart the first few names that it is shown.
type nameSet struct {
	mu    sync.Mutex
	max   int
	names map[string]bool
}

func newNameSet(limit int) *nameSet { return &nameSet{max: limit, names: map[string]bool{}} }

// add returns the label to use for name and whether it is used for the first
// time.
func (s *nameSet) add(name string) (label string, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.names[name] && len(s.names) >= s.max {
		name = otherName
	}
	first = !s.names[name]
	s.names[name] = true
	return name, first
}

// noteUnknownEvent counts an event whose name we do not know, and logs each
// name once: the first real run shows which names to map in the rule file.
func (b *Bot) noteUnknownEvent(e *desk.Event) {
	label, first := b.unknown.add(clip(e.Name))
	b.Metrics.UnknownEvents.WithLabelValues(label).Inc()
	if first {
		b.Log.WithFields(logrus.Fields{
			"event": label, "session": clip(e.SessionID), "mark": clip(e.Mark),
		}).Warn("unknown event: acknowledged and ignored; say what it means under events: in the rule file")
	}
}

// clip shortens an identifier that nobody would make that long.
func clip(s string) string { return mask.Clip(s) }
