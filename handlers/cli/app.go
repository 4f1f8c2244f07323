package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/sirupsen/logrus"

	"escalator/bot"
	"escalator/bot/backend"
	"escalator/bot/desk"
	"escalator/bot/mask"
	"escalator/bot/metrics"
	"escalator/bot/recording"
	"escalator/bot/rulefile"
	"escalator/bot/store/bolt"
	"escalator/handlers"
)

// app is the running service: everything that has to be started and stopped.
type app struct {
	settings *Settings
	log      *logrus.Logger
	bot      *bot.Bot
	ruleFile *rulefile.File
	server   *handlers.Server
	public   net.Listener
	admin    net.Listener
	cleanups []cleanup // run in reverse order
}

// cleanup is one step of the way down.
type cleanup struct {
	name string
	run  func(ctx context.Context) error
}

func (a *app) onStop(name string, run func(context.Context) error) {
	a.cleanups = append(a.cleanups, cleanup{name, run})
}

// newApp builds the service and binds its listeners; nothing is served yet.
// It is one straight function, because what depends on what is the point of it.
func newApp(s *Settings, ruleFile *rulefile.File, log *logrus.Logger) (a *app, err error) {
	built := &app{settings: s, log: log, ruleFile: ruleFile}
	a = built
	defer func() {
		if err != nil { // a is nil by then
			err = errors.Join(err, built.cleanUp(context.Background()))
		}
	}()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metrics := metrics.New(registry)

	client, err := deskClient(s)
	if err != nil {
		return nil, err
	}
	a.onStop("desk client", func(context.Context) error { client.Close(); return nil })
	kept, err := a.openStores(metrics, registry)
	if err != nil {
		return nil, err
	}
	metrics.WatchStores(kept.conversations, kept.outbox, time.Now)

	ownBot, recorder, err := a.companions()
	if err != nil {
		return nil, err
	}
	a.bot = bot.New(bot.Options{
		Backend: ownBot, Recorder: recorder,
		Policy: ruleFile.Policy(), Desk: client,
		Conversations: kept.conversations, Dedup: kept.marks, Outbox: kept.outbox, RateLimiter: kept.pace,
		AIProvider: s.AIProvider, Horizon: s.DeliveryHorizon, LogText: mask.Mode(s.LogText), Log: log, Metrics: metrics,
	})
	if err := a.bot.KeepMutes(s.DataDir); err != nil {
		log.WithError(err).Error("the mutes of an earlier process are lost")
	}
	ruleFile.Attach(a.bot.SetPolicy, log, registry)
	a.server = handlers.New(handlers.Options{
		Bot: a.bot, RuleFile: a.ruleFile, SDKAppID: s.SDKAppID, Verifier: desk.NewVerifier(s.CallbackTokens, s.CallbackSkew),
		CallbackPath: s.CallbackPath, AdminToken: s.AdminToken,
		NotReady: func() (reasons []string) {
			if err := kept.outbox.Writable(); err != nil {
				reasons = append(reasons, "the outbox cannot be written: "+err.Error())
			}
			return reasons
		},
		Degraded: kept.degraded,
		Log:      log, Registry: registry,
	})
	a.takeUp(kept)
	a.shareRest(kept.replica)
	return a, a.listen()
}

// deskClient is the client of Desk's REST API that the settings describe.
func deskClient(s *Settings) (*desk.Client, error) {
	c, err := desk.NewClient(desk.ClientOptions{
		Identity: desk.Identity{SDKAppID: s.SDKAppID, Identifier: s.Identifier, Key: s.SecretKey},
		URL:      s.APIURL, BackupURL: s.APIBackup, Insecure: s.APIInsecure,
	})
	if err != nil {
		return nil, &usageError{[]string{err.Error()}}
	}
	return c, nil
}

// openData opens what must survive a restart. Damage is told of, not fatal.
func openData(s *Settings, log *logrus.Logger) (*bolt.Store, error) {
	disk, err := bolt.Open(bolt.Options{Dir: s.DataDir, Report: func(problem, keptAt string) {
		log.WithField("kept_at", keptAt).Error("damage in the data folder: " + problem)
	}})
	if err != nil {
		return nil, &usageError{[]string{"ESCALATOR_DATA_DIR: " + err.Error()}}
	}
	return disk, nil
}

// companions are what the settings may add: the operator's own bot behind us,
// and the recording of callbacks. Each is nil where it is not asked for.
func (a *app) companions() (ownBot bot.Backend, recorder bot.Recorder, err error) {
	s := a.settings
	if s.ForwardURL != "" {
		c, err := backend.New(s.ForwardURL)
		if err != nil {
			return nil, nil, fmt.Errorf("ESCALATOR_FORWARD_URL: %w", err)
		}
		a.onStop("bot behind us", func(context.Context) error { c.Close(); return nil })
		ownBot = c
	}
	if s.RecordDir != "" {
		w, err := recording.Open(recording.Options{Dir: s.RecordDir, Mask: mask.Mode(s.LogText), Keep: s.RecordFor, Log: a.log})
		if err != nil {
			return nil, nil, &usageError{[]string{"ESCALATOR_RECORD_DIR: " + err.Error()}}
		}
		a.onStop("recording", func(context.Context) error { return w.Close() })
		recorder = w
	}
	return ownBot, recorder, nil
}

// takeUp restores what an earlier process left.
func (a *app) takeUp(kept *stores) {
	left := kept.disk.Restored()
	kept.local.Restore(left)
	a.bot.Wake(slices.Collect(maps.Keys(left)))
	if transfers, err := kept.disk.List(context.Background()); err == nil && len(transfers)+len(left) > 0 {
		a.log.WithFields(logrus.Fields{"transfers": len(transfers), "conversations": len(left)}).Info("taken up from before the restart")
	}
}

// background runs work until the service stops.
func (a *app) background(name string, work func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { work(ctx) })
	a.onStop(name, func(context.Context) error { cancel(); done.Wait(); return nil })
}

// listen binds both listeners, so that a port that is taken is known before
// anything is served.
func (a *app) listen() error {
	var config net.ListenConfig
	for _, l := range []struct {
		what, address string
		listener      *net.Listener
	}{{"public", a.settings.Listen, &a.public}, {"operators'", a.settings.AdminListen, &a.admin}} {
		listener, err := config.Listen(context.Background(), "tcp", l.address)
		if err != nil {
			return fmt.Errorf("%s listener: %w", l.what, err)
		}
		*l.listener = listener
		a.onStop(l.what+" listener", func(context.Context) error {
			if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
				return err
			}
			return nil
		})
	}
	return nil
}

// serve runs the service until ctx ends, and stops it cleanly. A value from
// reload has the rule file read at once.
func (a *app) serve(ctx context.Context, reload <-chan os.Signal) error {
	a.bot.Start()
	a.background("rule file", func(ctx context.Context) { a.ruleFile.Watch(ctx, reload) })
	served := make(chan error, 1)
	go func() { served <- a.server.Serve(a.public, a.admin) }()
	a.log.WithFields(logrus.Fields{
		"listen": a.public.Addr().String(), "path": a.settings.CallbackPath, "admin": a.admin.Addr().String(),
		"rules_version": a.bot.Policy().Version(),
	}).Info("serving")
	select {
	case err := <-served: // a listener broke: the service cannot go on
		return errors.Join(err, a.stop())
	case <-ctx.Done():
	}
	a.log.WithField("drain_delay_s", a.settings.DrainDelay.Seconds()).Info("stopping")
	a.server.NotReadyAnyMore()
	<-time.After(a.settings.DrainDelay)
	err := a.stop()
	return errors.Join(err, <-served)
}

// stop ends the service within the grace: first what comes in, then what goes
// out with three quarters of the time, then the rest.
func (a *app) stop() error {
	grace := a.settings.ShutdownGrace
	hard, cancelHard := context.WithTimeoutCause(context.Background(), grace, errors.New("the shutdown grace is over"))
	defer cancelHard()
	soft, cancelSoft := context.WithTimeoutCause(hard, grace*3/4, errors.New("three quarters of the shutdown grace are over"))
	defer cancelSoft()
	var problems []error
	for _, step := range []cleanup{{"http", a.server.Shutdown}, {"courier", a.bot.Stop}} {
		if err := step.run(soft); err != nil {
			problems = append(problems, fmt.Errorf("stopping %s: %w", step.name, err))
		}
	}
	problems = append(problems, a.cleanUp(hard))
	err := errors.Join(problems...)
	if err != nil {
		a.log.WithError(err).Error("stopped, but not cleanly: transfers that were under way stay in the outbox")
	} else {
		a.log.Info("stopped")
	}
	return err
}

// cleanUp undoes what newApp built, last first.
func (a *app) cleanUp(ctx context.Context) error {
	var problems []error
	for _, v := range slices.Backward(a.cleanups) {
		if err := v.run(ctx); err != nil {
			problems = append(problems, fmt.Errorf("closing %s: %w", v.name, err))
		}
	}
	a.cleanups = nil
	return errors.Join(problems...)
}
