package handlers

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"escalator/bot/reception"
)

// Reception tells what Desk said of its agents and its queue; *reception.Watcher is one.
type Reception interface {
	Ask(ctx context.Context) reception.Status
}

// desk shows agents and queue as Desk told them last, and has them read for a minute.
func (s *Server) desk(c *gin.Context) {
	is := s.Reception.Ask(c.Request.Context())
	if is.LastError != nil {
		failed := *is.LastError
		read(c, &failed.Error)
		is.LastError = &failed
	}
	c.JSON(http.StatusOK, is)
}
