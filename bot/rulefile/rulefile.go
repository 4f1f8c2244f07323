package rulefile

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/rules"
	"escalator/rules/ruletest"
)

// lookEvery is how often the file is compared. Two looks must agree, so a
// change is in force within two seconds.
const lookEvery = time.Second

// maxLogged bounds the mistakes of one file that go into one log line.
const maxLogged = 20

type hash = [sha256.Size]byte

// File is a rule file that is watched.
type File struct {
	path  string
	apply func(*rules.Policy)
	log   *logrus.Logger

	reloads *prometheus.CounterVec
	info    *prometheus.GaugeVec
	good    prometheus.Gauge

	reloading  sync.Mutex // one look or reload at a time; it guards what follows
	source     source
	inForce    hash   // of the content of policy
	refused    hash   // of the content whose mistakes the status tells
	changing   hash   // of the content that the last look found
	unreadable string // why the last look could not read the file, empty: it could

	mu     sync.Mutex // never held while the file is read, which may take long
	policy *rules.Policy
	status Status
}

// Status is how things stand with the file.
type Status struct {
	Version  string    `json:"version"`
	LoadedAt time.Time `json:"loaded_at"`
	// LastError says why the file as it is now is not in force; empty: it is.
	LastError string     `json:"last_error,omitempty"`
	FailedAt  *time.Time `json:"failed_at,omitempty"`
}

// Open loads the file for a start. The error is a *RefusedError when the file has
// mistakes; failing tests are no reason to refuse a start, for there are no
// other rules to keep.
func Open(path string) (*File, error) {
	from := source{path: path, busy: make(chan struct{}, 1)}
	src, err := from.read(context.Background())
	if err != nil {
		return nil, fmt.Errorf("reading the rule file: %w", err)
	}
	policy, report := rules.Load(src, rules.LoadOptions{Now: time.Now()})
	if policy == nil {
		return nil, &RefusedError{Why: "the rule file has mistakes", Report: report, Source: src, file: path}
	}
	f := &File{path: path, source: from, policy: policy, inForce: sha256.Sum256(src)}
	f.status = Status{Version: policy.Version(), LoadedAt: time.Now()}
	return f, nil
}

// Policy returns the rules in force.
func (f *File) Policy() *rules.Policy {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.policy
}

// Attach says whom to give new rules to, and where to tell of them. It is
// called once, before Watch or Reload.
func (f *File) Attach(apply func(*rules.Policy), log *logrus.Logger, registry prometheus.Registerer) {
	f.apply, f.log = apply, log
	f.reloads = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "escalator", Name: "rules_reload_total", Help: "Reloads of the rule file by result (ok, refused).",
	}, []string{"result"})
	f.info = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "escalator", Name: "rules_info", Help: "1 for the version of the rules in force.",
	}, []string{"version"})
	f.good = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "escalator", Name: "rules_last_reload_successful", Help: "1 if the rule file as it is now is in force.",
	})
	registry.MustRegister(f.reloads, f.info, f.good)
	for _, result := range []string{"ok", "refused"} {
		f.reloads.WithLabelValues(result)
	}
	f.good.Set(1)
	f.info.WithLabelValues(f.policy.Version()).Set(1)
}

// Status returns how things stand.
func (f *File) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

func (f *File) set(p *rules.Policy, s Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.policy, f.status = p, s
}

// Watch looks at the file until ctx ends. A value from hangup asks for a reload
// at once.
func (f *File) Watch(ctx context.Context, hangup <-chan os.Signal) {
	f.tryTests()
	debug.FreeOSMemory() // loading the packs leaves much more behind than it keeps
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			_, _ = f.Reload() // it has logged what there is to say
		case <-tick.C:
			f.look(ctx)
		}
	}
}

// tryTests runs the tests of the file that the service started with. There is
// nothing to go back to, so a failure is only told.
func (f *File) tryTests() {
	failed := &RefusedError{file: f.path}
	for _, t := range ruletest.Run(f.Policy()).Tests {
		if !t.OK {
			failed.Failed = append(failed.Failed, t)
		}
	}
	if problems := failed.Problems(); len(problems) > 0 {
		f.log.WithField("problems", problems[:min(len(problems), maxLogged)]).Error("tests of the rule file fail; it is in force all the same, because the service has just started")
	}
}

// Reload takes the file as it is now. An error leaves the rules in force.
func (f *File) Reload() (*Change, error) {
	f.reloading.Lock()
	defer f.reloading.Unlock()
	src, err := f.source.read(context.Background())
	if err != nil {
		return nil, f.fail(fmt.Errorf("reading the rule file: %w", err))
	}
	return f.take(src)
}

// look is one look at the file.
func (f *File) look(ctx context.Context) {
	f.reloading.Lock()
	defer f.reloading.Unlock()
	src, err := f.source.read(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		f.gone(err)
		return
	}
	if f.unreadable != "" {
		f.unreadable = ""
		f.log.WithField("file", f.path).Info("the rule file is back")
	}
	sum := sha256.Sum256(src)
	settled := sum == f.changing
	f.changing = sum
	switch {
	case sum == f.inForce:
		f.healed()
	case sum != f.refused && settled:
		_, _ = f.take(src) // it has logged what there is to say
	}
}

// gone notes once that the file cannot be read, and why.
func (f *File) gone(err error) {
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("the rule file is gone")
	}
	if f.unreadable == err.Error() {
		return
	}
	f.unreadable = err.Error()
	f.refused = hash{} // should it come back, its mistakes are told again
	_ = f.fail(err)
}

// take loads the content, runs its tests and puts it in force, or says why not.
func (f *File) take(src []byte) (*Change, error) {
	sum := sha256.Sum256(src)
	if sum == f.inForce {
		f.healed()
		return &Change{Version: f.Policy().Version(), Same: true}, nil
	}
	policy, change, err := f.judge(src)
	if err != nil {
		f.refused = sum
		return nil, f.fail(err)
	}
	before := f.Policy().Version()
	f.apply(policy)
	f.inForce, f.refused = sum, hash{}
	f.set(policy, Status{Version: policy.Version(), LoadedAt: time.Now()})
	f.reloads.WithLabelValues("ok").Inc()
	f.good.Set(1)
	f.info.DeleteLabelValues(before)
	f.info.WithLabelValues(policy.Version()).Set(1)
	f.log.WithFields(logrus.Fields{
		"change": change.String(), "rules_version": change.Version, "version_before": before, "warnings": len(change.Warnings),
	}).Info("rules reloaded")
	return change, nil
}

// judge decides whether content may be put in force.
func (f *File) judge(src []byte) (*rules.Policy, *Change, error) {
	policy, report := rules.Load(src, rules.LoadOptions{Now: time.Now()})
	if policy == nil {
		return nil, nil, &RefusedError{Why: "the rule file has mistakes", Report: report, Source: src, file: f.path}
	}
	if len(policy.Rules()) == 0 {
		return nil, nil, &RefusedError{Why: "the rule file has lost all its rules (to switch all of them off, say mode: off)", file: f.path}
	}
	tests := ruletest.Run(policy)
	if tests.Failed > 0 && policy.BlockOnTests() {
		refused := &RefusedError{Why: fmt.Sprintf("%d of the file's %d tests fail", tests.Failed, len(tests.Tests)), file: f.path}
		for _, t := range tests.Tests {
			if !t.OK {
				refused.Failed = append(refused.Failed, t)
			}
		}
		return nil, nil, refused
	}
	change := &Change{Version: policy.Version(), TestsPassed: tests.Passed, Tests: len(tests.Tests), Warnings: report.Warnings}
	change.Added, change.Changed, change.Removed = compare(f.Policy(), policy)
	return policy, change, nil
}

// fail notes why the file is not in force, and passes err on.
func (f *File) fail(err error) error {
	now, status, policy := time.Now(), f.Status(), f.Policy()
	status.LastError, status.FailedAt = err.Error(), &now
	f.set(policy, status)
	f.reloads.WithLabelValues("refused").Inc()
	f.good.Set(0)
	fields := logrus.Fields{"error": err.Error(), "rules_version": policy.Version()}
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		problems := refused.Problems()
		fields["error"], fields["problems"] = refused.Why, problems[:min(len(problems), maxLogged)]
	}
	f.log.WithFields(fields).Error("rule file refused: the rules in force stay")
	return err
}

// healed notes that the file is again the one in force.
func (f *File) healed() {
	status, policy := f.Status(), f.Policy()
	if status.LastError == "" {
		return
	}
	status.LastError, status.FailedAt = "", nil
	f.set(policy, status)
	f.refused = hash{}
	f.good.Set(1)
	f.log.WithField("rules_version", policy.Version()).Info("the rule file is again the one in force")
}
