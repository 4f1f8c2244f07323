package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"

	"escalator/bot/clock"
	"escalator/bot/store"
	"escalator/rules"
)

const (
	// maxOvertaken is how often a change may be overtaken by other replicas
	// before it fails. Two replicas seldom meet; more than a few times in a row
	// means that something else is wrong.
	maxOvertaken = 16
	// overtakenPause is by how much the longest pause between tries grows, so
	// that not always the same one is overtaken.
	overtakenPause = time.Millisecond
	// pendingTimeout is how long a replica waits for the conversation of a
	// transfer that another one has just put, looking each pendingLook.
	pendingTimeout, pendingLook = 100 * time.Millisecond, 10 * time.Millisecond
	stampSize                   = 8
)

// Conversations keeps the conversations of all replicas.
type Conversations struct {
	*Client
	callbacks *Dedup
	outbox    *Outbox
	expires   func(*rules.Conversation) time.Time
	alarms    store.Alarms
	locks     *store.Stripes
}

// NewConversations returns the shared conversations. Their transfers go to the
// outbox, and callbacks are answered in m. expires says until when a
// conversation is kept.
func NewConversations(c *Client, m *Dedup, o *Outbox, expires func(*rules.Conversation) time.Time, alarms store.Alarms) *Conversations {
	return &Conversations{Client: c, callbacks: m, outbox: o, expires: expires, alarms: alarms, locks: store.NewStripes()}
}

// errOvertaken is no fault of Redis: the sender should try again.
var errOvertaken = errors.New("other replicas change it all the time")

// loaded is a conversation as Redis has it.
type loaded struct {
	stamp string // "" where there is none
	state rules.Conversation
	// old says that it came along with a claim: others may have changed it since.
	old bool
	// again says that this is not the first try to change it.
	again bool
}

// Update implements store.Conversations. It takes one round trip where the
// callback's claim has brought the conversation along, and two more with a
// transfer.
func (s *Conversations) Update(ctx context.Context, id string, change store.Change) error {
	defer s.locks.Lock(id).Unlock()
	value, old := s.callbacks.prefetch(id)
	if !old {
		var err error
		if value, err = s.load(ctx, id); err != nil {
			return err
		}
	}
	late := s.now().Add(pendingTimeout)
	for tries := range maxOvertaken {
		before := s.decode(id, value)
		before.old, before.again = old, tries > 0
		newer, saved, err := s.try(ctx, id, before, change)
		switch {
		case errors.Is(err, store.ErrPending) && s.now().Before(late):
			// Another replica decided the same a moment ago, and its conversation
			// is being saved: what that says counts.
			if err := clock.Pause(ctx, pendingLook); err != nil {
				return err
			}
			if newer, err = s.load(ctx, id); err != nil {
				return err
			}
		case err != nil || saved:
			return err
		case tries > 0:
			if err := clock.Pause(ctx, mathrand.N(time.Duration(tries)*overtakenPause)); err != nil { //nolint:gosec // jitter needs no secrecy
				return err
			}
		}
		value, old = newer, false
	}
	return fmt.Errorf("saving a conversation: %w", errOvertaken)
}

// try runs the change on one state. Where another replica has saved a newer one
// meanwhile, that is returned and nothing was done.
func (s *Conversations) try(ctx context.Context, id string, before loaded, change store.Change) (newer string, saved bool, err error) {
	var after rules.Conversation
	after.CopyFrom(&before.state)
	effect, err := change(&after)
	if err != nil {
		return "", false, err
	}
	if err := store.CheckRecords(effect.Records); err != nil {
		return "", false, err
	}
	if effect.Transfer != nil {
		if err := s.outbox.prepare(ctx, effect.Transfer); err != nil {
			return "", false, err
		}
	}
	newer, saved, err = s.save(ctx, id, before, &after, &effect)
	switch {
	case effect.Transfer == nil:
	case saved:
		s.outbox.publish(ctx, effect.Transfer)
	case err == nil, errors.Is(err, store.ErrConflict): // overtaken
		s.outbox.takeBack(ctx, effect.Transfer)
	default:
		s.outbox.ReleaseLease(effect.Transfer)
		s.outbox.orphan(effect.Transfer)
	}
	return newer, saved, err
}

// load reads a conversation; "" is a new one.
func (s *Conversations) load(ctx context.Context, id string) (value string, err error) {
	key := s.keys.conversation(id)
	err = s.do(ctx, "loading a conversation", func(ctx context.Context) (err error) {
		value, err = s.rdb.Get(ctx, key).Result()
		return err
	})
	return value, err
}

// View implements store.Conversations.
func (s *Conversations) View(ctx context.Context, id string, look func(*rules.Conversation)) error {
	value, err := s.load(ctx, id)
	if err != nil {
		return err
	}
	l := s.decode(id, value)
	look(&l.state)
	return nil
}

// decode reads a value. One that makes no sense is reported, and written over by the
// next change: the customer starts afresh.
func (s *Conversations) decode(id, value string) (l loaded) {
	if value == "" {
		return l
	}
	l.stamp = value[:min(stampSize, len(value))]
	if err := l.state.UnmarshalBinary([]byte(value[len(l.stamp):])); err != nil {
		s.report(fmt.Sprintf("the conversation under %s cannot be read (%v): it starts afresh", s.keys.conversation(id), err))
		l.state = rules.Conversation{}
	}
	return l
}

// save writes the conversation and what belongs to it in one round trip.
func (s *Conversations) save(ctx context.Context, id string, before loaded, after *rules.Conversation, effect *store.Effect) (newer string, saved bool, err error) {
	value := make([]byte, stampSize, 256)
	_, _ = rand.Read(value) // never fails
	if value, err = after.AppendBinary(value); err != nil {
		return "", false, fmt.Errorf("encoding the conversation %s: %w", id, err)
	}
	alarm := s.alarms.Of(after)
	if effect.DedupKey == "" && effect.Transfer == nil && len(effect.Records) == 0 && !before.old && unchanged(&before.state, value[stampSize:]) {
		if err := s.onlyAlarm(ctx, id, alarm); err != nil {
			return "", false, err
		}
		s.alarms.Plan(id, alarm)
		return "", true, nil
	}
	keys := []string{s.keys.conversation(id)}
	life := max(time.Second, s.expires(after).Sub(s.now()))
	args := []any{before.stamp, value, life.Milliseconds()}
	callback := s.callbacks.claimed(effect.DedupKey, id)
	if callback != nil {
		keys = append(keys, callback.key)
		args = append(args, callback.args(effect.Answer, s.dedup)...)
		if callback.chat != "" {
			keys = append(keys, callback.chat)
		}
	}
	saving, records := call{saveScript, keys, args}, (*recordPut)(nil)
	if len(effect.Records) > 0 {
		records = s.putting(effect.Records)
		saving = call{saveRecordsScript, append(keys, records.keys...), append(append([]any{len(keys), len(args)}, args...), records.args...)}
	}
	run := s.saveAlone
	if before.again || !alarm.Equal(s.alarms.Of(&before.state)) {
		run = s.saveWithAlarm(id, alarm)
	}
	answer, err := run(ctx, saving)
	if err != nil {
		return "", false, err
	}
	if newer, overtaken := answer.(string); overtaken {
		return newer, false, nil
	}
	if records != nil {
		if err := records.kept(answer); err != nil {
			_ = s.onlyAlarm(ctx, id, s.alarms.Of(&before.state)) // it was moved
			return "", false, err
		}
	}
	s.alarms.Plan(id, alarm)
	if callback != nil {
		callback.kept = effect.Answer
	}
	return "", true, nil
}

// unchanged reports whether a conversation is as it was.
func unchanged(before *rules.Conversation, after []byte) bool {
	was, err := before.MarshalBinary()
	return err == nil && string(was) == string(after)
}

const opSave = "saving a conversation"

// saveAlone runs the save script.
func (s *Conversations) saveAlone(ctx context.Context, saving call) (any, error) {
	return s.run(ctx, opSave, saving.script, saving.keys, saving.args...)
}

// saveWithAlarm returns what runs the save script and moves the conversation's alarm in
// the same round trip: an alarm is set before its conversation is saved and removed
// after it, so that there may be one too many, never one too few.
func (s *Conversations) saveWithAlarm(id string, alarm time.Time) func(ctx context.Context, c call) (any, error) {
	return func(ctx context.Context, c call) (any, error) {
		var saving *redis.Cmd
		err := s.do(ctx, opSave, func(ctx context.Context) error {
			_, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
				if !alarm.IsZero() {
					s.moveAlarm(ctx, p, id, alarm)
				}
				if saving == nil || saving.Err() != nil { // not if only the alarm has to be repeated
					saving = c.script.EvalSha(ctx, p, c.keys, c.args...)
				}
				if alarm.IsZero() {
					s.moveAlarm(ctx, p, id, alarm)
				}
				return nil
			})
			if redis.HasErrorPrefix(saving.Err(), "NOSCRIPT") {
				saving = c.script.Run(ctx, s.rdb, c.keys, c.args...)
			}
			if saving.Err() != nil {
				return saving.Err()
			}
			return err
		})
		if saving != nil && saving.Err() == nil { // an alarm more or less is not worth doing it all again
			return saving.Val(), nil
		}
		return nil, err
	}
}

// onlyAlarm moves the alarm of a conversation that is as it was. One that is
// overdue has been put off already, for whoever woke it to see to (Overdue).
func (s *Conversations) onlyAlarm(ctx context.Context, id string, at time.Time) error {
	if s.alarms.Next == nil || !at.IsZero() && !at.After(s.now()) {
		return nil
	}
	return s.do(ctx, "moving an alarm", func(ctx context.Context) error {
		_, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			s.moveAlarm(ctx, p, id, at)
			return nil
		})
		return err
	})
}

var _ store.Conversations = (*Conversations)(nil)
