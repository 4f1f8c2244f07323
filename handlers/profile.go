package handlers

import (
	"net/http"
	"net/http/pprof"
	"strconv"
	"strings"
	"time"

	runtimepprof "runtime/pprof"

	"github.com/gin-gonic/gin"
)

// longestProfile bounds what one request may have measured: it costs the service
// processor time, and the answer is held in memory.
const longestProfile = 30 * time.Second

// profile serves net/http/pprof, one profile at a time, without the command line.
func (s *Server) profile(c *gin.Context) {
	if text := c.Query("seconds"); text != "" {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || !(seconds >= 0 && seconds <= longestProfile.Seconds()) { // NaN too
			refuse(c, http.StatusBadRequest, "seconds must be a number up to 30")
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
	serve(c.Writer, c.Request)
}
