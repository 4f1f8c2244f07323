package app

import (
	"context"

	"escalator/bot/metrics"
	"escalator/bot/notify"
	"escalator/bot/secrets"
	"escalator/bot/store"
	"escalator/bot/trace"
	"escalator/rules"
)

// openStaff makes what tells the staff. It begins to send when the service starts, and
// ends after all that may tell it something.
func (a *App) openStaff(kept *stores, m *metrics.Metrics, t trace.Tracer) {
	a.staff = notify.New(notify.Options{
		Policy: a.ruleFile.Policy, Records: kept.records, Secrets: secrets.Folder(a.settings.SecretsDir),
		GivenUp: func(ctx context.Context) ([]*store.Transfer, error) { return kept.outbox.List(ctx, store.GivenUp) },
		Waiting: func(context.Context) int { return kept.stats().Pending },
		Log:     a.log.Logger, Metrics: m, Tracer: t, Clock: a.clock,
	})
	a.onStop("messages to the staff", a.staff.Stop)
	a.warnOfSecrets(a.ruleFile.Policy())
}

// warnOfSecrets tells of teams whose address or key is not there: what they are told
// waits until it is.
func (a *App) warnOfSecrets(p *rules.Policy) {
	for _, team := range p.Teams() {
		if err := notify.Check(team, secrets.Folder(a.settings.SecretsDir)); err != nil {
			a.log.WithError(err).WithField("team", team.Name).Warn("a team's address or key is missing: its messages wait for up to a day")
		}
	}
}
