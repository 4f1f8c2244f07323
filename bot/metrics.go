package bot

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"escalator/bot/store"
)

const metricsPrefix = "escalator"

// Metrics counts what the bot decides and delivers. Labels come from closed
// sets: rule ids, outcomes, Desk's codes, and the first few unknown names.
type Metrics struct {
	decisions     *prometheus.CounterVec
	transfers     *prometheus.CounterVec
	transferTime  prometheus.Histogram
	dedupHits     prometheus.Counter
	unknownEvents *prometheus.CounterVec
	held          prometheus.Gauge
	evicted       *prometheus.CounterVec
	forwarded     *prometheus.HistogramVec
	registry      prometheus.Registerer
}

// NewMetrics registers the bot's metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: metricsPrefix, Name: "decisions_total", Help: "Decisions by rule (empty: none) and outcome.",
		}, []string{"rule", "outcome"}),
		transfers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: metricsPrefix, Name: "transfers_total", Help: "Attempts to transfer by outcome and Desk's code.",
		}, []string{"outcome", "code"}),
		transferTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: metricsPrefix, Name: "transfer_seconds", Help: "From the decision to Desk's acceptance.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800},
		}),
		dedupHits: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: metricsPrefix, Name: "dedup_hits_total", Help: "Callbacks that were repeats of an earlier one.",
		}),
		unknownEvents: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: metricsPrefix, Name: "unknown_events_total", Help: "Desk events whose names nobody has explained yet.",
		}, []string{"event"}),
		held: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: metricsPrefix, Name: "courier_held", Help: "1 while Desk refuses every transfer and delivery waits for mended settings.",
		}),
		evicted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: metricsPrefix, Name: "evicted_total", Help: "Conversations and marks forgotten early because a cap was reached.",
		}, []string{"what"}),
		forwarded: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: metricsPrefix, Name: "forward_seconds", Help: "Time that the operator's own bot took to answer, by result (ok, failed).",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 1.5},
		}, []string{"result"}),
		registry: r,
	}
	r.MustRegister(m.decisions, m.transfers, m.transferTime, m.dedupHits, m.unknownEvents, m.held, m.evicted, m.forwarded)
	return m
}

// Evicted returns a function that counts one early eviction of what.
func (m *Metrics) Evicted(what string) func() { return m.evicted.WithLabelValues(what).Inc }

// WatchStores registers the gauges that are read off the stores when asked for.
func (m *Metrics) WatchStores(c store.Conversations, o store.Outbox, now func() time.Time) {
	gauge := func(name, help string, f func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: metricsPrefix, Name: name, Help: help}, f))
	}
	gauge("sessions_live", "Conversations kept.", func() float64 { return float64(c.Live()) })
	gauge("outbox_pending", "Transfers on their way, those that wait for an agent included.", func() float64 { return readOutbox(o, now()).pending })
	gauge("outbox_oldest_seconds", "Age of the oldest transfer on its way.", func() float64 { return readOutbox(o, now()).oldest.Seconds() })
	gauge("outbox_given_up", "Transfers that were given up and are kept for people to read.", func() float64 { return readOutbox(o, now()).givenUp })
}

type outboxReading struct {
	pending, givenUp float64
	oldest           time.Duration
}

func readOutbox(o store.Outbox, now time.Time) (r outboxReading) {
	list, err := o.List(context.Background())
	if err != nil {
		return r
	}
	for _, t := range list {
		switch t.State {
		case store.GivenUp:
			r.givenUp++
		case store.Pending:
			r.oldest = max(r.oldest, now.Sub(t.Created))
			fallthrough
		case store.Waiting:
			r.pending++
		}
	}
	return r
}

// countTransfer counts an attempt. Codes come from Desk's answers, which are
// few; a stranger cannot choose them.
func (m *Metrics) countTransfer(outcome string, code int) {
	m.transfers.WithLabelValues(outcome, strconv.Itoa(code)).Inc()
}
