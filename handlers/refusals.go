package handlers

import (
	"errors"
	"net"
	"sync/atomic"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"
	"golang.org/x/time/rate"
)

// refusalLog writes a line for a refused callback, but not more lines than a
// person can read: a flood of forged callbacks must not fill the disk.
type refusalLog struct {
	log     *logrus.Logger
	limit   *rate.Limiter
	omitted atomic.Int64
}

// A burst of lines to see what is going on, then one a second.
const (
	refusalBurst = 20
	refusalRate  = rate.Limit(1)
)

func newRefusalLog(log *logrus.Logger) *refusalLog {
	return &refusalLog{log: log, limit: rate.NewLimiter(refusalRate, refusalBurst)}
}

func (l *refusalLog) write(c *gin.Context, r *refusal, err error) {
	if !l.limit.Allow() {
		l.omitted.Add(1)
		return
	}
	f := logrus.Fields{"status": r.status, "reason": r.reason, "why": r.info, "remote": remoteHost(c.Request.RemoteAddr)}
	if n := l.omitted.Swap(0); n > 0 {
		f["omitted"] = n
	}
	level := logrus.WarnLevel
	if caused, ok := errors.AsType[*causedError](err); ok {
		f["error"] = caused.cause.Error()
		level = logrus.ErrorLevel
	}
	l.log.WithFields(f).Log(level, "callback refused")
}

func remoteHost(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}
