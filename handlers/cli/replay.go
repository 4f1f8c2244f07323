package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"escalator/bot/desk"
	"escalator/bot/inbound"
	"escalator/rules"
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
	file := rulesFlag(fs)
	at := atFlag(fs)
	against := fs.String("against", "", "another rule file, usually the old one: print what is different")
	samples := fs.Int("samples", 3, "conversations to show for each rule")
	asJSON := fs.Bool("json", false, "print one JSON document")
	files, err := parse(fs, env, args, "FILE… [--rules FILE] [--against OLD.yaml] [--at TIME] [--samples N] [--json]")
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return &usageError{[]string{"replay needs a file of recorded callbacks or dialogues, or - for standard input"}}
	}
	policies, err := replayPolicies(env, *file, *against)
	if err != nil {
		return err
	}
	lines := &lineFiles{env: env}
	results, err := replayLines(lines, files, policies, *at)
	if err != nil {
		return err
	}
	out := replayed{Result: results[0], Skipped: lines.skipped}
	if len(results) > 1 {
		d := replay.Compare(results[1], results[0])
		out.Difference = &d
	}
	if *asJSON {
		return writeJSON(env.Stdout, out)
	}
	writeReplay(env.Stdout, &out, *samples)
	return nil
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
	runs := make([]run, len(policies))
	for i, p := range policies {
		runs[i] = run{replay.New(p), inbound.NewRecorded(p, nil)}
	}
	names, order := dialogueNames{}, &inOrder{}
	err := lines.each(files, func(file string, line int, rec *replay.Record) {
		session := names.of(rec, fmt.Sprintf("%s:%d", file, line))
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

// writeReplay prints what was done and, where two files were compared, what is
// different, with conversations to look at.
func writeReplay(w io.Writer, r *replayed, samples int) {
	fmt.Fprintf(w, "%d conversations, %d turns\n", r.Conversations, r.Turns)
	for _, rule := range sortedKeys(r.ByRule) {
		fmt.Fprintf(w, "  %-20s calls a person %d times\n", rule, r.ByRule[rule])
	}
	if r.Difference == nil {
		writeSamples(w, r.Decisions, samples)
		return
	}
	d := r.Difference
	fmt.Fprintf(w, "\ncompared with the other file: %d gained, %d lost, %d changed\n", len(d.Gained), len(d.Lost), len(d.Changed))
	writeChanges(w, "gained: go to a person only now", d.Gained, samples)
	writeChanges(w, "lost: went to a person only before", d.Lost, samples)
	writeChanges(w, "changed: by another rule, to another target or at another turn", d.Changed, samples)
}

// writeSamples shows some of what each rule did.
func writeSamples(w io.Writer, decisions []replay.Decided, samples int) {
	shown := map[string]int{}
	for i := range decisions {
		d := &decisions[i]
		if d.Outcome != rules.OutcomeTransfer && d.Outcome != rules.OutcomeOffer {
			continue
		}
		if shown[d.Rule]++; shown[d.Rule] <= samples {
			fmt.Fprintf(w, "    %s  %s\n", d.Rule, describe(d))
		}
	}
}

// writeChanges shows changes by rule, a few of each.
func writeChanges(w io.Writer, title string, changes []replay.Change, samples int) {
	if len(changes) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	byRule := map[string][]replay.Change{}
	for _, c := range changes {
		d := c.After
		if d == nil {
			d = c.Before
		}
		byRule[d.Rule] = append(byRule[d.Rule], c)
	}
	for _, rule := range sortedKeys(byRule) {
		list := byRule[rule]
		fmt.Fprintf(w, "  %s: %d\n", rule, len(list))
		for _, c := range list[:min(samples, len(list))] {
			switch {
			case c.Before == nil:
				fmt.Fprintf(w, "    %s\n", describe(c.After))
			case c.After == nil:
				fmt.Fprintf(w, "    %s\n", describe(c.Before))
			default:
				fmt.Fprintf(w, "    before: by %s, %s\n    now:    by %s, %s\n", c.Before.Rule, describe(c.Before), c.After.Rule, describe(c.After))
			}
		}
	}
}

// maxShownText bounds the words of a sample.
const maxShownText = 100

// describe tells a decision in one line.
func describe(d *replay.Decided) string {
	text := []rune(d.Text)
	if len(text) > maxShownText {
		text = append(text[:maxShownText], '…')
	}
	words := ""
	if len(text) > 0 {
		words = fmt.Sprintf(": %q", string(text))
	}
	target := ""
	if d.Target != "" { // an offer has none yet
		target = " to " + d.Target
	}
	return fmt.Sprintf("%s%s at turn %d of %s%s", d.Outcome, target, d.Turn, d.Session, words)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
