package app

import (
	"context"
	"path/filepath"

	"escalator/bot/desk"
	"escalator/bot/history"
	"escalator/bot/mask"
	"escalator/bot/metrics"
	"escalator/bot/report"
	"escalator/bot/store/failover"
	"escalator/handlers"
	"escalator/rules/lang"
)

// openHistory opens what is kept of conversations for people to read, nil where nothing
// is to be: then nothing of an earlier time stays either.
func (a *App) openHistory(m *metrics.Metrics, replica *failover.Store) (*history.History, error) {
	s, dir := a.settings, filepath.Join(a.settings.DataDir, "history")
	if s.HistoryFor == 0 {
		if err := history.Remove(dir); err != nil {
			a.log.WithError(err).Error("old history could not be removed")
		}
		return nil, nil
	}
	o := history.Options{
		Dir: dir, Mask: mask.Mode(s.LogText), For: s.HistoryFor, Max: s.HistoryMax, Log: a.log.Logger, Now: a.clock.Wall, Dropped: m.HistoryLost,
	}
	if replica != nil {
		o.Shared = replica
	}
	h, err := history.Open(o)
	if err != nil {
		return nil, &SettingError{lang.Say("ESCALATOR_DATA_DIR: %v", err)}
	}
	a.onStop("history", func(context.Context) error { h.Close(); return nil })
	a.degraded = append(a.degraded, h.Degraded)
	return h, nil
}

// refillStats counts, in the background, what an earlier process has decided.
func (a *App) refillStats(h *history.History) {
	if h == nil {
		return
	}
	a.background("stats of the last day", func(ctx context.Context) {
		if err := a.bot.Stats().Refill(ctx, h); err != nil && ctx.Err() == nil {
			a.log.WithError(err).Warn("stats begin anew: what was decided before the start cannot be read")
		}
	})
}

// newReports makes reports from the history, nil where none is kept.
func (a *App) newReports(h *history.History, client *desk.Client) handlers.Reports {
	if h == nil {
		return nil
	}
	return report.NewLive(h, client, a.clock.Wall)
}
