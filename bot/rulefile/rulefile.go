package rulefile

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot/notify"
	"escalator/rules"
	"escalator/rules/lang"
)

const (
	// lookEvery is how often the file is compared. Two looks must agree, so a
	// change is in force within two seconds.
	lookEvery = time.Second
	// remindEvery is how often a refused file is told of again, for as long as it is not mended.
	remindEvery = 10 * time.Minute
	// maxLogged bounds the mistakes of one file that go into one log line.
	maxLogged = 20
)

// File is a rule file that is watched.
type File struct {
	apply func(*rules.Policy)
	staff func(notify.Event)
	log   *logrus.Logger

	reloads *prometheus.CounterVec
	info    *prometheus.GaugeVec
	good    prometheus.Gauge
	goodAt  prometheus.Gauge

	history *history
	loads   loads

	reloading  sync.Mutex // one look or reload at a time; it guards what follows
	source     source
	keeping    storage   // of the history
	unkept     *unkept   // what is in force and not in the history yet; nil: nothing
	refused    string    // the version whose mistakes the status tells
	changing   string    // the version that the last look found
	unreadable string    // why the last look could not read the file, empty: it could
	told       time.Time // when the log last said that the file is refused
	atStart    error     // what Attach has to tell of the start

	mu     sync.Mutex // never held while the file is read, which may take long
	policy *rules.Policy
	status Status
}

// Status is how things stand with the file.
type Status struct {
	Version  string    `json:"version"`
	LoadedAt time.Time `json:"loaded_at"`
	// LastGood is when the version was accepted that is in force because the file was
	// refused at the start; nil: the file was not.
	LastGood *time.Time `json:"last_good,omitempty"`
	// LastError says why the file as it is now is not in force; empty: it is.
	LastError string     `json:"last_error,omitempty"`
	FailedAt  *time.Time `json:"failed_at,omitempty"`
	// Unkept says why the version in force is not in the data folder; empty: it is.
	Unkept string `json:"unkept,omitempty"`

	why string // LastError in a few words that tell nothing of the file's content
}

// Policy returns the rules in force.
func (f *File) Policy() *rules.Policy {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.policy
}

// Attach says whom to give new rules to, and where to tell of them; staff is told of a
// file that is refused, and that it is not any more. It is called once, before Watch or
// Reload, when the data folder is this process's own.
func (f *File) Attach(apply func(*rules.Policy), staff func(notify.Event), log *logrus.Logger, registry prometheus.Registerer) {
	f.apply, f.staff, f.log = apply, staff, log
	f.reloads = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "escalator", Name: "rules_reload_total", Help: "Reloads of the rule file: `ok`, or `refused`. Look when `refused` rises: `escalator check` says what is wrong; the rules before stay in force.",
	}, []string{"result"})
	f.info = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "escalator", Name: "rules_info", Help: "1 for the version of the rules in force. Look when replicas differ: one of them has another file, or has refused it.",
	}, []string{"version"})
	f.good = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "escalator", Name: "rules_last_reload_successful", Help: "1 if the rule file as it is now is in force. Look when it is 0: `escalator check` says what is wrong; the rules before stay in force.",
	})
	f.goodAt = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "escalator", Name: "rules_last_reload_success_timestamp_seconds", Help: "When a rule file was last put in force, in seconds since 1970; 0 if none was since the start. Look when a change that was saved is not in force: `GET /api/rules` has the last reload error.",
	})
	registry.MustRegister(f.reloads, f.info, f.good, f.goodAt)
	for _, result := range []string{"ok", "refused"} {
		f.reloads.WithLabelValues(result)
	}
	f.info.WithLabelValues(f.policy.Version()).Set(1)
	if f.status.LastError != "" {
		f.tell("rule file refused: the service starts with the last version that was accepted", f.atStart)
		f.tellStaff()
		return
	}
	f.tellStaff()
	f.good.Set(1)
	f.goodAt.SetToCurrentTime()
	f.keep()
	if f.atStart != nil {
		f.tell("rule file taken with failing tests", f.atStart)
	}
}

// Status returns how things stand.
func (f *File) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

// Degraded says what an operator should mend, in words that tell nothing of the file's content.
func (f *File) Degraded() (reasons []string) {
	s := f.Status()
	if s.LastGood != nil {
		reasons = append(reasons, lang.Say("the rule file is refused (%s): version %s, accepted at %s, is in force", s.why, s.Version, s.LastGood.UTC().Format(time.RFC3339)).String())
	}
	if s.Unkept != "" {
		reasons = append(reasons, lang.Say("the rules in force cannot be kept for the next start: %s", s.Unkept).String())
	}
	return reasons
}

func (f *File) set(p *rules.Policy, s Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.policy, f.status = p, s
}

// Watch looks at the file until ctx ends.
func (f *File) Watch(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.look(ctx)
		}
	}
}

// Reload takes the file as it is now. An error leaves the rules in force.
func (f *File) Reload(ctx context.Context) (*Change, error) {
	f.reloading.Lock()
	defer f.reloading.Unlock()
	change, err := f.reload(ctx, Author{How: "reload"})
	if err == nil && change.Same {
		f.log.WithField("rules_version", change.Version).Info("rules reloaded: the file has not changed")
	}
	return change, err
}

func (f *File) reload(ctx context.Context, by Author) (*Change, error) {
	set, err := f.source.read(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err() // nobody waits for it any more
	case err != nil:
		return nil, f.gone(err)
	}
	return f.take(ctx, set, by)
}

// look is one look at the file.
func (f *File) look(ctx context.Context) {
	f.loads.forget(time.Now())
	f.reloading.Lock()
	defer f.reloading.Unlock()
	set, err := f.source.read(ctx)
	if ctx.Err() != nil {
		return
	}
	defer f.remind()
	if err != nil {
		if f.unreadable != unreadable(err).Error() {
			_ = f.gone(err)
		}
		return
	}
	if f.unreadable != "" {
		f.unreadable = ""
		f.log.WithField("file", f.source.path).Info("the rule file is back")
	}
	version := set.Version()
	settled := version == f.changing
	f.changing = version
	switch {
	case version == f.policy.Version():
		f.healed()
	case version != f.refused && settled:
		_, _ = f.take(ctx, set, Author{How: "reload"}) // it has logged what there is to say
	}
	f.keep()
}

// unreadable says why the file cannot be read, for people. Unless its storage hangs that
// is the file's fault, as its mistakes are.
func unreadable(err error) error {
	switch {
	case errors.Is(err, ErrStorage):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return &RefusedError{Why: "the rule file is gone"}
	default:
		return &RefusedError{Why: lang.Say("the rule file cannot be read: %s", reason(err))}
	}
}

// gone notes that the file cannot be read, and why.
func (f *File) gone(err error) error {
	err = unreadable(err)
	f.unreadable = err.Error()
	f.refused = "" // should it come back, its mistakes are told again
	return f.fail(err)
}

// take loads the files, runs their tests and puts them in force, or says why not.
func (f *File) take(ctx context.Context, set rules.Set, by Author) (*Change, error) {
	version, before := set.Version(), f.Policy()
	if version == before.Version() {
		f.healed()
		return &Change{Version: version, Same: true}, nil
	}
	v, err := f.judge(ctx, set)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		f.refused = version
		return nil, f.fail(err)
	}
	change := v.change(before)
	f.apply(v.policy)
	f.refused = ""
	f.set(v.policy, Status{Version: version, LoadedAt: time.Now()})
	f.reloads.WithLabelValues("ok").Inc()
	f.good.Set(1)
	f.goodAt.SetToCurrentTime()
	f.info.DeleteLabelValues(before.Version())
	f.info.WithLabelValues(version).Set(1)
	f.log.WithFields(change.fields()).Info("rules reloaded")
	f.tellStaff()
	f.accepted(set.Files, by)
	f.keep()
	return change, nil
}

// fail notes why the file is not in force, and passes err on.
func (f *File) fail(err error) error {
	now, status, policy := time.Now(), f.Status(), f.Policy()
	status.LastError, status.FailedAt, status.why = err.Error(), &now, reason(err)
	f.set(policy, status)
	f.reloads.WithLabelValues("refused").Inc()
	f.good.Set(0)
	f.tell("rule file refused: the rules in force stay", err)
	f.tellStaff()
	return err
}

// tellStaff tells the staff how things stand, in words that tell nothing of the file's
// content.
func (f *File) tellStaff() {
	s := f.Status()
	f.staff(notify.Event{Kind: notify.ReloadRefused, Over: s.LastError == "", Detail: s.why})
}

// tell logs why the file is not in force.
func (f *File) tell(msg string, err error) {
	f.told = time.Now()
	fields := logrus.Fields{"error": err.Error(), "rules_version": f.Policy().Version(), "file": f.source.path}
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		problems := refused.Problems()
		fields["error"], fields["problems"] = refused.Why.String(), problems[:min(len(problems), maxLogged)]
	}
	if at := f.Status().LastGood; at != nil {
		fields["accepted_at"] = at
	}
	f.log.WithFields(fields).Error(msg)
}

// remind tells now and then of a file that is still refused.
func (f *File) remind() {
	if s := f.Status(); s.LastError != "" && time.Since(f.told) >= remindEvery {
		f.tell("rule file still refused", errors.New(s.LastError))
	}
}

// healed notes that the file is again the one in force.
func (f *File) healed() {
	status, policy := f.Status(), f.Policy()
	if status.LastError == "" {
		return
	}
	status.LastGood, status.LastError, status.FailedAt, status.why = nil, "", nil, ""
	f.set(policy, status)
	f.refused = ""
	f.good.Set(1)
	f.log.WithField("rules_version", policy.Version()).Info("the rule file is again the one in force")
	f.tellStaff()
}
