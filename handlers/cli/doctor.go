package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/bot/inspect"
	"escalator/bot/rulefile"
	"escalator/handlers/app"
	"escalator/rules"
	"escalator/rules/lang"
)

// finding is one line of doctor.
type finding = inspect.Finding

const (
	// doctorTimeout bounds each question to the outside.
	doctorTimeout = 10 * time.Second
	// clockTolerance is how far the clocks may differ: callbacks are refused
	// beyond 60 s, signatures are made for days.
	clockTolerance = 30 * time.Second
)

// doctor checks an installation without serving.
func doctor(ctx context.Context, env Env, args []string) error {
	fs := newFlags("doctor")
	asJSON, file := fs.Bool("json", false, "print one JSON document"), rulesFlag(fs, env)
	if err := flagsOnly(fs, env, args, "[--json] [--rules FILE]   (settings come from the environment)"); err != nil {
		return err
	}
	findings := examine(ctx, env, *file)
	ok := true
	for _, f := range findings {
		ok = ok && f.OK
	}
	if *asJSON {
		if err := writeJSON(env.Stdout, map[string]any{"ok": ok, "checks": findings}); err != nil {
			return err
		}
	} else {
		newPage(env).findings(findings)
	}
	if !ok {
		return exitError(exitBad)
	}
	return nil
}

// findings prints what was found, each with its way out.
func (p *page) findings(all []finding) {
	const indent = 19
	for _, f := range all {
		mark := lang.Text("ok    ")
		if !f.OK {
			mark = "FAIL  "
		}
		p.hang(lang.Say("%s%s ", mark, p.padded(f.Check, 12)), indent, f.Detail)
		if f.WayOut != "" {
			p.hang(lang.Raw(strings.Repeat(" ", indent)+"→ "), indent+2, f.WayOut)
		}
	}
}

// examine makes all checks; where the settings are wrong the others that need
// them are left out.
func examine(ctx context.Context, env Env, ruleFile string) []finding {
	s, err := loadSettings([]string{"--rules", ruleFile}, env)
	if usage, ok := errors.AsType[*usageError](err); ok {
		findings := make([]finding, 0, len(usage.problems))
		for _, p := range usage.problems {
			findings = append(findings, finding{Check: "settings", Detail: p, WayOut: "escalator serve --help lists all settings"})
		}
		return findings
	}
	findings := []finding{{Check: "settings", OK: true, Detail: lang.Say("app %d, %s as %s", s.SDKAppID, s.APIURL, s.Identifier)}}
	_, unknown := unknownVariables(env.Environ)
	for _, w := range unknown {
		findings = append(findings, finding{Check: "settings", OK: true, Detail: lang.Say("warning: %s", w)})
	}
	findings = append(findings, examineToken(s))
	policy, read := examineRules(s)
	findings = append(findings, read...)
	findings = append(findings, examineData(s))
	if s.RecordDir != "" {
		findings = append(findings, examineFolder("recordings", "ESCALATOR_RECORD_DIR", s.RecordDir))
	}
	findings = append(findings, examinePorts(ctx, s)...)
	if s.ForwardURL != "" {
		findings = append(findings, examineForward(ctx, s))
	}
	if c, _ := s.Traces.Read(); c != nil {
		findings = append(findings, examineTraces(ctx, c))
	}
	return append(append(findings, examineRedis(ctx, s), examineClock(ctx, s)), examineDesk(ctx, s, policy)...)
}

func examineToken(s *app.Settings) finding {
	f := finding{Check: "token", OK: true, Detail: "callbacks must be signed"}
	if len(s.CallbackTokens) == 0 {
		f.Detail = "warning: no callback token, so callbacks are not authenticated"
		f.WayOut = "set a token in the console and ESCALATOR_CALLBACK_TOKEN here"
	}
	return f
}

// examineRules asks whether the rule file can be used, and what it names is there. The
// policy is nil where it cannot.
func examineRules(s *app.Settings) (*rules.Policy, []finding) {
	f := finding{Check: "rules", WayOut: lang.Say("escalator check %s shows every error with its place", s.Rules)}
	file, err := rulefile.Open(rulefile.Options{Path: s.Rules})
	var refused *rulefile.RefusedError
	switch {
	case errors.As(err, &refused):
		f.Detail = lang.Say("%s, the first: %s", refused.Why, refused.Problems()[0])
		if len(refused.Failed) > 0 {
			f.WayOut = lang.Say("escalator test %s shows every test that fails", s.Rules)
		}
		return nil, []finding{f}
	case err != nil:
		f.Detail, f.WayOut = lang.Of(err), "name the file with ESCALATOR_RULES"
		return nil, []finding{f}
	}
	policy := file.Policy()
	good := finding{Check: "rules", OK: true, Detail: lang.Say("%s: %d rules, version %s", s.Rules, policy.Summary().Rules, policy.Version())}
	return policy, append([]finding{good}, examineTeams(policy, s)...)
}

// examineData asks whether what must survive a restart can be written, and read.
func examineData(s *app.Settings) finding {
	f := examineFolder("data", "ESCALATOR_DATA_DIR", s.DataDir)
	if !f.OK {
		return f
	}
	damage, err := app.DataDamage(s)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		damage = append(damage, err.Error())
	}
	if len(damage) == 0 {
		return f
	}
	return finding{
		Check: f.Check, Detail: lang.Say("%s: %s", s.DataDir, strings.Join(damage, "; ")),
		WayOut: "serve sets it aside and goes on with the rest; or stop serve and put a copy of the folder in its place",
	}
}

// examineRedis asks whether replicas can share their state.
func examineRedis(ctx context.Context, s *app.Settings) finding {
	f := finding{Check: "redis", OK: true, Detail: "not used: one process, on its own disk"}
	if s.RedisURL == "" {
		return f
	}
	log := logrus.New()
	log.SetOutput(io.Discard)
	client, err := app.RedisClient(s, log, nil)
	if err == nil {
		defer func() { _ = client.Close() }()
		ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
		defer cancel()
		err = client.Check(ctx)
	}
	if err != nil {
		return finding{Check: "redis", Detail: lang.Of(err), WayOut: "ESCALATOR_REDIS_URL must name a Redis 6.2 or newer that can be written; until then each replica works alone"}
	}
	f.Detail = lang.Say("%s can be used", client.Address())
	for _, w := range client.Warnings(ctx) {
		f.Detail = lang.Say("%s; warning: %s", f.Detail, w)
	}
	return f
}

// examineClock compares our clock with the Date that Desk's host sends.
func examineClock(ctx context.Context, s *app.Settings) finding {
	f := finding{Check: "clock", OK: true}
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, s.APIURL, nil)
	if err != nil {
		f.Detail = lang.Say("not checked: %s", err.Error())
		return f
	}
	resp, err := (&http.Client{Timeout: doctorTimeout}).Do(req)
	if err != nil {
		f.Detail = "not checked: the API host does not answer"
		return f
	}
	_ = resp.Body.Close()
	theirs, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		f.Detail = "not checked: the API host sends no time"
		return f
	}
	off := time.Since(theirs).Round(time.Second)
	f.Detail = lang.Say("differs from the API host's by %s", off.Abs())
	if off.Abs() > clockTolerance {
		f.OK = false
		f.WayOut = "set the clock (NTP): callbacks and signatures are refused when it is wrong"
	}
	return f
}

// examineDesk asks whether Desk knows us and, where it does, how its settings go with ours.
func examineDesk(ctx context.Context, s *app.Settings, policy *rules.Policy) []finding {
	client, err := app.DeskClient(s)
	if err != nil {
		return []finding{{Check: "desk", Detail: lang.Of(err)}}
	}
	defer client.Close()
	known := examineSignature(ctx, s, client)
	if !known.OK || policy == nil {
		return []finding{known}
	}
	return append([]finding{known}, inspect.Run(ctx, inspect.Options{
		Desk: client, Policy: policy, AIProvider: s.AIProvider.String(), Forwards: s.ForwardURL != "",
	})...)
}

// examineSignature asks for the state of a session that cannot exist: any answer
// about the session means that address, key and account are right.
func examineSignature(ctx context.Context, s *app.Settings, client *desk.Client) finding {
	f := finding{Check: "desk"}
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	_, err := client.SessionState(ctx, desk.StateRequest{SessionID: "escalator-doctor-no-such-session"})
	var failure *desk.Error
	switch {
	case err == nil:
		f.OK, f.Detail = true, lang.Say("%s accepts our signature", s.APIURL)
	case !errors.As(err, &failure) || failure.Transport():
		f.Detail, f.WayOut = lang.Of(err), "can this machine reach the host? the REST host must be that of the app's data centre (ESCALATOR_API_URL)"
	case failure.Verdict() == desk.Hold || failure.Verdict() == desk.Resign:
		f.Detail = lang.Of(err)
		if row, ok := desk.LookupCode(failure.Code); ok {
			f.WayOut = row.WayOut
		}
	default: // it knows us, and not the session
		f.OK, f.Detail = true, lang.Say("%s accepts our signature (code %d for a made-up session)", s.APIURL, failure.Code)
	}
	return f
}
