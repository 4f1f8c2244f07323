package cli

import (
	"context"
	"fmt"
	"time"

	"escalator/bot/desk"
	"escalator/bot/inbound"
	"escalator/handlers/app"
	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/replay"
)

// replayed is what replay --json prints.
type replayed struct {
	*replay.Result
	Skipped    int                `json:"skipped"`
	Difference *replay.Difference `json:"difference,omitempty"`
}

// replayFiles runs recorded traffic or dialogues through the rules.
func replayFiles(_ context.Context, env Env, args []string) error {
	fs := newFlags("replay")
	file := rulesFlag(fs, env)
	at := atFlag(fs)
	against := fs.String("against", "", "another rule file, usually the old one, to compare with")
	samples := fs.Int("samples", 3, "conversations to show for each rule")
	asJSON := fs.Bool("json", false, "print one JSON document")
	files, err := parse(fs, env, args, "FILE… [--rules FILE] [--against OLD.yaml] [--at TIME] [--samples N] [--json]")
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return &usageError{[]lang.Text{"replay needs files of recorded callbacks or dialogues, folders of them, or - for standard input"}}
	}
	policies, err := replayPolicies(env, *file, *against)
	if err != nil {
		return err
	}
	lines := &lineFiles{env: env}
	results, err := replayLines(lines, files, policies, at.of(policies[0]))
	if err != nil {
		return err
	}
	out := replayed{Result: results[0], Skipped: lines.skipped}
	if len(results) > 1 {
		d := replay.Compare(results[1], results[0])
		out.Difference = &d
	}
	switch {
	case *asJSON:
		err = writeJSON(env.Stdout, out)
	case out.Conversations > 0:
		writeReplay(env, policies[0], &out, *samples)
	}
	if err == nil && out.Conversations == 0 {
		env.tell("nothing was replayed: no line holds a recorded callback, a dialogue or a message that counts")
		err = exitError(exitBad)
	}
	return err
}

// replayPolicies loads the rules and, where asked for, those to compare with.
func replayPolicies(env Env, file, against string) ([]*rules.Policy, error) {
	policy, err := readRulesOrShipped(env, file)
	if err != nil || against == "" {
		return []*rules.Policy{policy}, err
	}
	old, err := readRules(env, against)
	return []*rules.Policy{policy, old}, err
}

// run is the replay of all lines through one policy.
type run struct {
	*replay.Replay
	recorded *inbound.Recorded
}

// replayLines plays the lines of all files through each policy. At the end the
// clock goes on to the time of the last recorded callback.
func replayLines(lines *lineFiles, files []string, policies []*rules.Policy, at time.Time) ([]*replay.Result, error) {
	accounts, err := recordedAccounts(lines.env)
	if err != nil {
		return nil, err
	}
	runs := make([]run, len(policies))
	for i, p := range policies {
		runs[i] = run{replay.New(p), inbound.NewRecorded(p, accounts)}
	}
	names, order := dialogueNames{}, &inOrder{}
	err = lines.each(files, func(file string, line int, rec *replay.Record) {
		session := names.of(rec, fmt.Sprintf("%s:%d", file, line))
		if rec.Desk != nil {
			order.add(*rec.At, func() {
				for _, r := range runs {
					r.Told(*rec.At, *rec.Desk)
				}
			})
			return
		}
		if rec.Body == nil {
			for _, r := range runs {
				r.talk(rec, session, at)
			}
			return
		}
		e, err := inbound.Decode(rec.Query, rec.Body)
		if err != nil {
			lines.skip(file, line, err)
			return
		}
		failed := time.Duration(rec.BotFailedUS) * time.Microsecond
		order.add(*rec.At, func() {
			for _, r := range runs {
				r.callback(e, *rec.At, failed, order)
			}
		})
	})
	order.finish()
	results := make([]*replay.Result, len(runs))
	for i, r := range runs {
		r.Finish(order.newest)
		results[i] = r.Result()
	}
	return results, err
}

// recordedAccounts are the accounts of the service, as the one that recorded was told.
func recordedAccounts(env Env) ([]string, error) {
	var s app.Settings
	if list := env.Getenv(envPrefix + "SERVICE_ACCOUNTS"); list != "" {
		if err := setServiceAccounts(&s, list); err != nil {
			return nil, &usageError{[]lang.Text{lang.Say("%sSERVICE_ACCOUNTS: %s", envPrefix, err.Error())}}
		}
	}
	return s.ServiceAccounts, nil
}

// talk plays a dialogue, or an utterance: a conversation of one message.
func (r run) talk(rec *replay.Record, session string, at time.Time) {
	if rec.Turns == nil {
		rec = &replay.Record{Turns: []replay.Said{{Role: "user", Text: rec.Text}}}
	}
	for _, e := range rec.Events(session, at) {
		r.Add(e)
	}
}

// callback plays a recorded callback. What it leads to later, such as the failure
// of the bot behind the service, is put in order.
func (r run) callback(e *desk.Event, at time.Time, failed time.Duration, order *inOrder) {
	for _, event := range r.recorded.Events(e, at, failed) {
		if event.At.Equal(at) {
			r.Add(event)
		} else {
			order.put(event.At, func() { r.Add(event) })
		}
	}
}

// dialogueNames keeps dialogues of the same id apart: each line is a
// conversation of its own.
type dialogueNames map[string]bool

func (n dialogueNames) of(rec *replay.Record, place string) string {
	switch {
	case rec.Turns == nil || rec.ID == "":
		return place
	case n[rec.ID]:
		return rec.ID + " (" + place + ")"
	}
	n[rec.ID] = true
	return rec.ID
}
