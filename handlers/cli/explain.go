package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode"

	"escalator/rules"
	"escalator/rules/replay"
)

// explain shows what one message, or a short conversation, would do, and why.
func explain(_ context.Context, env Env, args []string) error {
	fs := newFlags("explain")
	file, at := rulesFlag(fs, env), atFlag(fs)
	asJSON := fs.Bool("json", false, "print one JSON document")
	usage := "TEXT… [--rules FILE] [--at TIME] [--json]\n\n" +
		"One message of the customer, or several turns, each an argument of its own:\n" +
		"  escalator explain \"I want a human\"\n" +
		"  escalator explain \"user: where is it\" \"bot: sorry, I did not get that\" \"user: where IS it\""
	rest, err := parse(fs, env, args, usage)
	if err != nil {
		return err
	}
	turns := saidTurns(rest)
	if len(turns) == 0 {
		return &usageError{[]string{"explain what? escalator explain \"I want to talk to a human\""}}
	}
	policy, err := readRulesOrShipped(env, *file)
	if err != nil {
		return err
	}
	x := replay.Explain(policy, turns, *at, nil)
	if *asJSON {
		return writeJSON(env.Stdout, x)
	}
	for i, turn := range x.Turns {
		if i > 0 {
			fmt.Fprintln(env.Stdout)
		}
		if turn.Role == "agent" {
			fmt.Fprintf(env.Stdout, "agent: %s\n  → %s\n", turn.Text, turn.Summary)
			continue
		}
		turn.Write(env.Stdout)
		underline(env.Stdout, turn.Text, turn.Decision.Matched)
	}
	return nil
}

// saidTurns reads the arguments: turns that say who speaks; words without a
// speaker are one message of the customer.
func saidTurns(args []string) (turns []replay.Said) {
	var plain []string
	flush := func() {
		if text := strings.Join(plain, " "); strings.TrimSpace(text) != "" {
			turns = append(turns, replay.Said{Role: "user", Text: text})
		}
		plain = nil
	}
	for _, arg := range args {
		if role, text, ok := strings.Cut(arg, ":"); ok && (role == "user" || role == "bot" || role == "agent") {
			flush()
			turns = append(turns, replay.Said{Role: role, Text: strings.TrimSpace(text)})
			continue
		}
		plain = append(plain, arg)
	}
	flush()
	return turns
}

// underline marks the words that were found in the text as it was written.
func underline(w io.Writer, text string, matched []rules.Match) {
	if len(matched) == 0 || strings.ContainsAny(text, "\n\r\t") {
		return
	}
	marked := make([]bool, len(text)+1)
	for _, m := range matched {
		for i := m.Start; i < m.End && i < len(text); i++ {
			marked[i] = true
		}
	}
	var b strings.Builder
	for i, r := range text {
		mark := " "
		if marked[i] {
			mark = "^"
		}
		b.WriteString(strings.Repeat(mark, columns(r)))
	}
	fmt.Fprintf(w, "    %s\n    %s\n", text, strings.TrimRight(b.String(), " "))
}

// columns is how wide a terminal shows a character: two for East Asian ones,
// none for marks that sit on the one before.
func columns(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	if r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 ||
		r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0x1f300 && r <= 0x1faff) {
		return 2
	}
	return 1
}
