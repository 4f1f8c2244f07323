package handlers

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"escalator/bot"
)

const (
	// shownDecisions is how many decisions are listed unless ?n= says otherwise.
	shownDecisions = 100
	// streamPing keeps proxies from closing a silent stream.
	streamPing = 15 * time.Second
)

// decisions lists recent decisions, newest first, or streams those to come.
func (s *Server) decisions(c *gin.Context) {
	switch c.Query("stream") {
	case "1":
		s.streamDecisions(c)
		return
	case "", "0":
	default:
		c.JSON(http.StatusBadRequest, gin.H{"error": "stream must be 1, or left out"})
		return
	}
	n, err := strconv.Atoi(c.DefaultQuery("n", strconv.Itoa(shownDecisions)))
	if err != nil || n < 1 {
		c.JSON(http.StatusBadRequest, gin.H{"error": "n must be a number above 0"})
		return
	}
	c.JSON(http.StatusOK, gin.H{"decisions": s.Bot.Decisions(n)})
}

// streamDecisions sends decisions as server-sent events until the reader goes
// away, falls behind, or the service stops.
func (s *Server) streamDecisions(c *gin.Context) {
	if !s.watchers.enter(0) {
		s.reached.of(limitStreams)()
		c.Header("Retry-After", strconv.Itoa(int(streamPing.Seconds())))
		refuse(c, http.StatusServiceUnavailable, "too many are watching: try again later")
		return
	}
	defer s.watchers.leave(0)
	c.Header("Content-Type", "text/event-stream")
	c.Header("X-Accel-Buffering", "no")
	if c.Request.Method == http.MethodHead { // it would never end
		return
	}
	decisions, stop := s.Bot.Watch()
	defer stop()
	w := http.NewResponseController(c.Writer)
	ping := time.NewTicker(streamPing)
	defer ping.Stop()
	send := func(text string) bool {
		// The server's own write timeout would cut the stream.
		_ = w.SetWriteDeadline(time.Now().Add(writeTimeout))
		_, err := c.Writer.WriteString(text)
		if err == nil {
			err = w.Flush()
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.reached.of(limitSlowStream)()
		}
		return err == nil
	}
	if !send(": decisions as they are made\n\n") {
		return
	}
	for {
		select {
		case d, open := <-decisions:
			if !open { // the reader fell too far behind
				s.reached.of(limitSlowStream)()
				return
			}
			if !send(event(d)) {
				return
			}
		case <-ping.C:
			if !send(": ping\n\n") {
				return
			}
		case <-c.Request.Context().Done():
			return
		case <-s.streams.Done():
			return
		}
	}
}

func event(d *bot.DecisionRecord) string {
	b, err := json.Marshal(d)
	if err != nil {
		return ": a decision that cannot be shown\n\n"
	}
	return fmt.Sprintf("event: decision\ndata: %s\n\n", b)
}
