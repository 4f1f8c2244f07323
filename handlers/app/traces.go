package app

import (
	"escalator/bot/metrics"
	"escalator/bot/trace"
	"escalator/bot/trace/otlp"
)

// openTracer records traces where the settings ask for them. It ends after everything that
// starts spans.
func (a *App) openTracer(instance string, m *metrics.Metrics) trace.Tracer {
	config, _ := a.settings.Traces.Read() // Problems has told of what is wrong with it
	if config == nil {
		return trace.Off{}
	}
	t := otlp.New(config, otlp.Options{
		Version: a.settings.Version, Instance: instance, Log: a.log.Logger, Dropped: func(spans int) { m.SpansDropped.Add(float64(spans)) },
	})
	a.onStop("traces", t.Close)
	a.log.WithField("collector", config.Address()).Info("traces are sent to a collector")
	return t
}
