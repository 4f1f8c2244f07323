package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/sirupsen/logrus"

	"escalator/bot"
	"escalator/bot/backend"
	"escalator/bot/clock"
	"escalator/bot/desk"
	"escalator/bot/history"
	"escalator/bot/mask"
	"escalator/bot/metrics"
	"escalator/bot/mute"
	"escalator/bot/notify"
	"escalator/bot/reception"
	"escalator/bot/recording"
	"escalator/bot/rulefile"
	"escalator/bot/store"
	"escalator/bot/store/failover"
	"escalator/bot/store/journal"
	"escalator/bot/store/memory"
	"escalator/handlers"
	"escalator/rules"
	"escalator/rules/lang"
)

// App is the running service: everything that has to be started and stopped.
type App struct {
	settings  *Settings
	clock     *clock.Clock
	log       *Log
	bot       *bot.Bot
	mutes     *mute.Mutes
	reception *reception.Watcher
	staff     *notify.Notifier
	ruleFile  *rulefile.File
	server    *handlers.Server
	public    net.Listener
	admin     net.Listener
	served    chan error // one value, when the listeners are no longer served
	cleanups  []step     // run in reverse order
	degraded  []func() []string
	outbox    func() store.Stats
	// storeAnswers hangs where the store does; whether it can be written is another matter.
	storeAnswers func(ctx context.Context, beat int) error
	unwatch      func() // ends the feeding of the watchdog
}

// New builds the service and binds its listeners; nothing is served yet. It is
// one straight function, because what depends on what is the point of it.
func New(s *Settings, ruleFile *rulefile.File, log *Log) (a *App, err error) {
	built := &App{settings: s, clock: clock.New(), log: log, ruleFile: ruleFile, served: make(chan error, 1), unwatch: func() {}}
	a = built
	defer func() {
		if err != nil { // a is nil by then
			err = errors.Join(err, built.cleanUp(time.Now().Add(s.ShutdownGrace)))
		}
	}()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metrics := metrics.New(registry)
	metrics.Build(s.Version, s.Commit)
	metrics.WatchLog(log.Dropped)

	client, err := DeskClient(s)
	if err != nil {
		return nil, err
	}
	a.onStop("desk client", func(context.Context) error { client.Close(); return nil })
	kept, err := a.openStores(metrics, registry)
	if err != nil {
		return nil, err
	}
	a.degraded = append(a.degraded, log.Degraded, kept.degraded, ruleFile.Degraded)
	a.outbox, a.storeAnswers = kept.stats, kept.answers
	metrics.WatchStores(kept.local.Live, kept.stats, a.clock.Now)

	parts, err := a.optionalParts(metrics, kept.replica)
	if err != nil {
		return nil, err
	}
	tracer := a.openTracer(kept.name, metrics)
	a.openMutes(kept.replica, metrics)
	a.openReception(client, kept, metrics)
	a.openStaff(kept, metrics, tracer)
	a.bot = bot.New(bot.Options{
		Mutes: a.mutes, Reception: a.reception, Tell: a.staff.Tell, Notices: a.staff,
		Backend: parts.ownBot, Recorder: parts.recorder, History: parts.history, HistoryFor: s.HistoryFor, Feed: kept.feed(), Replica: kept.name,
		Policy: ruleFile.Policy(), Desk: client,
		Conversations: kept.conversations, Dedup: kept.dedup, Chats: kept.chats, Outbox: kept.outbox, Records: kept.records, RateLimiter: kept.limiter,
		Clock: a.clock, ServiceAccounts: s.ServiceAccounts, Unsigned: len(s.CallbackTokens) == 0,
		AIProvider: s.AIProvider, Horizon: s.DeliveryHorizon, LogText: mask.Mode(s.LogText), Log: log.Logger, Metrics: metrics, Tracer: tracer,
	})
	a.refillStats(parts.history)
	a.degraded = append(a.degraded, a.bot.Degraded)
	ruleFile.Attach(a.applyRules(kept.local), a.staff.Tell, log.Logger, registry)
	condition := a.newCondition(kept, client, parts.history)
	a.server = handlers.New(handlers.Options{
		Status: condition.status, Pending: condition.pending,
		Reports: a.newReports(parts.history, client),
		Bot:     a.bot, RuleFile: a.ruleFile, Messages: a.bot.Messages(), Reception: a.reception, SDKAppID: s.SDKAppID, Verifier: desk.NewVerifier(s.CallbackTokens, s.CallbackSkew),
		CallbackPath: s.CallbackPath, Panel: s.panel(a.bot), AdminToken: s.AdminToken, AdminHosts: s.adminHosts(),
		NotReady: kept.notReady, Degraded: a.reasons, Log: log.Logger, Registry: registry,
	})
	a.takeUp(kept)
	a.shareRest(kept.replica)
	if err := a.listen(); err != nil {
		return nil, err
	}
	return a, a.forwardsElsewhere()
}

// DeskClient is the client of Desk's REST API that the settings describe.
func DeskClient(s *Settings) (*desk.Client, error) {
	c, err := desk.NewClient(desk.ClientOptions{
		Identity: desk.Identity{SDKAppID: s.SDKAppID, Identifier: s.Identifier, Key: s.SecretKey},
		URL:      s.APIURL, BackupURL: s.APIBackup, Insecure: s.APIInsecure,
	})
	if err != nil {
		return nil, &SettingError{lang.Of(err)}
	}
	return c, nil
}

// openReception makes what reads Desk's agents and queue while somebody needs it. It
// begins when the service starts.
func (a *App) openReception(client *desk.Client, kept *stores, m *metrics.Metrics) {
	a.reception = reception.New(reception.Options{
		Name: kept.name, Desk: client, Records: kept.records, Every: a.settings.DeskPoll, Log: a.log.Logger, Clock: a.clock,
		Asks:    func() rules.Asks { return a.bot.Policy().Asks() },
		Waiting: func() bool { return a.bot.Messages().Waiting() },
		Told:    func(r *rules.Reading) { a.bot.DeskTold(r) },
	})
	m.WatchDesk(a.reception.Reading, a.clock.Now)
}

// openData opens what must survive a restart. Damage is told of, not fatal.
func (a *App) openData(failed func()) (*journal.Store, error) {
	s := a.settings
	disk, err := journal.Open(journal.Options{Dir: s.DataDir, Now: a.clock.Now, KeepAnswers: s.DedupFor, Failed: failed, Report: func(problem, keptAt string) {
		a.log.WithField("kept_at", keptAt).Error("damage in the data folder: " + problem)
	}, Turned: func(why error) {
		if why == nil {
			a.log.Info("the data folder can be written again")
			return
		}
		a.log.WithError(why).Error("the data folder cannot be written: what must be kept there is refused until it can; is the disk full?")
	}})
	if err != nil {
		return nil, &SettingError{lang.Say("ESCALATOR_DATA_DIR: %v", err)}
	}
	return disk, nil
}

// DataDamage says what cannot be read in the data folder, and changes nothing there.
func DataDamage(s *Settings) (problems []string, err error) { return journal.Check(s.DataDir) }

// parts are what the settings may add. Each is nil where it is not asked for.
type parts struct {
	ownBot   bot.Backend // the operator's own bot behind us
	recorder bot.Recorder
	history  *history.History
}

// optionalParts opens what the settings ask for.
func (a *App) optionalParts(m *metrics.Metrics, replica *failover.Store) (p parts, err error) {
	s := a.settings
	if s.ForwardURL != "" {
		c, err := backend.New(s.ForwardURL.Reveal())
		if err != nil {
			return p, fmt.Errorf("ESCALATOR_FORWARD_URL: %w", err)
		}
		a.onStop("bot behind us", func(context.Context) error { c.Close(); return nil })
		p.ownBot = c
	}
	if s.RecordDir != "" {
		w, err := recording.Open(recording.Options{Dir: s.RecordDir, Mask: mask.Mode(s.LogText), Keep: s.RecordFor, Max: s.RecordMax, Log: a.log.Logger, Errors: m.Unrecorded})
		if err != nil {
			return p, &SettingError{lang.Say("ESCALATOR_RECORD_DIR: %v", err)}
		}
		a.onStop("recording", func(context.Context) error { w.Close(); return nil })
		p.recorder = w
	}
	p.history, err = a.openHistory(m, replica)
	return p, err
}

// openMutes reads which rules operators have silenced.
func (a *App) openMutes(replica *failover.Store, m *metrics.Metrics) {
	options := mute.Options{Folder: a.settings.DataDir, Log: a.log.Logger, Now: a.clock.Wall}
	if replica != nil {
		options.Shared = replica
	}
	var err error
	if a.mutes, err = mute.Open(options); err != nil {
		a.log.WithError(err).Error("the mutes of an earlier process are lost")
	}
	m.WatchMutes(a.mutes.Count)
}

// applyRules returns what puts other rules in force. They may wake customers who
// wait already; those are found in the background.
func (a *App) applyRules(local *memory.Conversations) func(*rules.Policy) {
	changed := make(chan struct{}, 1) // one change more means another look
	a.background("alarms of other rules", func(ctx context.Context) {
		for {
			select {
			case <-ctx.Done():
				return
			case <-changed:
				local.Replan()
			}
		}
	})
	return func(p *rules.Policy) {
		a.bot.SetPolicy(p)
		a.warnOfSecrets(p)
		select {
		case changed <- struct{}{}:
		default:
		}
	}
}

// takeUp restores what an earlier process left.
func (a *App) takeUp(kept *stores) {
	left := kept.disk.Live(kept.local, kept.localDedup, kept.localRecords)
	if kept.replica == nil {
		a.bot.Restored(left)
	} else {
		a.bot.Wake(left) // Redis may know nothing of them
	}
	if transfers := kept.disk.Stats(); transfers.Pending+transfers.GivenUp+len(left) > 0 {
		a.log.WithFields(logrus.Fields{"transfers": transfers.Pending, "given_up": transfers.GivenUp, "conversations": len(left)}).Info("restored from before the restart")
	}
}

// forwardsElsewhere refuses ourselves in the place of the bot behind us. What it
// cannot see, a load balancer in front of us, say, is noticed at the first
// callback that comes back.
func (a *App) forwardsElsewhere() error {
	u, err := url.Parse(a.settings.ForwardURL.Reveal())
	if err != nil || u.Host == "" {
		return nil //nolint:nilerr // there is none, or New has refused it
	}
	for _, l := range []net.Listener{a.public, a.admin} {
		if own, ok := l.Addr().(*net.TCPAddr); ok && leadsTo(u, own) {
			return &SettingError{"ESCALATOR_FORWARD_URL is the address of Escalator itself: it must be that of your bot"}
		}
	}
	return nil
}

// leadsTo reports whether an address is that of a listener of ours, by its port
// and a host that is this machine without doubt.
func leadsTo(u *url.URL, own *net.TCPAddr) bool {
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	if port != strconv.Itoa(own.Port) {
		return false
	}
	if u.Hostname() == "localhost" {
		return own.IP.IsUnspecified() || own.IP.IsLoopback()
	}
	ip := net.ParseIP(u.Hostname())
	return ip != nil && (ip.Equal(own.IP) || own.IP.IsUnspecified() && (ip.IsLoopback() || ip.IsUnspecified()))
}

// reasons says what the service has to do without while it goes on.
func (a *App) reasons() (all []string) {
	for _, of := range a.degraded {
		all = append(all, of()...)
	}
	return all
}

// Addr is the address of the public listener.
func (a *App) Addr() string { return a.public.Addr().String() }

// AdminAddr is the address of the operators' listener.
func (a *App) AdminAddr() string { return a.admin.Addr().String() }

// listen binds both listeners, so that a port that is taken is known before
// anything is served.
func (a *App) listen() error {
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
