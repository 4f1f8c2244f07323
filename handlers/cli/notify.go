package cli

import (
	"context"
	"slices"
	"strings"

	"escalator/bot/notify"
	"escalator/bot/secrets"
	"escalator/handlers/app"
	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/text"
)

const notifyUsage = `--test TEAM [flags]

Sends a test message to a team that the rule file declares under notify. Its address
and key are read from the folder ESCALATOR_SECRETS_DIR; the service need not run.`

// notifyTest sends a test message to a team.
func notifyTest(ctx context.Context, env Env, args []string) error {
	fs := newFlags("notify")
	name := fs.String("test", "", "team to send a test message to")
	file := rulesFlag(fs, env)
	asJSON := fs.Bool("json", false, "print one JSON document")
	if err := flagsOnly(fs, env, args, notifyUsage); err != nil {
		return err
	}
	if *name == "" {
		return &usageError{[]lang.Text{"notify: name a team: escalator notify --test TEAM"}}
	}
	policy, err := readRules(env, *file)
	if err != nil {
		return err
	}
	team, err := teamNamed(policy, *name, *file)
	if err == nil {
		err = sendTest(ctx, env, team)
	}
	switch {
	case *asJSON:
		return writeTested(env, *name, err)
	case err != nil:
		return err
	}
	env.print("%s has a test message now (%s)", text.Printable(team.Name), team.Channel)
	return nil
}

func sendTest(ctx context.Context, env Env, team *rules.Team) error {
	folder := secrets.Folder(env.Getenv(settingNamed("SECRETS_DIR").name()))
	if err := notify.SendTest(ctx, team, folder); err != nil {
		return lang.Errorf("the message to %s (%s) was not accepted: %w", team.Name, team.Channel, err)
	}
	return nil
}

// writeTested prints as JSON how the test went.
func writeTested(env Env, team string, failure error) error {
	result := map[string]any{"ok": failure == nil, "team": team}
	if failure != nil {
		result["error"] = failure.Error()
	}
	if err := writeJSON(env.Stdout, result); err != nil || failure == nil {
		return err
	}
	return exitError(exitBad)
}

// teamNamed finds a team, or says which there are.
func teamNamed(policy *rules.Policy, name, file string) (*rules.Team, error) {
	if team := policy.Team(name); team != nil {
		return team, nil
	}
	var names []string
	for _, t := range policy.Teams() {
		names = append(names, t.Name)
	}
	switch guess := rules.DidYouMean(name, names); {
	case len(names) == 0:
		return nil, lang.Errorf("%s declares no team: add one under notify", file)
	case guess != "":
		return nil, lang.Errorf("%s has no team %q: %s", file, name, guess)
	default:
		slices.Sort(names)
		return nil, lang.Errorf("%s has no team %q: it has %s", file, name, strings.Join(names, ", "))
	}
}

// examineTeams finds out whether the addresses and keys of the teams are there. None is
// called: notify --test does that.
func examineTeams(policy *rules.Policy, s *app.Settings) (findings []finding) {
	for _, team := range policy.Teams() {
		f := finding{Check: "notify", OK: true, Detail: lang.Say("team %s: its address is there (%s); escalator notify --test %s sends a message", team.Name, team.Channel, team.Name)}
		if err := notify.Check(team, secrets.Folder(s.SecretsDir)); err != nil {
			f = finding{Check: "notify", Detail: lang.Say("team %s: %v", team.Name, err), WayOut: "put the address and the key into files of these names, in the folder that ESCALATOR_SECRETS_DIR names"}
		}
		findings = append(findings, f)
		for _, name := range []string{team.URLFile, team.SecretFile} {
			if f.OK && name != "" && secrets.Folder(s.SecretsDir).Exposed(name) {
				findings = append(findings, finding{
					Check: "notify", OK: true, Detail: lang.Say("warning: every user of this machine may read %s of team %s", name, team.Name),
					WayOut: "chmod o-r the file, or o-x the folder that ESCALATOR_SECRETS_DIR names",
				})
			}
		}
	}
	return findings
}
