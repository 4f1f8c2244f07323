// Package metrics holds what the service counts of callbacks, decisions and transfers, for Prometheus.
//
// Labels come from closed sets: rule ids, outcomes, Desk's codes, and the first few unknown names.
package metrics

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"escalator/bot/store"
	"escalator/rules"
)

const prefix = "escalator"

// Metrics counts what is decided and delivered.
type Metrics struct {
	Decisions     *prometheus.CounterVec   // rule, outcome
	DedupHits     prometheus.Counter       // repeats of an earlier callback
	UnknownEvents *prometheus.CounterVec   // event
	Forwarded     *prometheus.HistogramVec // result: ok, failed
	Transfers     *prometheus.CounterVec   // outcome, code: of Desk's answers, which are few
	TransferTime  prometheus.Histogram     // from the decision to Desk's acceptance, in seconds
	LastAgents    *prometheus.CounterVec   // outcome: taken, away: of the agents who were asked alone
	Said          *prometheus.CounterVec   // outcome: sent, failed, dropped
	Messages      *prometheus.CounterVec   // outcome: what became of words that customers left
	MessagesOpen  prometheus.Gauge         // customers who wait for a contact
	Notices       *prometheus.CounterVec   // channel, outcome: sent, retrying, failed, dropped
	Held          prometheus.Gauge         // 1 while the courier is held
	DeskUp        prometheus.Gauge         // 0 while Desk does not answer
	StoreErrors   prometheus.Counter       // writes to the store that failed
	Unrecorded    prometheus.Counter       // callbacks that could not be recorded
	HistoryLost   prometheus.Counter       // entries of the history that could not be kept
	Unshared      prometheus.Counter       // decisions that other replicas are not told of

	evicted  *prometheus.CounterVec
	registry prometheus.Registerer
}

// New registers the bot's metrics.
func New(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		Decisions: counters("decisions_total", "Decisions by rule (empty: none) and outcome.", "rule", "outcome"),
		Transfers: counters("transfers_total", "Attempts to transfer by outcome and Desk's code.", "outcome", "code"),
		TransferTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: prefix, Name: "transfer_seconds", Help: "From the decision to Desk's acceptance.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800},
		}),
		DedupHits:     counter("dedup_hits_total", "Callbacks that were repeats of an earlier one."),
		UnknownEvents: counters("unknown_events_total", "Desk events whose names nobody has explained yet.", "event"),
		LastAgents:    counters("last_agent_total", "Customers whose last agent was asked first, by outcome (taken, away).", "outcome"),
		Said:          counters("say_total", "Messages of ours to customers by outcome (sent, failed, dropped).", "outcome"),
		Messages:      counters("messages_total", "Words that customers left by outcome (left, contacted, done, given_up, unknown, staff_only, waiting, dropped, deleted).", "outcome"),
		MessagesOpen:  gauge("messages_open", "Customers who left words and wait for a contact."),
		Notices:       counters("notify_total", "Messages to the staff by channel and outcome (sent, retrying, failed, dropped).", "channel", "outcome"),
		Held:          gauge("courier_held", "1 while Desk refuses every transfer and delivery waits for mended settings."),
		DeskUp:        gauge("desk_up", "0 while Desk does not answer."),
		StoreErrors:   counter("store_errors_total", "Writes to the data folder that failed."),
		Unrecorded:    counter("recording_errors_total", "Callbacks that could not be recorded."),
		HistoryLost:   counter("history_dropped_total", "Entries of the history of conversations that could not be kept."),
		Unshared:      counter("decisions_unshared_total", "Decisions, and what became of them, that other replicas are not told of because too many waited while Redis was away."),
		evicted:       counters("evicted_total", "Conversations, dedup keys and records forgotten early because a cap was reached.", "what"),
		Forwarded: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: prefix, Name: "forward_seconds", Help: "Time that the operator's own bot took to answer, by result (ok, failed).",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 1.5},
		}, []string{"result"}),
		registry: r,
	}
	r.MustRegister(
		m.Decisions, m.Transfers, m.TransferTime, m.DedupHits, m.UnknownEvents, m.LastAgents, m.Said, m.Messages, m.MessagesOpen, m.Notices, m.Held, m.DeskUp,
		m.StoreErrors, m.Unrecorded, m.HistoryLost, m.Unshared, m.evicted, m.Forwarded,
	)
	m.DeskUp.Set(1)
	for _, result := range []string{"ok", "failed"} {
		m.Forwarded.WithLabelValues(result)
	}
	return m
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: prefix, Name: name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: prefix, Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: prefix, Name: name, Help: help})
}

// Evicted returns a function that counts one early eviction of what.
func (m *Metrics) Evicted(what string) func() { return m.evicted.WithLabelValues(what).Inc }

// KnowRules has the series of the decisions of rules exist before they move.
func (m *Metrics) KnowRules(all []rules.RuleInfo) {
	m.Decisions.WithLabelValues("", rules.OutcomeNone.String())
	for _, r := range all {
		m.Decisions.WithLabelValues(r.ID, r.Action)
		m.Decisions.WithLabelValues(r.ID, rules.OutcomeSuppressed.String())
	}
}

// Build registers what runs here.
func (m *Metrics) Build(version, commit string) {
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: prefix, Name: "build_info", Help: "1 for the version, the commit and the Go version of the program.",
	}, []string{"version", "commit", "go"})
	build.WithLabelValues(version, commit, runtime.Version()).Set(1)
	m.registry.MustRegister(build)
}

// WatchLog registers how many lines of the log were dropped.
func (m *Metrics) WatchLog(dropped func() uint64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Namespace: prefix, Name: "log_dropped_total", Help: "Lines of the log that were dropped because its reader stalled or left.",
	}, func() float64 { return float64(dropped()) }))
}

// WatchMutes registers how many rules are muted.
func (m *Metrics) WatchMutes(muted func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: prefix, Name: "mutes", Help: "Rules that operators have muted.",
	}, func() float64 { return float64(muted()) }))
}

// WatchStores registers the gauges that are read off the stores when asked for.
func (m *Metrics) WatchStores(live func() int, outbox func() store.Stats, now func() time.Time) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: prefix, Name: "sessions_live", Help: "Conversations kept.",
	}, func() float64 { return float64(live()) }))
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(prefix, "", name), help, nil, nil)
	}
	m.registry.MustRegister(&outboxGauges{
		stats: outbox, now: now,
		pending: desc("outbox_pending", "Transfers on their way, those that wait for an agent included."),
		oldest:  desc("outbox_oldest_seconds", "Age of the oldest transfer on its way."),
		givenUp: desc("outbox_given_up", "Transfers that were given up and are kept for people to read."),
	})
}

// outboxGauges reads the outbox once for all its gauges: it may be long when
// Desk is away, which is when people look.
type outboxGauges struct {
	stats                    func() store.Stats
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
	stats := g.stats()
	age := 0.0
	if !stats.Oldest.IsZero() {
		age = max(0, g.now().Sub(stats.Oldest).Seconds())
	}
	c <- prometheus.MustNewConstMetric(g.pending, prometheus.GaugeValue, float64(stats.Pending))
	c <- prometheus.MustNewConstMetric(g.oldest, prometheus.GaugeValue, age)
	c <- prometheus.MustNewConstMetric(g.givenUp, prometheus.GaugeValue, float64(stats.GivenUp))
}
