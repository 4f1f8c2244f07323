package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// healthz says that the process lives; it asks nothing of anybody else.
func (s *Server) healthz(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) }

// readyz says whether callbacks should come here. It does not depend on Desk:
// while Desk is away transfers are kept.
func (s *Server) readyz(c *gin.Context) {
	reasons := s.NotReady()
	if s.stopping.Load() {
		reasons = append(reasons, "the service is stopping")
	}
	if len(reasons) > 0 {
		c.JSON(http.StatusServiceUnavailable, gin.H{"status": "unready", "reasons": reasons})
		return
	}
	if s.Degraded != nil {
		if reasons = s.Degraded(); len(reasons) > 0 { // another replica would be no better off
			c.JSON(http.StatusOK, gin.H{"status": "degraded", "reasons": reasons})
			return
		}
	}
	c.JSON(http.StatusOK, gin.H{"status": "ready"})
}
