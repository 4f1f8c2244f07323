package handlers

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot/mask"
	"escalator/rules"
)

const (
	// usualDrain is how long POST /api/drain waits at most unless it says otherwise, and
	// longestDrain what it may say.
	usualDrain   = "5m"
	longestDrain = 24 * time.Hour
	// drainLook is how often is looked whether anything still waits.
	drainLook = 100 * time.Millisecond
)

// Drain is the service on its way out: not ready, and at work all the same. It ends by
// hand or with the process, not with its time: who drains is about to stop it.
type Drain struct {
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"` // who waits is answered by then
	By      string    `json:"by,omitempty"`
	Why     string    `json:"why,omitempty"`
	Pending int       `json:"pending"` // transfers that have to go out yet
}

// drains is the drain of this process, if there is one.
type drains struct {
	pending func() int

	mu      sync.Mutex
	drain   *Drain        // nil: none
	changed chan struct{} // closed when the drain is prolonged, or ended
}

func newDrains(pending func() int, r prometheus.Registerer) *drains {
	d := &drains{pending: pending, changed: make(chan struct{})}
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "escalator", Name: "draining", Help: "1 while an operator has the service drained: not ready, callbacks still answered. Look when it is 1 for longer than an upgrade takes: `escalator drain --end`.",
	}, func() float64 {
		if d.now() == nil {
			return 0
		}
		return 1
	}))
	return d
}

// now returns the drain, nil if there is none.
func (d *drains) now() *Drain {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.drain == nil {
		return nil
	}
	now := *d.drain
	now.Pending = d.pending()
	return &now
}

// set begins a drain, prolongs the one that there is, or ends it with nil. It reports
// whether there was one.
func (d *drains) set(next *Drain) (before bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before = d.drain != nil
	if before && next != nil {
		next.Since = d.drain.Since
		if d.drain.Until.After(next.Until) {
			next.Until = d.drain.Until
		}
	}
	d.drain = next
	close(d.changed)
	d.changed = make(chan struct{})
	return before
}

// wait waits until nothing is pending, the drain's time is over or it is ended, or ctx
// ends. It returns what is pending then.
func (d *drains) wait(ctx context.Context) (pending int) {
	look := time.NewTicker(drainLook)
	defer look.Stop()
	for {
		d.mu.Lock()
		drain, changed := d.drain, d.changed
		d.mu.Unlock()
		if pending = d.pending(); pending == 0 || drain == nil || !time.Now().Before(drain.Until) {
			return pending
		}
		select {
		case <-look.C:
		case <-changed:
		case <-ctx.Done():
			return pending
		}
	}
}

// startDrain makes the service not ready, and answers when nothing waits for delivery any
// more, or the time is over. Who does not wait for the answer ends the wait, not the drain.
func (s *Server) startDrain(c *gin.Context) {
	var in struct {
		For string `json:"for"`
		By  string `json:"by"`
		Why string `json:"why"`
	}
	if c.Request.ContentLength != 0 && !readJSON(c, &in) {
		return
	}
	d, ok := rules.ParseDuration(cmp.Or(in.For, usualDrain))
	if !ok || d <= 0 || d > longestDrain {
		fail(c, http.StatusBadRequest, `"for" must be a duration above 0 and up to 24h, such as "5m"`)
		return
	}
	c.Set(actor, in.By)
	began := time.Now()
	by := mask.Clip(cmp.Or(in.By, remoteHost(c.Request.RemoteAddr)))
	again := s.drains.set(&Drain{Since: began, Until: began.Add(d), By: by, Why: mask.Reason(in.Why)})
	line := s.Log.WithFields(logrus.Fields{"by": by, "remote": remoteHost(c.Request.RemoteAddr), "for_s": d.Seconds(), "pending": s.Pending()})
	if in.Why != "" {
		line = line.WithField("why", mask.Reason(in.Why))
	}
	if again {
		line.Warn("the drain goes on for longer")
	} else {
		line.Warn("draining: not ready any more; callbacks are still answered, and transfers delivered")
	}
	w := http.NewResponseController(c.Writer) // the server's own limits would cut the wait
	_ = w.SetReadDeadline(time.Time{})
	ctx, end := context.WithCancel(c.Request.Context())
	defer end()
	forget := context.AfterFunc(s.streams, end) // a stop ends the wait
	defer forget()
	pending := s.drains.wait(ctx)
	waited := time.Since(began)
	s.Log.WithFields(logrus.Fields{"pending": pending, "waited_s": waited.Seconds()}).Info("the wait for the outbox has ended")
	_ = w.SetWriteDeadline(time.Now().Add(writeTimeout))
	c.JSON(http.StatusOK, gin.H{"drained": pending == 0, "pending": pending, "waited_s": waited.Seconds()})
}

// endDrain makes the service ready again. Who does it may be told with ?by=.
func (s *Server) endDrain(c *gin.Context) {
	c.Set(actor, c.Query("by"))
	if !s.drains.set(nil) {
		fail(c, http.StatusNotFound, "the service is not being drained")
		return
	}
	s.Log.WithField("by", mask.Clip(cmp.Or(c.Query("by"), remoteHost(c.Request.RemoteAddr)))).Warn("the drain has ended: ready again")
	c.JSON(http.StatusOK, gin.H{"drain": nil})
}
