package handlers

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"escalator/bot/store"
)

// shownDecisions is how many decisions are listed unless ?n= says otherwise.
const shownDecisions = 100

// decisions lists recent decisions, newest first.
func (s *Server) decisions(c *gin.Context) {
	n, err := strconv.Atoi(c.DefaultQuery("n", strconv.Itoa(shownDecisions)))
	if err != nil || n < 1 {
		c.JSON(http.StatusBadRequest, gin.H{"error": "n must be a number above 0"})
		return
	}
	c.JSON(http.StatusOK, gin.H{"decisions": s.Bot.Decisions(n)})
}

// outbox lists the transfers on their way and those that were given up.
func (s *Server) outbox(c *gin.Context) {
	list, err := s.Outbox.List(c.Request.Context())
	if err != nil {
		c.JSON(http.StatusServiceUnavailable, gin.H{"error": err.Error()})
		return
	}
	pending, givenUp := []*store.Transfer{}, []*store.Transfer{}
	for _, t := range list {
		if t.State == store.GivenUp {
			givenUp = append(givenUp, t)
		} else {
			pending = append(pending, t)
		}
	}
	c.JSON(http.StatusOK, gin.H{"pending": pending, "given_up": givenUp})
}
