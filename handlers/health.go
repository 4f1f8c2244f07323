package handlers

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"escalator/rules/lang"
)

// healthz says that the process lives; it asks nothing of anybody else.
func (s *Server) healthz(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) }

// readiness is what GET /readyz answers.
type readiness struct {
	Status  string   `json:"status"` // ready, degraded or unready
	Reasons []string `json:"reasons,omitempty"`
}

// Unready is the status of a service to which no callback should come.
const Unready = "unready"

// readyz says whether callbacks should come here. It does not depend on Desk:
// while Desk is away transfers are kept.
func (s *Server) readyz(c *gin.Context) {
	is, code := s.readiness(c), http.StatusOK
	if is.Status == Unready {
		code = http.StatusServiceUnavailable
	}
	c.JSON(code, is)
}

// readiness is in the reader's language.
func (s *Server) readiness(c *gin.Context) readiness {
	is := s.ready()
	for i := range is.Reasons {
		read(c, &is.Reasons[i])
	}
	return is
}

func (s *Server) ready() readiness {
	reasons := s.NotReady()
	if s.stopping.Load() {
		reasons = append(reasons, lang.Text("the service is stopping").String())
	}
	if drain := s.drains.now(); drain != nil {
		reasons = append(reasons, lang.Say("draining since %s, by %s", drain.Since.UTC().Format(time.RFC3339), drain.By).String())
	}
	if len(reasons) > 0 {
		return readiness{Unready, reasons}
	}
	if s.Degraded != nil {
		if reasons = s.Degraded(); len(reasons) > 0 { // another replica would be no better off
			return readiness{"degraded", reasons}
		}
	}
	return readiness{Status: "ready"}
}

// watchReady has the metrics say what /readyz says: a load balancer asks that, an alert cannot.
func (s *Server) watchReady(r prometheus.Registerer) {
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "escalator", Name: "ready",
		Help: "1 while callbacks should come here, degraded included; 0 while /readyz is unready. Look when it is 0 and nobody has it drained: escalator status has the reasons, most likely a full disk.",
	}, func() float64 {
		if s.ready().Status == Unready {
			return 0
		}
		return 1
	}))
}
