package handlers

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"escalator/bot/desk"
)

// metrics counts callbacks. Its labels are closed sets: what a stranger may
// choose is counted as "other".
type metrics struct {
	callbacks *prometheus.CounterVec
	seconds   prometheus.Histogram
	known     map[labels]prometheus.Counter // of callbacks: found without hashing label by label
}

// labels are those of callbacks_total.
type labels struct{ command, event, result string }

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		callbacks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "escalator", Name: "callbacks_total", Help: "Callbacks by command, event and what became of them: `ok`, `duplicate`, or why they were refused; those that were refused unread have no command and no event. Look when `ok` stands still in business hours (Desk does not reach us: callback URL, proxy, certificate), when `sign_mismatch`, `sign_missing` or `sign_stale` rises (callback token, clock), or when `unavailable` or `overload` does (disk full; too little CPU).",
		}, []string{"command", "event", "result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "escalator", Name: "callback_seconds", Help: "Seconds to the answer of a callback; Tencent waits for 2. Look when the 99th percentile is above 0.5: a slow disk, too little CPU, or your own bot (`escalator_forward_seconds`).",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2},
		}),
	}
	r.MustRegister(m.callbacks, m.seconds)
	m.known = map[labels]prometheus.Counter{}
	m.knownLabels()
	return m
}

// knownLabels has every series that can be foreseen exist from the start: an alert
// on one that has never moved would see nothing.
func (m *metrics) knownLabels() {
	for _, command := range append(slices.Collect(maps.Keys(knownCommands)), other) {
		events := []string{""}
		if command == desk.CommandSessionEvent {
			events = append(slices.Collect(maps.Keys(knownEvents)), other)
		}
		for _, event := range events {
			for _, result := range []string{"ok", "duplicate", errUnavailable.reason} {
				m.known[labels{command, event, result}] = m.callbacks.WithLabelValues(command, event, result)
			}
		}
	}
	for _, r := range []*refusal{
		foreign("", ""), strayed("", ""), errTooLarge, errTooDeep, errNotJSON, errConflict, errIncomplete, errSlow, errNoRoom, errCircle, errOverload,
	} {
		m.callbacks.WithLabelValues("", "", r.reason)
	}
	for _, reason := range []desk.AuthReason{desk.AuthMissing, desk.AuthMismatch, desk.AuthStale} {
		m.callbacks.WithLabelValues("", "", signReason(reason))
	}
}

const other = "other"

var knownCommands = map[string]bool{
	desk.CommandSessionEvent: true, desk.CommandAssignHuman: true, desk.CommandAssignAgent: true, desk.CommandTaskFlow: true,
	desk.CommandBotC2C: true, desk.CommandBotGroup: true, desk.CommandC2CBefore: true, desk.CommandC2CAfter: true,
	desk.CommandGroupBefore: true, desk.CommandGroupAfter: true, desk.CommandMemberChanged: true,
}

var knownEvents = map[string]bool{
	"": true, desk.EventSessionBegin: true, desk.EventUserMessage: true, desk.EventBotMessage: true,
}

// callback counts one; event is nil when it was not decoded.
func (m *metrics) callback(e *desk.Event, result string, took time.Duration) {
	command, name := "", ""
	if e != nil {
		if command = e.Command; !knownCommands[command] {
			command = other
		}
		if name = e.Name; !knownEvents[name] {
			name = other
		}
	}
	count := m.known[labels{command, name, result}]
	if count == nil {
		count = m.callbacks.WithLabelValues(command, name, result)
	}
	count.Inc()
	m.seconds.Observe(took.Seconds())
}
