package delivery

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot/metrics"
	"escalator/bot/store/memory"
	"escalator/rules"
)

func TestSpeaker_aFullQueue_dropsWordsAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logrus.New()
		log.SetOutput(t.Output())
		c := New(Options{ // not started: nobody speaks
			Outbox: memory.NewOutbox(nil), Log: log, Metrics: metrics.New(prometheus.NewRegistry()), Now: time.Now,
			Global: rules.Rate{Count: 10, Per: time.Second},
		})
		dropped := 0
		for range speechQueue + 3 {
			c.Say(&Speech{Session: "s1", Text: "x", Done: func(sent bool) {
				if !sent {
					dropped++
				}
			}})
		}
		if dropped != 3 {
			t.Errorf("%d dropped", dropped)
		}
		if err := c.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
