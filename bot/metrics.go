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
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: metricsPrefix, Name: "sessions_live", Help: "Conversations kept.",
	}, func() float64 { return float64(c.Live()) }))
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(metricsPrefix, "", name), help, nil, nil)
	}
	m.registry.MustRegister(&outboxGauges{
		outbox: o, now: now,
		pending: desc("outbox_pending", "Transfers on their way, those that wait for an agent included."),
		oldest:  desc("outbox_oldest_seconds", "Age of the oldest transfer on its way."),
		givenUp: desc("outbox_given_up", "Transfers that were given up and are kept for people to read."),
	})
}

// statsReader is an outbox that counts without making a list of all it holds.
type statsReader interface{ Stats() store.Stats }

// outboxGauges reads the outbox once for all its gauges: it may be long when
// Desk is away, which is when people look.
type outboxGauges struct {
	outbox                   store.Outbox
	now                      func() time.Time
	pending, oldest, givenUp *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (g *outboxGauges) Describe(c chan<- *prometheus.Desc) {
	c <- g.pending
	c <- g.oldest
	c <- g.givenUp
}

// Collect implements prometheus.Collector.
func (g *outboxGauges) Collect(c chan<- prometheus.Metric) {
	tally := g.tally()
	age := 0.0
	if !tally.Oldest.IsZero() {
		age = max(0, g.now().Sub(tally.Oldest).Seconds())
	}
	c <- prometheus.MustNewConstMetric(g.pending, prometheus.GaugeValue, float64(tally.Pending))
	c <- prometheus.MustNewConstMetric(g.oldest, prometheus.GaugeValue, age)
	c <- prometheus.MustNewConstMetric(g.givenUp, prometheus.GaugeValue, float64(tally.GivenUp))
}

func (g *outboxGauges) tally() (tally store.Stats) {
	if o, ok := g.outbox.(statsReader); ok {
		return o.Stats()
	}
	list, err := g.outbox.List(context.Background())
	if err != nil {
		return tally
	}
	for _, t := range list {
		tally.Add(t)
	}
	return tally
}

// countTransfer counts an attempt. Codes come from Desk's answers, which are
// few; a stranger cannot choose them.
func (m *Metrics) countTransfer(outcome string, code int) {
	m.transfers.WithLabelValues(outcome, strconv.Itoa(code)).Inc()
}
