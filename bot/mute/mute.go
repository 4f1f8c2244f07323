// Package mute keeps the rules that operators silenced for a while: in a small file
// that survives a restart and, with other replicas, in the store that they share.
//
// Invariant: what an operator said last of a rule counts. Until the other replicas
// know it, it is marked as unshared, also in the file, so that neither an
// outage nor a restart lets an older word of theirs win.
package mute

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/mask"
	"escalator/bot/quiet"
	"escalator/bot/regular"
	"escalator/bot/store"
	"escalator/rules"
	"escalator/rules/lang"
)

// longest bounds how long a rule may be muted: a mute is for tonight, a change of
// mind belongs into the rule file.
const longest = 7 * 24 * time.Hour

// Errors that are the caller's.
var (
	ErrNoSuchRule = lang.Errorf("the rule file has no such rule")
	ErrBad        = lang.Errorf("a mute needs a duration above 0 and up to 168h, who mutes, and why")
)

// Options is what Mutes are made of.
type Options struct {
	Folder string      // where the file is; "": nothing survives a restart
	Shared store.Mutes // nil: there are no other replicas
	Log    *logrus.Logger
	Now    func() time.Time // by the clock on the wall: mutes end at a time of day
}

// Mutes are the rules that operators silenced. They are safe for concurrent use.
type Mutes struct {
	Options
	now   atomic.Pointer[rules.Muted]
	quiet quiet.Lines

	mu       sync.Mutex
	unshared map[string]bool // rules of which the other replicas do not know the last word yet
	tell     chan struct{}   // has the exchange begin at once; one that is full has been told
}

// kept is a mute in the file. One that is over is there only while it is unshared.
type kept struct {
	rules.Mute
	Unshared bool `json:"unshared,omitempty"`
}

// Open takes up what an earlier process left. With an error there are no mutes.
func Open(o Options) (*Mutes, error) {
	m := &Mutes{Options: o, unshared: map[string]bool{}, tell: make(chan struct{}, 1)}
	m.now.Store(&rules.Muted{})
	if o.Folder == "" {
		return m, nil
	}
	src, err := readFile(m.path())
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("reading the mutes: %w", err)
	}
	saved := map[string]kept{}
	if err := json.Unmarshal(src, &saved); err != nil {
		return m, fmt.Errorf("reading the mutes in %s: %w", m.path(), err)
	}
	muted := rules.Muted{}
	for rule, k := range saved {
		if k.Until.After(o.Now()) {
			muted[rule] = k.Mute
		}
		if k.Unshared && o.Shared != nil {
			m.unshared[rule] = true
		}
	}
	m.now.Store(&muted)
	return m, nil
}

func readFile(path string) ([]byte, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(f)
}

func (m *Mutes) path() string { return filepath.Join(m.Folder, "mutes.json") }

// Muted returns the rules that are silenced; some mutes may be over. It must not be
// changed.
func (m *Mutes) Muted() rules.Muted { return *m.now.Load() }

// Set silences a rule for a while, as if its mode were off, or ends its mute with 0. A
// mute of a rule that is gone can only be ended. It is logged with who did it and why.
func (m *Mutes) Set(rule string, known bool, d time.Duration, by, why string) (rules.Mute, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, muted := m.Muted()[rule]; !known && (!muted || d != 0) {
		return rules.Mute{}, lang.Errorf("%w: %q", ErrNoSuchRule, mask.Clip(rule))
	}
	if d < 0 || d > longest || by == "" || (why == "" && d > 0) {
		return rules.Mute{}, ErrBad
	}
	mute := rules.Mute{Until: m.Now().Add(d), By: mask.Clip(by), Why: mask.Reason(why)}
	muted := m.current()
	if delete(muted, rule); d > 0 {
		muted[rule] = mute
	}
	unshared := maps.Clone(m.unshared)
	if m.Shared != nil {
		unshared[rule] = true
	}
	if err := m.save(muted, unshared); err != nil {
		return rules.Mute{}, fmt.Errorf("keeping the mute: %w", err)
	}
	m.now.Store(&muted)
	m.unshared = unshared
	select {
	case m.tell <- struct{}{}:
	default:
	}
	line := m.Log.WithFields(logrus.Fields{"rule": rule, "by": mute.By, "why": mute.Why})
	if d == 0 {
		line.Warn("rule unmuted")
	} else {
		line.WithField("until", mute.Until.Format(time.RFC3339)).Warn("rule muted")
	}
	return mute, nil
}

// Count returns how many rules are silenced now.
func (m *Mutes) Count() int { return len(m.current()) }

// current returns a copy of the mutes that are not over.
func (m *Mutes) current() rules.Muted {
	left := rules.Muted{}
	for rule, mute := range m.Muted() {
		if mute.Until.After(m.Now()) {
			left[rule] = mute
		}
	}
	return left
}

// save writes the file whole: a new one takes the place of the old.
func (m *Mutes) save(muted rules.Muted, unshared map[string]bool) error {
	if m.Folder == "" {
		return nil
	}
	saved := map[string]kept{}
	for rule := range unshared { // one that is over has no other word left
		saved[rule] = kept{Unshared: true}
	}
	for rule, mute := range muted {
		saved[rule] = kept{Mute: mute, Unshared: unshared[rule]}
	}
	src, err := json.MarshalIndent(saved, "", "  ")
	if err != nil {
		return err
	}
	fresh := m.path() + ".new"
	if err := os.WriteFile(fresh, src, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, m.path())
}
