package handlers

import (
	"errors"
	"net"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"escalator/bot/quiet"
)

// refusalLog writes why callbacks are refused, one kind of reason a line: a
// flood of forged callbacks must not fill the disk.
type refusalLog struct {
	log   *logrus.Logger
	lines quiet.Lines
}

func newRefusalLog(log *logrus.Logger) *refusalLog { return &refusalLog{log: log} }

func (l *refusalLog) write(c *gin.Context, r *refusal, err error) {
	f := logrus.Fields{"status": r.status, "reason": r.reason, "why": r.info, "remote": remoteHost(c.Request.RemoteAddr)}
	level := logrus.WarnLevel
	if caused, ok := errors.AsType[*causedError](err); ok {
		f["error"] = caused.cause.Error()
		level = logrus.ErrorLevel
	}
	l.lines.Log(r.reason, l.log.WithFields(f), level, "callback refused")
}

func remoteHost(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}
