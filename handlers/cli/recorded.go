package cli

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"escalator/bot/inbound"
	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/replay"
)

// recorded explains one conversation of a file: all its callbacks are read, for what came before tells whose they are.
func recorded(env Env, policy *rules.Policy, file, session string, begin time.Time) (x replay.Explanation, err error) {
	lines, reader, order := &lineFiles{env: env}, inbound.NewRecorded(policy, nil), &inOrder{}
	names, others := dialogueNames{}, map[string]bool{}
	var events []replay.Event
	var desk replay.Readings
	var talk *replay.Record
	take := func(e replay.Event) {
		others[e.Session] = true
		if e.Session == session {
			events = append(events, e)
		}
	}
	err = lines.each([]string{file}, func(file string, line int, rec *replay.Record) {
		if rec.Desk != nil {
			order.add(*rec.At, func() { desk.Add(*rec.At, *rec.Desk) })
			return
		}
		if rec.Body == nil {
			name := names.of(rec, fmt.Sprintf("%s:%d", file, line))
			if others[name] = true; name == session {
				talk = rec
			}
			return
		}
		e, err := inbound.Decode(rec.Query, rec.Body)
		if err != nil {
			lines.skip(file, line, err)
			return
		}
		order.add(*rec.At, func() {
			for _, event := range reader.Events(e, *rec.At, time.Duration(rec.BotFailedUS)*time.Microsecond) {
				if event.At.Equal(*rec.At) {
					take(event)
				} else {
					order.put(event.At, func() { take(event) })
				}
			}
		})
	})
	order.finish()
	switch {
	case err != nil:
		return x, err
	case talk != nil:
		return replay.ExplainEvents(policy, talk.Events(session, begin), desk), nil
	case len(events) > 0:
		return replay.ExplainEvents(policy, events, desk), nil
	}
	return x, noSuchConversation(file, session, slices.Sorted(maps.Keys(others)))
}

func noSuchConversation(file, session string, others []string) error {
	hint := rules.DidYouMean(session, others)
	switch {
	case hint != "":
	case len(others) > 0:
		hint = lang.Say("there are %s", someOf(others))
	default:
		return lang.Errorf("%s holds no conversation %q", file, session)
	}
	return lang.Errorf("%s holds no conversation %q: %s", file, session, hint)
}
