package cli

import (
	"bufio"
	"slices"
	"strings"

	"escalator/rules/lang"
	"escalator/rules/replay"
	"escalator/rules/text"
)

// told are the words that may stand before the colon of a turn.
var told = []string{"user", "bot", "agent", "mark", "wait", "desk", "event"}

// readTurns reads the turns of the command line, or of standard input. fields are those of the customer's messages.
func readTurns(env Env, args []string, fields map[string]string) ([]replay.Said, error) {
	var turns turnReader
	if slices.Equal(args, []string{"-"}) {
		lines := bufio.NewScanner(env.Stdin)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if err := turns.read(strings.TrimPrefix(lines.Text(), "\ufeff")); err != nil {
				return nil, err
			}
			turns.flush()
		}
		if err := lines.Err(); err != nil {
			return nil, lang.Errorf("reading standard input: %w", err)
		}
	}
	for _, arg := range args {
		if len(args) == 1 && arg == "-" {
			break
		}
		if err := turns.read(arg); err != nil {
			return nil, err
		}
	}
	turns.finish()
	if len(turns.said) == 0 {
		return nil, &usageError{[]lang.Text{`explain needs a message, such as escalator explain "I want to talk to a human"`}}
	}
	if len(fields) > 0 {
		for i := range turns.said {
			if turns.said[i].Role == "user" {
				turns.said[i].Fields = fields
			}
		}
	}
	return turns.said, nil
}

// turnReader reads turns that say who speaks; words without a speaker are one message of the customer.
type turnReader struct {
	said  []replay.Said
	plain []string
	mark  string // of the bot message that follows
}

func (t *turnReader) read(arg string) error {
	word, words, ok := cutSpeaker(arg)
	if !ok {
		if err := doubtful(arg); err != nil {
			return err
		}
		t.plain = append(t.plain, arg)
		return nil
	}
	t.flush()
	switch {
	case word == "mark" && words == "":
		return &usageError{[]lang.Text{`mark: needs a name, for example "mark: fallback"`}}
	case word == "mark":
		t.flushMark()
		t.mark = words
		return nil
	}
	said := replay.Said{Role: word, Text: words}
	if word == "bot" {
		said.Mark, t.mark = t.mark, ""
	}
	t.flushMark()
	t.said = append(t.said, said)
	return nil
}

// flush ends the message without a speaker.
func (t *turnReader) flush() {
	if words := strings.Join(t.plain, " "); strings.TrimSpace(words) != "" {
		t.flushMark()
		t.said = append(t.said, replay.Said{Role: "user", Text: words})
	}
	t.plain = nil
}

// flushMark makes a bot message without text of a mark that no bot message followed.
func (t *turnReader) flushMark() {
	if t.mark != "" {
		t.said = append(t.said, replay.Said{Role: "bot", Mark: t.mark})
		t.mark = ""
	}
}

func (t *turnReader) finish() {
	t.flush()
	t.flushMark()
}

// cutSpeaker takes a turn apart at its colon, which may be the full-width one; false: nobody is named.
func cutSpeaker(arg string) (word, words string, ok bool) {
	at := strings.IndexAny(arg, ":：")
	if at < 0 {
		return "", arg, false
	}
	word = strings.ToLower(strings.TrimSpace(arg[:at]))
	words = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(arg[at:], ":"), "："))
	if role, known := replay.Role(word); known && role != "" {
		return role, words, true
	}
	return word, words, slices.Contains(told, word)
}

// doubtful refuses words that look like a turn with a mistyped speaker.
func doubtful(arg string) error {
	word, _, _ := cutSpeaker(arg)
	if n := len([]rune(word)); n < 3 || n > 6 {
		return nil
	}
	for _, known := range told {
		// A word as short as bot is one letter away from too many others.
		if len(known) > 3 && text.Distance(word, known, 1) <= 1 {
			return &usageError{[]lang.Text{lang.Say("%q: did you mean %s:? If the customer says so, write \"user: %s\"", word+":", known, arg)}}
		}
	}
	return nil
}
