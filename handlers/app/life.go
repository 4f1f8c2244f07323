package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
)

// Run serves until ctx ends or a listener fails, and stops. A value from reload
// has the rule file read at once.
func (a *App) Run(ctx context.Context, reload <-chan os.Signal) error {
	a.Start(reload)
	select {
	case err := <-a.served: // a listener broke: the service cannot go on
		a.served <- err
		a.log.WithError(err).Error("a listener failed: stopping")
		return a.Stop()
	case <-ctx.Done():
	}
	a.log.WithField("drain_delay_s", a.settings.DrainDelay.Seconds()).Info("stopping")
	a.server.NotReadyAnyMore()
	<-time.After(a.settings.DrainDelay)
	return a.Stop()
}

// Start begins to serve, and returns.
func (a *App) Start(reload <-chan os.Signal) {
	a.bot.Start()
	a.background("rule file", func(ctx context.Context) { a.ruleFile.Watch(ctx, reload) })
	go func() { a.served <- a.server.Serve(a.public, a.admin) }()
	a.log.WithFields(logrus.Fields{
		"listen": a.Addr(), "path": shownPath(a.settings.CallbackPath), "admin": a.AdminAddr(),
		"rules_version": a.bot.Policy().Version(),
	}).Info("serving")
}

// shownPath is the path of the callbacks without what may be secret in it: all but
// the part that everybody has.
func shownPath(path string) string {
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

// Stop ends the service within the grace: first what comes in, then what goes
// out with three quarters of the time, then the rest. It is called once, after
// Start.
func (a *App) Stop() error {
	grace, now := a.settings.ShutdownGrace, time.Now()
	soft, cancel := context.WithDeadlineCause(context.Background(), now.Add(grace*3/4), errors.New("three quarters of the shutdown grace are over"))
	defer cancel()
	problems := []error{
		step{"http", a.server.Shutdown}.within(soft),
		step{"listeners", func(context.Context) error { return <-a.served }}.within(soft),
		step{"courier", a.bot.Stop}.within(soft),
		a.cleanUp(now.Add(grace)),
	}
	err := errors.Join(problems...)
	if err != nil {
		a.log.WithError(err).Error("stopped, but not cleanly: transfers that were under way stay in the outbox")
	} else {
		a.log.Info("stopped")
	}
	return err
}

// step is one step of the way down.
type step struct {
	name string
	run  func(ctx context.Context) error
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

// within runs the step and waits for it until ctx ends. What hangs, in a system
// call on storage that does not answer, say, is left behind.
func (s step) within(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.run(ctx) }()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("stopping %s: %w", s.name, err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stopping %s: %w", s.name, context.Cause(ctx))
	}
}

// cleanUp undoes what New built, last first. Each step may take half of what is
// left until the end, so that one that hangs leaves time to all others.
func (a *App) cleanUp(end time.Time) error {
	var problems []error
	for _, s := range slices.Backward(a.cleanups) {
		share, cancel := context.WithTimeoutCause(context.Background(), time.Until(end)/2, errors.New("it takes too long"))
		problems = append(problems, s.within(share))
		cancel()
	}
	a.cleanups = nil
	return errors.Join(problems...)
}
