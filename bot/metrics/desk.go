package metrics

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"escalator/rules"
)

// WatchDesk registers what Desk said last of its agents and its queue. What is not
// known is NaN, so that no alert takes it for 0.
func (m *Metrics) WatchDesk(reading func() *rules.Reading, now func() time.Time) {
	m.registry.MustRegister(&deskGauges{
		reading: reading, now: now,
		agents: prometheus.NewDesc(prometheus.BuildFQName(prefix, "", "desk_agents"), "Agents by state as Desk told last. NaN while nobody knows: it is read only while a rule, a customer who left words, or somebody who looks at `GET /api/desk` needs it. Look when `free` is 0 in office hours: `escalator outbox` shows who waits.", []string{"state"}, nil),
		queue:  prometheus.NewDesc(prometheus.BuildFQName(prefix, "", "desk_queue"), "Customers who wait in Desk's queue as Desk told last. NaN while nobody knows. Look when it grows: more agents are needed, or a group has none online.", nil, nil),
	})
}

// deskGauges reads one reading for all its gauges.
type deskGauges struct {
	reading       func() *rules.Reading
	now           func() time.Time
	agents, queue *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (g *deskGauges) Describe(c chan<- *prometheus.Desc) {
	c <- g.agents
	c <- g.queue
}

// Collect implements prometheus.Collector.
func (g *deskGauges) Collect(c chan<- prometheus.Metric) {
	r := g.reading().Fresh(g.now())
	if r == nil {
		r = &rules.Reading{}
	}
	figure := func(desc *prometheus.Desc, n *int, labels ...string) {
		value := math.NaN()
		if n != nil {
			value = float64(*n)
		}
		c <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	figure(g.agents, r.Free, "free")
	figure(g.agents, r.Busy, "busy")
	figure(g.agents, r.Rest, "rest")
	figure(g.queue, r.Queue)
}
