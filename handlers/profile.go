package handlers

import (
	"context"
	"net/http"
	"net/http/pprof"
	"strconv"
	"strings"

	runtimepprof "runtime/pprof"

	"github.com/gin-gonic/gin"
)

// longestProfile bounds what one request may have measured, in seconds: it costs the
// service processor time, and the answer is held in memory.
const longestProfile = 30

// profile serves net/http/pprof, one profile at a time, without the command line.
func (s *Server) profile(c *gin.Context) {
	if text := c.Query("seconds"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 1 || seconds > longestProfile { // net/http/pprof would take 30 in the place of what it cannot read
			refuse(c, http.StatusBadRequest, "seconds must be a whole number from 1 to 30")
			return
		}
	}
	name := strings.Trim(c.Param("name"), "/")
	serve := http.HandlerFunc(nil)
	switch {
	case name == "":
		pprof.Index(c.Writer, c.Request)
		return
	case name == "profile":
		serve = pprof.Profile
	case name == "trace":
		serve = pprof.Trace
	case runtimepprof.Lookup(name) != nil:
		serve = pprof.Handler(name).ServeHTTP
	default:
		refuse(c, http.StatusNotFound, "there is no such profile")
		return
	}
	if !s.profiling.TryLock() {
		refuse(c, http.StatusTooManyRequests, "another profile is being taken")
		return
	}
	defer s.profiling.Unlock()
	ctx, end := context.WithCancel(c.Request.Context())
	defer end()
	forget := context.AfterFunc(s.streams, end) // a stop ends it early
	defer forget()                              // else each profile is remembered until then
	serve(c.Writer, c.Request.WithContext(ctx))
}
