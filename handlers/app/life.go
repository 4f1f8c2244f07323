package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
)

// Run serves until ctx ends or a listener fails, and stops. A value from reload
// has the rule file read at once. The error has been logged.
func (a *App) Run(ctx context.Context, reload <-chan os.Signal) error {
	a.Start(reload)
	select {
	case err := <-a.served: // a listener broke: the service cannot go on
		a.log.WithError(err).Error("a listener failed: stopping")
		a.served <- nil
		return errors.Join(err, a.Stop())
	case <-ctx.Done():
	}
	a.log.WithField("drain_delay_s", a.settings.DrainDelay.Seconds()).Info("stopping")
	a.tell("STOPPING=1", "STATUS=stopping")
	a.server.NotReadyAnyMore()
	<-time.After(a.settings.DrainDelay)
	return a.Stop()
}

// Start begins to serve, and returns.
func (a *App) Start(reload <-chan os.Signal) {
	a.bot.Start()
	a.background("reception", a.reception.Run)
	a.staff.Start()
	a.background("rule file", a.ruleFile.Watch)
	a.background("reloads", func(ctx context.Context) { a.reloadOn(ctx, reload) })
	go func() { a.served <- a.server.Serve(a.public, a.admin) }()
	a.log.WithFields(logrus.Fields{
		"listen": a.Addr(), "path": ShownPath(a.settings.CallbackPath), "admin": a.AdminAddr(),
		"version": a.settings.Version, "api": hostOf(a.settings.APIURL), "ai_provider": a.settings.AIProvider.String(),
		"data": a.settings.DataDir, "redis": a.settings.RedisURL != "",
		"rules": a.settings.Rules, "rules_version": a.bot.Policy().Version(),
	}).Info("serving")
	a.tell("READY=1", a.status())
	a.background("what the start left", func(context.Context) {
		debug.FreeOSMemory() // loading the packs leaves much more behind than it keeps
	})
	if a.settings.Supervisor.Watchdog > 0 {
		watched, unwatch := context.WithCancel(context.Background())
		a.unwatch = unwatch
		go a.feedWatchdog(watched)
	}
}

// ShownPath is the path of the callbacks without what may be secret in it: all but
// the part that everybody has.
func ShownPath(path string) string {
	const usual = "/callback"
	switch {
	case path == usual:
		return usual
	case strings.HasPrefix(path, usual+"/"):
		return usual + "/…"
	default:
		return "/…"
	}
}

// hostOf is the host of an address, without what else it may hold.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// Stop ends the service within the grace, whatever hangs: first what comes in,
// then what goes out, then the rest, and the log last. What has not ended by its
// part of the grace is left behind, and the log says what becomes of it. It is
// called once, after Start.
func (a *App) Stop() error {
	grace, now := a.settings.ShutdownGrace, time.Now()
	a.unwatch() // from here on callbacks are not answered, and that is right
	err := errors.Join(
		a.end(step{"requests", a.server.Shutdown}, now.Add(grace*5/10)),
		a.end(step{"listeners", func(context.Context) error { return <-a.served }}, now.Add(grace*6/10)),
		a.end(step{"deliveries", a.bot.Stop}, now.Add(grace*7/10)),
		a.end(step{"outbox", a.tellWhatWaits}, now.Add(grace*8/10)),
		a.cleanUp(now.Add(grace*9/10)),
	)
	if err != nil {
		a.log.Error("stopped, but not cleanly")
	} else {
		a.log.Info("stopped")
	}
	flush, cancel := context.WithDeadline(context.Background(), now.Add(grace*19/20))
	defer cancel()
	a.log.Close(flush)
	return err
}

// tellWhatWaits says what a stop leaves for the next start.
func (a *App) tellWhatWaits(context.Context) error {
	if n := a.outbox().Pending; n > 0 {
		then := "they go out after the next start"
		if a.settings.RedisURL != "" {
			then = "another replica goes on with them, or the next start"
		}
		a.log.WithFields(logrus.Fields{"transfers": n, "then": then}).Warn("transfers wait in the outbox")
	}
	return nil
}

// step is one step of the way down.
type step struct {
	name string
	run  func(ctx context.Context) error
}

// whenCut says what becomes of what a stop leaves behind; steps that are not
// listed lose nothing.
var whenCut = map[string]string{
	"requests":    "they are not answered: who sent them sends them again",
	"deliveries":  "their transfers stay in the outbox, and Desk is asked about them first after the next start",
	"outbox":      "how many transfers wait in it is not known",
	"data folder": "transfers are on disk since before they were promised; what else conversations counted last may be missing",
	"history":     "what happened in the last moment may be missing in the history of conversations",
	"recording":   "callbacks of the last second may be missing in the recordings",
}

func (a *App) onStop(name string, run func(context.Context) error) {
	a.cleanups = append(a.cleanups, step{name, run})
}

// background runs work until the service stops.
func (a *App) background(name string, work func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { work(ctx) })
	a.onStop(name, func(context.Context) error { cancel(); done.Wait(); return nil })
}

// errLate is why a step is left behind.
var errLate = errors.New("it takes too long")

// end runs a step, and tells of one that fails. After four fifths of the time until
// the deadline the step is asked to make an end; at the deadline it is left behind,
// in a system call on storage that does not answer, say.
func (a *App) end(s step, deadline time.Time) error {
	left := time.Until(deadline)
	ctx, cancel := context.WithTimeoutCause(context.Background(), left*4/5, errLate)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()
	err := errLate
	select {
	case err = <-ended:
	case <-time.After(left):
	}
	if err == nil {
		return nil
	}
	line := a.log.WithError(err).WithField("part", s.name)
	if then := whenCut[s.name]; then != "" {
		line = line.WithField("then", then)
	}
	line.Error("cut off while stopping")
	return fmt.Errorf("stopping %s: %w", s.name, err)
}

// cleanUp undoes what New built, last first. Each step may take half of what is
// left until the end, so that one that hangs leaves time to all others.
func (a *App) cleanUp(end time.Time) error {
	var problems []error
	for _, s := range slices.Backward(a.cleanups) {
		problems = append(problems, a.end(s, time.Now().Add(time.Until(end)/2)))
	}
	a.cleanups = nil
	return errors.Join(problems...)
}
