package handlers

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"escalator/bot"
	"escalator/bot/desk"
	"escalator/bot/history"
)

// conversation shows what is kept of a conversation, by the name that the log has for it.
func (s *Server) conversation(c *gin.Context) {
	session := desk.ID(pathValue(c, "session"))
	told, err := s.Bot.Conversation(c.Request.Context(), session)
	if err != nil {
		writeHistoryError(c, err)
		return
	}
	c.JSON(http.StatusOK, told)
}

// forget removes what is kept of a user.
func (s *Server) forget(c *gin.Context) {
	if _, ok := readOperator(c); !ok {
		return
	}
	gone, err := s.Bot.Forget(c.Request.Context(), desk.ID(pathValue(c, "user")))
	if err != nil {
		writeHistoryError(c, err)
		return
	}
	c.JSON(http.StatusOK, gone)
}

func writeHistoryError(c *gin.Context, err error) {
	status := http.StatusServiceUnavailable
	if errors.Is(err, history.ErrUnknown) || errors.Is(err, bot.ErrNoHistory) {
		status = http.StatusNotFound
	} else {
		c.Header("Retry-After", "1")
	}
	c.JSON(status, gin.H{"error": err.Error()})
}
