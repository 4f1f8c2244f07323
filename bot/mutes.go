package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/mask"
	"escalator/rules"
)

// maxMute bounds how long a rule may be muted: a mute is for tonight, a change
// of mind belongs into the rule file.
const maxMute = 7 * 24 * time.Hour

// Errors of Mute that are the caller's.
var (
	ErrNoSuchRule = errors.New("the rule file has no such rule")
	ErrBadMute    = errors.New("a mute needs a time above 0 and up to 168h, who mutes, and why")
)

// mutes keeps the rules that an operator silenced, in a small file of their own
// that survives a restart.
type mutes struct {
	mu       sync.Mutex
	path     string          // empty: not kept
	shared   MuteStore       // nil: there are no other replicas
	unshared map[string]bool // rules whose mute the others have not heard of yet
	tell     chan struct{}   // has the exchange begin at once; one that is full has been told
}

// MuteStore is where several replicas keep their mutes together. A value is a
// mute as JSON; "" removes it.
type MuteStore interface {
	Mutes(ctx context.Context) (map[string]string, error)
	PutMute(ctx context.Context, rule, value string) error
	// PutMutes keeps several at once: nobody sees a part of them.
	PutMutes(ctx context.Context, mutes map[string]string) error
}

// savedMute is a mute in the file.
type savedMute struct {
	Until time.Time `json:"until"`
	By    string    `json:"by"`
	Why   string    `json:"why"`
}

// Mute silences a rule for a while, as if its mode were off. Zero ends a mute.
// It is logged with who did it and why, and survives a restart.
func (b *Bot) Mute(ruleID string, d time.Duration, by, why string) (rules.Mute, error) {
	if _, muted := b.Muted()[ruleID]; !b.hasRule(ruleID) && (d != 0 || !muted) { // a mute outlives its rule, and can be ended
		return rules.Mute{}, fmt.Errorf("%w: %q", ErrNoSuchRule, mask.Clip(ruleID))
	}
	if d < 0 || d > maxMute || by == "" || (why == "" && d > 0) {
		return rules.Mute{}, ErrBadMute
	}
	b.mutes.mu.Lock()
	defer b.mutes.mu.Unlock()
	now := b.Clock.Wall()
	muted := maps.Clone(b.Muted())
	if muted == nil {
		muted = rules.Muted{}
	}
	mute := rules.Mute{Until: now.Add(d), By: mask.Clip(by), Why: mask.Clip(why)}
	muted[ruleID] = mute
	maps.DeleteFunc(muted, func(_ string, m rules.Mute) bool { return !m.Until.After(now) })
	if err := b.mutes.save(muted); err != nil {
		return rules.Mute{}, fmt.Errorf("keeping the mute: %w", err)
	}
	b.SetMuted(muted)
	b.mutes.share(ruleID)
	line := b.Log.WithFields(logrus.Fields{"rule": ruleID, "by": mute.By, "why": mute.Why})
	if d == 0 {
		line.Warn("rule unmuted")
	} else {
		line.WithField("until", mute.Until.Format(time.RFC3339)).Warn("rule muted")
	}
	return mute, nil
}

// Muted returns the rules that are silenced now.
func (b *Bot) Muted() rules.Muted { return *b.muted.Load() }

func (b *Bot) hasRule(id string) bool {
	for _, r := range b.Policy().Rules() {
		if r.ID == id {
			return true
		}
	}
	return false
}

// KeepMutes keeps the mutes in a file of the folder and takes up those that an
// earlier process left there.
func (b *Bot) KeepMutes(folder string) error {
	b.mutes.mu.Lock()
	defer b.mutes.mu.Unlock()
	b.mutes.path = filepath.Join(folder, "mutes.json")
	src, err := os.ReadFile(b.mutes.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the mutes: %w", err)
	}
	saved := map[string]savedMute{}
	if err := json.Unmarshal(src, &saved); err != nil {
		return fmt.Errorf("reading the mutes in %s: %w", b.mutes.path, err)
	}
	muted := rules.Muted{}
	for id, m := range saved {
		if m.Until.After(b.Clock.Wall()) {
			muted[id] = rules.Mute{Until: m.Until, By: m.By, Why: m.Why}
		}
	}
	b.SetMuted(muted)
	return nil
}

// save writes the file whole: a new one takes the place of the old.
func (m *mutes) save(muted rules.Muted) error {
	if m.path == "" {
		return nil
	}
	saved := map[string]savedMute{}
	for id, one := range muted {
		saved[id] = savedMute{one.Until, one.By, one.Why}
	}
	src, err := json.MarshalIndent(saved, "", "  ")
	if err != nil {
		return err
	}
	fresh := m.path + ".new"
	if err := os.WriteFile(fresh, src, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, m.path)
}

// shareEvery is how often replicas look at each other's mutes.
const shareEvery = 2 * time.Second

// ShareMutes keeps the mutes of all replicas alike until ctx ends.
func (b *Bot) ShareMutes(ctx context.Context, shared MuteStore) {
	b.mutes.mu.Lock()
	tell := make(chan struct{}, 1)
	b.mutes.shared, b.mutes.unshared, b.mutes.tell = shared, map[string]bool{}, tell
	b.mutes.mu.Unlock()
	tick := time.NewTicker(shareEvery)
	defer tick.Stop()
	for {
		b.exchangeMutes(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tell: // or the others would see it only after two waits: ours, and theirs
		case <-tick.C:
		}
	}
}

// share notes that the others should hear of a rule's mute, and begins an
// exchange that tells them. It needs the lock.
func (m *mutes) share(rule string) {
	if m.shared == nil {
		return
	}
	m.unshared[rule] = true
	select {
	case m.tell <- struct{}{}:
	default:
	}
}

// exchangeMutes tells the others of our mutes and takes theirs.
func (b *Bot) exchangeMutes(ctx context.Context) {
	b.mutes.mu.Lock()
	defer b.mutes.mu.Unlock()
	for rule := range b.mutes.unshared {
		if b.mutes.shared.PutMute(ctx, rule, encodeMute(b.Muted()[rule], b.Clock.Wall())) != nil {
			return // the next exchange will do
		}
		delete(b.mutes.unshared, rule)
	}
	values, err := b.mutes.shared.Mutes(ctx)
	switch {
	case err != nil:
		return
	case len(values) == 0: // nobody has shared anything yet, or what was there is lost: ours count
		b.shareAllMutes(ctx)
		return
	}
	theirs := decodeMutes(values, b.Clock.Wall())
	if maps.Equal(theirs, current(b.Muted(), b.Clock.Wall())) {
		return
	}
	b.SetMuted(theirs)
	if err := b.mutes.save(theirs); err != nil {
		b.Log.WithError(err).Warn("mutes of another replica could not be kept for a restart")
	}
	b.Log.WithField("rules", slices.AppendSeq([]string{}, maps.Keys(theirs))).Warn("mutes changed on another replica")
}

// sharedMutes is the field that says that mutes are shared: without any, it is there
// alone.
const sharedMutes = ""

// shareAllMutes has the others hear of all mutes that this replica knows, at once:
// one that saw a part of them would drop the rest.
func (b *Bot) shareAllMutes(ctx context.Context) {
	all := map[string]string{sharedMutes: "shared"}
	for rule, m := range b.Muted() {
		if value := encodeMute(m, b.Clock.Wall()); value != "" {
			all[rule] = value
		}
	}
	_ = b.mutes.shared.PutMutes(ctx, all) // if it fails, the next exchange will do
}

func encodeMute(m rules.Mute, now time.Time) string {
	if !m.Until.After(now) {
		return ""
	}
	src, _ := json.Marshal(savedMute{m.Until, m.By, m.Why}) // a time and two texts
	return string(src)
}

// decodeMutes reads shared mutes, those that are over or make no sense left out.
func decodeMutes(values map[string]string, now time.Time) rules.Muted {
	muted := rules.Muted{}
	for rule, value := range values {
		var m savedMute
		if json.Unmarshal([]byte(value), &m) == nil && m.Until.After(now) {
			muted[rule] = rules.Mute{Until: m.Until.UTC(), By: m.By, Why: m.Why}
		}
	}
	return muted
}

// current leaves out the mutes that are over, and the zone of the others.
func current(muted rules.Muted, now time.Time) rules.Muted {
	left := rules.Muted{}
	for rule, m := range muted {
		if m.Until.After(now) {
			left[rule] = decodeMutes(map[string]string{rule: encodeMute(m, now)}, now)[rule]
		}
	}
	return left
}
