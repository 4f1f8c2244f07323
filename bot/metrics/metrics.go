// Package metrics holds what the service counts of callbacks, decisions and transfers, for Prometheus.
//
// Labels come from closed sets: rule ids, outcomes, Desk's codes, and the first few unknown names. Each series
// that can be foreseen is there from the start, at 0: an alert on one that has never moved would see nothing.
//
// The help of a metric has two parts, here and wherever else one is registered: what it says and, from "Look when"
// on, what to do about it. docs/metrics.md is made of them.
package metrics

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"escalator/bot/store"
	"escalator/rules"
)

const prefix = "escalator"

// Metrics counts what is decided and delivered.
type Metrics struct {
	Decisions     *prometheus.CounterVec   // rule, outcome: see Decided
	DedupHits     prometheus.Counter       // repeats of an earlier callback
	UnknownEvents *prometheus.CounterVec   // event
	Unplaced      prometheus.Counter       // messages that name no conversation
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
	SpansDropped  prometheus.Counter       // spans of traces that did not reach their collector

	evicted  *prometheus.CounterVec
	known    atomic.Pointer[map[decision]prometheus.Counter] // of Decisions: found without hashing label by label
	registry prometheus.Registerer
}

// New registers the bot's metrics.
func New(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		Decisions: counters("decisions_total", "Decisions by rule and outcome. Look when a rule's share of `transfer` triples: `escalator decisions --rule ID` shows the words that led to it; `escalator mute` silences the rule while you look.", "rule", "outcome"),
		Transfers: counters("transfers_total", "Attempts to transfer by outcome and Desk's code. Look when `failed`, `session_gone` or `unanswered` rises: `escalator outbox` has the error of each transfer that was given up; `unanswered` means that nobody took the customer out of Desk's queue in time.", "outcome", "code"),
		TransferTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: prefix, Name: "transfer_seconds", Help: "From the decision to Desk's acceptance, in seconds; waiting for an agent counts. Look when the median is above 5: either nobody is free (`escalator_desk_agents`) or Desk is slow or away (`escalator_desk_up`).",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800},
		}),
		DedupHits:     counter("dedup_hits_total", "Callbacks that were repeats of an earlier one. Look when it grows as fast as the callbacks: Desk repeats what it thinks was not answered in 2 s; see `escalator_callback_seconds`."),
		UnknownEvents: counters("unknown_events_total", "Desk events whose names nobody has explained yet: the first 32, then `other`. Look when it rises: say under `events:` in the rule file what they mean.", "event"),
		Unplaced:      counter("unplaced_messages_total", "Messages that were acknowledged and ignored because their bodies say neither which session nor which customer and account they belong to. Look when it rises with nearly every callback: a proxy changes the bodies, or Tencent calls the fields by other names; the line `a message names no conversation` of the log has the names that are missing."),
		LastAgents:    counters("last_agent_total", "Customers whose last agent was asked first (`prefer_last_agent`): `taken`, or `away`, whereupon the target followed. Look when nearly all are `away`: the question costs a call to Desk each and brings nothing.", "outcome"),
		Said:          counters("say_total", "Messages of ours to customers: `sent`, `failed` (Desk refused them), or `dropped` (not sent within 30 s). Look when `failed` or `dropped` rises: the lines `say` of the log have Desk's error.", "outcome"),
		Messages:      counters("messages_total", "Words that customers left (`take_message`): `left`, then `contacted`, `done` (reached a person in another way), `given_up`, `unknown` (Desk's answer was lost), `staff_only` (nobody can be contacted), `dropped` (more than 10,000 wait), `deleted`, or `put_back` (Redis had lost them); `waiting`: Desk refused for now. Look when `given_up`, `unknown` or `dropped` rises: `GET /api/messages` and the lines `message` of the log say whose; somebody must write to these customers.", "outcome"),
		MessagesOpen:  gauge("messages_open", "Customers who left words and wait for a contact; replicas on one Redis tell the same number. Look when it grows while agents are free: the lines `message` of the log have Desk's refusal."),
		Notices:       counters("notify_total", "Messages to the staff: `sent`, `retrying` (a try that was refused or not answered), `failed` (given up after a day), or `dropped` (more than 1,000 events at once). Look when `retrying` goes on rising, or `failed` or `dropped` rises: `escalator notify --test TEAM` says why.", "channel", "outcome"),
		Held:          gauge("courier_held", "1 while Desk refuses every transfer and delivery waits for mended settings. Look when it is 1: the line `courier held` has Desk's code, `escalator doctor` tries the key."),
		DeskUp:        gauge("desk_up", "0 while Desk does not answer. Look when it is 0: transfers are kept and sent when it is back; try the network and `ESCALATOR_API_URL` with `escalator doctor`."),
		StoreErrors:   counter("store_errors_total", "Writes to the data folder that failed. Look when it rises: most likely the disk is full or read-only; while nothing can be stored callbacks that would transfer get 503."),
		Unrecorded:    counter("recording_errors_total", "Callbacks that could not be recorded. Look when it rises: `ESCALATOR_RECORD_DIR` is full, or too slow; nothing but the recording suffers."),
		HistoryLost:   counter("history_dropped_total", "Entries of the history of conversations that could not be kept: the disk, or a flood; until a minute after, `/readyz` is degraded. Look when it rises: make room in the data folder; decisions and transfers go on."),
		Unshared:      counter("decisions_unshared_total", "Decisions, transfers and labels that other replicas never show: more than 4,096 waited while Redis was away. Look when it rises: see to Redis (`escalator_redis_up`); only what is shown suffers."),
		SpansDropped:  counter("trace_spans_dropped_total", "Spans of traces that did not reach their collector. Look when it rises: the line `traces do not reach their collector` of the log says why; nothing but the traces suffers."),
		evicted:       counters("evicted_total", "What was forgotten early because a cap was reached: conversations, dedup keys (`mark`), and records kept beside them. Look when it rises: raise `ESCALATOR_MAX_CONVERSATIONS`, `ESCALATOR_MAX_MARKS` or `ESCALATOR_MAX_USERS`, and give the process memory for it.", "what"),
		Forwarded: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: prefix, Name: "forward_seconds", Help: "Seconds that your own bot (`ESCALATOR_FORWARD_URL`) took to answer. Look when `failed` rises: the bot is down, late (over 1.5 s) or answers no JSON; each failure counts as a miss of the bot.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 1.5},
		}, []string{"result"}),
		registry: r,
	}
	r.MustRegister(
		m.Decisions, m.Transfers, m.TransferTime, m.DedupHits, m.UnknownEvents, m.Unplaced, m.LastAgents, m.Said, m.Messages, m.MessagesOpen, m.Notices, m.Held, m.DeskUp,
		m.StoreErrors, m.Unrecorded, m.HistoryLost, m.Unshared, m.SpansDropped, m.evicted, m.Forwarded,
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

// decision are the labels of Decisions.
type decision struct {
	rule    string
	outcome rules.Outcome
}

// Decided counts a decision.
func (m *Metrics) Decided(rule string, o rules.Outcome) {
	if known := m.known.Load(); known != nil {
		if count := (*known)[decision{rule, o}]; count != nil {
			count.Inc()
			return
		}
	}
	m.Decisions.WithLabelValues(rule, o.String()).Inc()
}

// KnowRules has the series of the decisions of rules exist before they move.
func (m *Metrics) KnowRules(all []rules.RuleInfo) {
	known := map[decision]prometheus.Counter{}
	know := func(rule string, o rules.Outcome) {
		known[decision{rule, o}] = m.Decisions.WithLabelValues(rule, o.String())
	}
	for _, none := range []rules.Outcome{rules.OutcomeNone, rules.OutcomeShadow, rules.OutcomeAsked} {
		know("", none)
	}
	for _, r := range all {
		for _, o := range []rules.Outcome{
			rules.OutcomeTransfer, rules.OutcomeOffer, rules.OutcomeKeep, rules.OutcomeClosed, rules.OutcomeSuppressed, rules.OutcomeAsked, rules.OutcomeMessage,
			rules.OutcomeNone, // its offer was declined
		} {
			know(r.ID, o)
		}
	}
	m.known.Store(&known)
}

// Build registers what runs here.
func (m *Metrics) Build(version, commit string) {
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: prefix, Name: "build_info", Help: "1 for the program that runs. Look when replicas differ for longer than an upgrade takes.",
	}, []string{"version", "commit", "go"})
	build.WithLabelValues(version, commit, runtime.Version()).Set(1)
	m.registry.MustRegister(build)
}

// WatchLog registers how many lines of the log were dropped.
func (m *Metrics) WatchLog(dropped func() uint64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Namespace: prefix, Name: "log_dropped_total", Help: "Lines of the log that were dropped because its reader stalled or left. Look when it rises: the process that reads standard error is too slow, or gone; the service itself goes on.",
	}, func() float64 { return float64(dropped()) }))
}

// WatchMutes registers how many rules are muted.
func (m *Metrics) WatchMutes(muted func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: prefix, Name: "mutes", Help: "Rules that operators have muted. Look when it is above 0 for days: `escalator rules` says who muted what, and until when.",
	}, func() float64 { return float64(muted()) }))
}

// WatchStores registers the gauges that are read off the stores when asked for.
func (m *Metrics) WatchStores(live func() int, outbox func() store.Stats, now func() time.Time) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: prefix, Name: "sessions_live", Help: "Conversations kept in memory. Look when it comes near `ESCALATOR_MAX_CONVERSATIONS`: beyond it the one that was idle longest is forgotten (`escalator_evicted_total`).",
	}, func() float64 { return float64(live()) }))
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(prefix, "", name), help, nil, nil)
	}
	m.registry.MustRegister(&outboxGauges{
		stats: outbox, now: now,
		pending: desc("outbox_pending", "Transfers on their way, those that wait for an agent included; replicas on one Redis tell the same number. Look when it grows: `escalator outbox` says what each waits for."),
		oldest:  desc("outbox_oldest_seconds", "Age of the oldest transfer on its way, in seconds; those that wait for an agent do not count. Look when it is above 120: `escalator outbox` says what it waits for."),
		givenUp: desc("outbox_given_up", "Transfers that were given up and are kept for a week for people to read. Look when it grows: `escalator outbox` has the error of each; then `escalator retry` or `escalator dismiss`."),
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
