package cli

import (
	"context"
	"flag"
	"io"
	"slices"
	"strings"
	"time"

	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/replay"
	"escalator/rules/ruletest"
)

const explainUsage = `TEXT… [flags]

One message of the customer, or several turns, each an argument of its own
(- reads them from standard input, one a line):
  escalator explain "I want a human"
  escalator explain "user: where is it" "bot: sorry?" "user: where IS it"
Before the colon comes one of
  user, bot, agent  who speaks
  mark              the messageType of the bot message that follows, or of one
                    without text: "mark: fallback"
  wait              time that passes: "wait: 5m". Turns follow one another after
                    10 s
  desk              how the transfer ended: assigned, queued, no_agent, failed
  event             what Desk reports, as in the tests of a rule file: closed
`

// explainOptions are the flags of explain.
type explainOptions struct {
	rules   *string
	at      *typedTime
	now     *bool
	test    *string
	file    *string
	session *string
	user    *string
	json    *bool
	asTest  *string
	fields  map[string]string
}

func explainFlags(fs *flag.FlagSet, env Env) *explainOptions {
	o := &explainOptions{
		rules: rulesFlag(fs, env), at: atFlag(fs),
		now:     fs.Bool("now", false, "use the present time"),
		test:    fs.String("test", "", "play the test of this `NAME` step by step"),
		file:    fs.String("recording", "", "explain a conversation in this `FILE` of recorded callbacks or dialogues"),
		session: fs.String("session", "", "`ID` of the conversation in the recording"),
		user:    fs.String("user", "", "`ID` of the customer, for rules that have a share; without it, every customer is in it"),
		json:    fs.Bool("json", false, "print one JSON document"),
		asTest:  fs.String("as-test", "", "print a test of this `NAME` instead, which expects what the rules do now; put it under tests: in the rule file"),
		fields:  map[string]string{},
	}
	fs.Func("field", "`PATH=VALUE`: a field of the customer's messages, such as CloudCustomData.level=gold; may be repeated", func(s string) error {
		path, value, ok := strings.Cut(s, "=")
		if path = strings.TrimSpace(path); !ok || path == "" {
			return lang.Errorf("%q is not of the form PATH=VALUE, such as CloudCustomData.level=gold", s)
		}
		o.fields[path] = value
		return nil
	})
	return o
}

// explain shows what one message, a conversation, a test or a recorded talk would do, and why.
func explain(ctx context.Context, env Env, args []string) error {
	fs := newFlags("explain")
	o := explainFlags(fs, env)
	words, err := parse(fs, env, args, explainUsage)
	if err != nil {
		return err
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if problem := misfit(given, len(words) > 0); problem != "" {
		return &usageError{[]lang.Text{lang.Say("%s (escalator help explain)", problem)}}
	}
	var said []replay.Said
	if *o.test == "" && *o.file == "" {
		if said, err = readTurns(env, words, o.fields); err != nil {
			return err
		}
	}
	policy, err := readRulesOrShipped(env, *o.rules)
	if err != nil {
		return err
	}
	if *o.asTest != "" {
		return o.writeTest(ctx, env, policy, said)
	}
	x, verdict, err := o.story(ctx, env, policy, said)
	if err != nil {
		return err
	}
	if *o.json {
		return writeJSON(env.Stdout, explained{x, verdict})
	}
	p := newPage(env)
	for i := range x.Turns {
		if i > 0 {
			p.blank()
		}
		p.turn(&x.Turns[i])
	}
	if verdict != nil {
		p.blank()
		p.line(lang.Say("test %s: ", verdict.Name), lang.Say("%s%s", map[bool]lang.Text{true: "ok ", false: "FAIL "}[verdict.OK], verdict.Message))
	}
	return nil
}

// explained is what explain --json prints.
type explained struct {
	replay.Explanation
	Test *ruletest.Result `json:"test,omitempty"`
}

// misfit says which flags do not go together, "" if all do.
func misfit(given map[string]bool, words bool) lang.Text {
	switch {
	case given["recording"] != given["session"]:
		return "--recording FILE and --session ID go together"
	case given["recording"] && given["test"]:
		return "--recording and --test: explain one of them"
	case words && (given["recording"] || given["test"]):
		return "a recording or a test has its own turns: leave yours out"
	case given["test"] && (given["at"] || given["now"] || given["field"] || given["user"]):
		return "a test has its own time, fields and customer: leave --at, --now, --field and --user out"
	case given["recording"] && (given["field"] || given["user"]):
		return "a recording has its own fields and customers: leave --field and --user out"
	case given["as-test"] && (given["test"] || given["recording"] || given["json"] || given["user"]):
		return "a test is made from turns alone, and for every customer: leave --test, --recording, --json and --user out"
	case given["at"] && given["now"]:
		return "--at and --now exclude each other"
	}
	return ""
}

// story plays what is to be explained. The verdict is that of a test.
func (o *explainOptions) story(ctx context.Context, env Env, policy *rules.Policy, said []replay.Said) (x replay.Explanation, verdict *ruletest.Result, err error) {
	begin := o.begin(policy)
	switch {
	case *o.file != "":
		x, err = recorded(env, policy, *o.file, *o.session, begin)
		return x, nil, err
	case *o.test != "":
		return playTest(ctx, policy, *o.test)
	}
	steps, err := replay.Steps(said, begin)
	if err == nil {
		x, err = replay.Explain(ctx, policy, steps, replay.Setting{Begin: begin, User: *o.user})
	}
	if err != nil {
		err = &usageError{[]lang.Text{lang.Of(err)}}
	}
	return x, nil, err
}

// begin is when it is said.
func (o *explainOptions) begin(policy *rules.Policy) time.Time {
	if !*o.now {
		return o.at.of(policy)
	}
	begin := time.Now()
	if zone := policy.Zone(); zone != nil {
		begin = begin.In(zone)
	}
	return begin
}

// writeTest prints the entry of a test that says what the rules do with the turns.
func (o *explainOptions) writeTest(ctx context.Context, env Env, policy *rules.Policy, said []replay.Said) error {
	begin := o.begin(policy)
	steps, err := replay.Steps(said, begin)
	if err != nil {
		return &usageError{[]lang.Text{lang.Of(err)}}
	}
	entry, err := ruletest.Entry(ctx, policy, ruletest.Draft{Name: *o.asTest, Steps: steps, Begin: begin})
	if err != nil {
		return &usageError{[]lang.Text{lang.Of(err)}}
	}
	_, err = io.WriteString(env.Stdout, entry)
	return err
}

// playTest plays a test of the file.
func playTest(ctx context.Context, policy *rules.Policy, name string) (x replay.Explanation, verdict *ruletest.Result, err error) {
	tests := policy.Tests()
	i := slices.IndexFunc(tests, func(t rules.Test) bool { return t.Name == name })
	if i < 0 {
		var names []string
		for _, t := range tests {
			names = append(names, t.Name)
		}
		if len(names) == 0 {
			return x, nil, &usageError{[]lang.Text{"the file has no tests"}}
		}
		return x, nil, unknownWord("there is no test", name, names)
	}
	result := ruletest.RunTest(policy, tests[i])
	x, err = replay.Explain(ctx, policy, tests[i].Steps, replay.Setting{Begin: tests[i].At})
	if err != nil { // a step that cannot be: the verdict names it
		err = nil
	}
	return x, &result, err
}
