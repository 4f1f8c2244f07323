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

	mu       sync.Mutex // one reload at a time
	policy   *rules.Policy
	inForce  hash // of the content of policy
	refused  hash // of the content that was refused last
	changing hash // of the content that the last look found
	missing  bool
	status   Status
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
	src, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("reading the rule file: %w", err)
	}
	policy, report := rules.Load(src, rules.LoadOptions{Now: time.Now()})
	if policy == nil {
		return nil, &RefusedError{Why: "the rule file has mistakes", Report: report, Source: src, file: path}
	}
	f := &File{path: path, policy: policy, inForce: sha256.Sum256(src)}
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
	f.good.Set(1)
	f.info.WithLabelValues(f.policy.Version()).Set(1)
}

// Status returns how things stand.
func (f *File) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
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
			f.look()
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
	f.mu.Lock()
	defer f.mu.Unlock()
	src, err := os.ReadFile(f.path)
	if err != nil {
		return nil, f.fail(fmt.Errorf("reading the rule file: %w", err))
	}
	return f.take(src)
}

// look is one look at the file.
func (f *File) look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	src, err := os.ReadFile(f.path)
	if err != nil {
		f.gone(err)
		return
	}
	if f.missing {
		f.missing = false
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

// gone notes once that the file cannot be read.
func (f *File) gone(err error) {
	if f.missing {
		return
	}
	f.missing = true
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("the rule file is gone")
	}
	_ = f.fail(err)
}

// take loads the content, runs its tests and puts it in force, or says why not.
func (f *File) take(src []byte) (*Change, error) {
	sum := sha256.Sum256(src)
	if sum == f.inForce {
		f.healed()
		return &Change{Version: f.policy.Version(), Same: true}, nil
	}
	policy, change, err := f.judge(src)
	if err != nil {
		f.refused = sum
		return nil, f.fail(err)
	}
	before := f.policy.Version()
	f.apply(policy)
	f.policy, f.inForce = policy, sum
	f.status = Status{Version: policy.Version(), LoadedAt: time.Now()}
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
	change.Added, change.Changed, change.Removed = compare(f.policy, policy)
	return policy, change, nil
}

// fail notes why the file is not in force, and passes err on.
func (f *File) fail(err error) error {
	now := time.Now()
	f.status.LastError, f.status.FailedAt = err.Error(), &now
	f.reloads.WithLabelValues("refused").Inc()
	f.good.Set(0)
	fields := logrus.Fields{"error": err.Error(), "rules_version": f.policy.Version()}
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		problems := refused.Problems()
		fields["error"], fields["problems"] = refused.Why, problems[:min(len(problems), maxLogged)]
	}
	f.log.WithFields(fields).Error("rule file refused: the rules in force stay")
	return err
}

// healed notes that the file is again the one in force.
func (f *File) healed() {
	if f.status.LastError == "" {
		return
	}
	f.status.LastError, f.status.FailedAt = "", nil
	f.refused = hash{}
	f.good.Set(1)
	f.log.WithField("rules_version", f.policy.Version()).Info("the rule file is again the one in force")
}
