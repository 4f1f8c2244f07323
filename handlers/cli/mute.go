package cli

import (
	"context"
	"net/url"

	"escalator/bot/rulefile"
	"escalator/rules"
	"escalator/rules/lang"
)

const muteUsage = `RULE --for TIME --why WHY [flags]

Silences a rule of the running service for a while: it decides nothing, and the log
says what it would have done. "escalator unmute RULE" ends it early; "escalator rules"
shows what is muted.`

const unmuteUsage = `RULE [flags]

Ends a rule's mute, even if the rule file no longer has the rule.`

const reloadUsage = `[flags]

Has the running service read its rule file now, and waits for the verdict. It exits
with 1 if the file is refused; the rules that were in force stay.`

// muteRule silences a rule.
func muteRule(ctx context.Context, env Env, args []string) error {
	fs := newFlags("mute")
	makeClient, who := clientFlags(fs, env), operatorFlags(fs, env)
	duration := fs.String("for", "", "how long: a `TIME` such as 2h or 2d")
	rule, err := oneArgument(fs, env, args, muteUsage)
	if err != nil {
		return err
	}
	c, err := makeClient()
	switch {
	case err != nil:
		return err
	case *duration == "" || who().Why == "":
		return &usageError{[]lang.Text{"mute needs --for, how long, and --why (escalator mute --help)"}}
	}
	if err := needBy("mute", who()); err != nil {
		return err
	}
	var answer struct {
		Muted rules.Mute `json:"muted"`
	}
	in := map[string]string{"for": *duration, "by": who().By, "why": who().Why}
	return c.ask(ctx, "POST "+mutePath(rule), in, &answer, func() {
		words := lang.Say("%s is muted until %s", rule, answer.Muted.Until.Local().Format(clockTime))
		if answer.Muted.Until.IsZero() { // --for 0s
			words = lang.Say("%s is no longer muted", rule)
		}
		newPage(env).line("", words)
	})
}

// unmuteRule ends the mute of a rule.
func unmuteRule(ctx context.Context, env Env, args []string) error {
	fs := newFlags("unmute")
	makeClient, who := clientFlags(fs, env), operatorFlags(fs, env)
	rule, err := oneArgument(fs, env, args, unmuteUsage)
	if err != nil {
		return err
	}
	c, err := makeClient()
	if err != nil {
		return err
	}
	var answer struct{}
	request := "DELETE " + mutePath(rule)
	if by := who().By; by != "" {
		request += "?by=" + url.QueryEscape(by)
	}
	return c.ask(ctx, request, nil, &answer, func() { newPage(env).line("", lang.Say("%s is no longer muted", rule)) })
}

func mutePath(rule string) string { return "/api/rules/" + url.PathEscape(rule) + "/mute" }

// reloadRules has the rule file read.
func reloadRules(ctx context.Context, env Env, args []string) error {
	fs := newFlags("reload")
	makeClient, who := clientFlags(fs, env), operatorFlags(fs, env)
	if err := flagsOnly(fs, env, args, reloadUsage); err != nil {
		return err
	}
	c, err := makeClient()
	if err != nil {
		return err
	}
	var answer struct {
		Change  string          `json:"change"`
		Details rulefile.Change `json:"details"`
	}
	return c.ask(ctx, "POST /api/reload", who(), &answer, func() { c.showChange(&answer.Details) })
}
