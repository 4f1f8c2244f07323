package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"escalator/bot/inbound"
	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/replay"
	"escalator/rules/suggest"
)

const (
	// suggestFor bounds the time that is spent on trying.
	suggestFor = 2 * time.Minute
	// maxSuggestEvents bounds what is kept of the files: messages, and what happens to conversations.
	maxSuggestEvents = 1_000_000
)

// suggestPhrases proposes phrases that would have caught what the rules missed.
func suggestPhrases(ctx context.Context, env Env, args []string) error {
	fs := newFlags("suggest")
	file, at := rulesFlag(fs, env), atFlag(fs)
	n := fs.Int("n", 10, "how many suggestions")
	positive := fs.String("positive", "human", "label of the messages whose writers want a person")
	asYAML := fs.Bool("yaml", false, "print entries for a rule file")
	asJSON := fs.Bool("json", false, "print one JSON document")
	files, err := parse(fs, env, args, "FILE… [-n N] [--yaml | --json] [--rules FILE] [--positive LABEL] [--at TIME]\n\nProposes phrases, and words for roles, that would have caught what the rules missed in recordings, dialogues and labelled messages; each is tried on the same files.")
	switch {
	case err != nil:
		return err
	case len(files) == 0:
		return &usageError{[]lang.Text{"suggest needs files of recordings, dialogues or labelled lines, folders of them, or - for standard input"}}
	case *n < 1 || *n > 100:
		return &usageError{[]lang.Text{lang.Say("-n must be 1 to 100, not %d", *n)}}
	case *asYAML && *asJSON:
		return &usageError{[]lang.Text{"--yaml and --json exclude each other"}}
	}
	set, policy, err := ruleSetOrShipped(env, *file)
	if err != nil {
		return err
	}
	lessons := &lessons{policy: policy, at: at.of(policy), lines: &lineFiles{env: env}, talks: map[string]*talk{}}
	if err := lessons.read(files); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, suggestFor)
	defer cancel()
	found, err := suggest.Find(ctx, &suggest.Input{Rules: set, Cases: lessons.cases, Positive: *positive, At: lessons.at, Most: *n, Progress: triedOf(env)})
	if err != nil {
		return err //nolint:wrapcheck // it says what is wrong
	}
	found.Whole = found.Whole && !lessons.cut
	switch {
	case *asJSON:
		err = writeJSON(env.Stdout, found)
	case *asYAML && len(found.Suggestions) > 0:
		_, err = fmt.Fprint(env.Stdout, suggest.YAML(found.Suggestions))
	case *asYAML && found.Whole:
		env.tell(nothingToSuggest)
	case !*asYAML:
		writeSuggestions(env, found)
	}
	if !found.Whole {
		env.tell("not everything was tried: there is more than time or memory allow. Give fewer files")
	}
	if err == nil && found.From.Conversations == 0 {
		env.tell("there is nothing to learn from: no conversation, and no message with a `label`")
		err = exitError(exitBad)
	}
	return err
}

const nothingToSuggest = "Nothing to suggest: no words that two customers share would catch more requests than they would add false alarms."

// triedOf tells a person at a terminal how many candidates were tried.
func triedOf(env Env) func(tried, of int) {
	if !isTerminal(env.Stderr) {
		return nil
	}
	return func(tried, of int) { fmt.Fprintf(env.Stderr, "\rtried %d of at most %d\x1b[K\r", tried, of) }
}

// lessons reads files for suggest.
type lessons struct {
	policy *rules.Policy
	at     time.Time
	lines  *lineFiles
	cases  []suggest.Case
	talks  map[string]*talk // recorded conversations
	events int
	cut    bool // not everything was kept
}

// talk is one recorded conversation.
type talk struct {
	source string
	events []replay.Event
}

func (l *lessons) read(files []string) error {
	accounts, err := recordedAccounts(l.lines.env)
	if err != nil {
		return err
	}
	reader, order := inbound.NewRecorded(l.policy, accounts), &inOrder{}
	err = l.lines.each(files, func(file string, line int, rec *replay.Record) {
		source := fmt.Sprintf("%s:%d", file, line)
		c, labelled := suggest.Labelled(rec)
		switch {
		case l.events >= maxSuggestEvents:
			l.cut = true
		case labelled:
			c.Source = source
			l.events += 1 + len(rec.Turns)
			l.cases = append(l.cases, c)
		case rec.Turns != nil:
			l.happened(source, rec.Events(source, l.at))
		case rec.Desk != nil: // whether somebody was free makes no request
		case rec.Body == nil:
			l.lines.skip(file, line, errNoLabel)
		default:
			e, err := inbound.Decode(rec.Query, rec.Body)
			if err != nil {
				l.lines.skip(file, line, err)
				return
			}
			order.add(*rec.At, func() {
				for _, event := range reader.Events(e, *rec.At, time.Duration(rec.BotFailedUS)*time.Microsecond) {
					l.add(source, &event)
				}
			})
		}
	})
	order.finish()
	for _, session := range slices.Sorted(maps.Keys(l.talks)) {
		t := l.talks[session]
		slices.SortStableFunc(t.events, func(a, b replay.Event) int { return a.At.Compare(b.At) })
		l.happened(t.source, t.events)
	}
	return err
}

// add keeps what happened in a recorded conversation.
func (l *lessons) add(source string, e *replay.Event) {
	l.events++
	t := l.talks[e.Session]
	if t == nil {
		t = &talk{source: source}
		l.talks[e.Session] = t
	}
	t.events = append(t.events, *e)
}

// happened makes cases of a conversation of which nobody says what was wanted.
func (l *lessons) happened(source string, events []replay.Event) {
	for _, c := range suggest.Happened(l.policy, events) {
		c.Source = source
		l.cases = append(l.cases, c)
	}
}

// writeSuggestions prints suggestions for people.
func writeSuggestions(env Env, found *suggest.Result) {
	p := newPage(env)
	from := found.From
	p.line("", lang.Say("%d conversations and labelled messages; the rules call a person in %d of them and miss %d.", from.Conversations, from.Calls, from.Missed))
	if len(found.Suggestions) == 0 {
		if found.Whole {
			p.line("", nothingToSuggest)
		}
		return
	}
	for i := range found.Suggestions {
		s := &found.Suggestions[i]
		p.blank()
		p.line(lang.Raw(fmt.Sprintf("%3d  ", i+1)), lang.Raw(s.Phrase+strings.Join(s.Words, ", ")))
		where := s.List
		if s.Lang != "" {
			where += " (" + s.Lang + ")"
		}
		p.line("     ", lang.Say("for %s: would catch %d, false alarms %d, score %.1f", where, s.Catches, s.FalseAlarms, s.Score))
		for _, example := range s.Examples {
			p.line("     · ", lang.Raw(exampleWords(example)))
		}
	}
	p.blank()
	p.line("", "--yaml prints them for the rule file.")
}

// exampleWords is an example in a line or two: what is longer is cut.
func exampleWords(said string) string {
	const most = 200
	said = strings.Join(strings.Fields(said), " ")
	if runes := []rune(said); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return said
}
