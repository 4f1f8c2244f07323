package mute

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/rules"
)

const (
	// shareEvery is how often replicas look at each other's mutes.
	shareEvery = 2 * time.Second
	// sharedMark is the field that says that mutes are shared: without any, it is
	// there alone.
	sharedMark = ""
)

// Share keeps the mutes of all replicas alike until ctx ends.
func (m *Mutes) Share(ctx context.Context) {
	tick := time.NewTicker(shareEvery)
	defer tick.Stop()
	for {
		m.exchange(ctx)
		select {
		case <-ctx.Done():
			return
		case <-m.tell: // or the others would see it only after two waits: ours, and theirs
		case <-tick.C:
		}
	}
}

// exchange tells the others of our mutes and takes theirs. What fails is done by the
// next one.
func (m *Mutes) exchange(ctx context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tellOthers(ctx) != nil {
		return
	}
	values, err := m.Shared.Mutes(ctx)
	if err != nil {
		return
	}
	if values[sharedMark] == "" { // nobody has shared anything yet, or what was there is lost: ours count
		_ = m.Shared.PutMutes(ctx, m.values(m.Muted(), true))
		return
	}
	theirs := m.read(values)
	if maps.EqualFunc(theirs, m.current(), func(a, b rules.Mute) bool {
		return a.Until.Equal(b.Until) && a.By == b.By && a.Why == b.Why
	}) {
		return
	}
	m.now.Store(&theirs)
	if err := m.save(theirs, m.unshared); err != nil {
		m.quiet.Log("theirs", m.Log.WithError(err), logrus.WarnLevel, "mutes from another replica could not be saved to disk")
	}
	m.Log.WithField("rules", slices.AppendSeq([]string{}, maps.Keys(theirs))).Warn("mutes changed on another replica")
}

// tellOthers has the other replicas hear the last word on each unshared rule.
func (m *Mutes) tellOthers(ctx context.Context) error {
	if len(m.unshared) == 0 {
		return nil
	}
	ours := rules.Muted{}
	for rule := range m.unshared {
		ours[rule] = m.Muted()[rule]
	}
	if err := m.Shared.PutMutes(ctx, m.values(ours, false)); err != nil {
		return err
	}
	m.unshared = map[string]bool{}
	if err := m.save(m.current(), m.unshared); err != nil {
		m.quiet.Log("ours", m.Log.WithError(err), logrus.WarnLevel, "mutes were shared, but that could not be saved to disk")
	}
	return nil
}

// values writes mutes as they are shared, those that are over as "". With all of them
// goes the mark: one that saw a part of them would drop the rest.
func (m *Mutes) values(muted rules.Muted, all bool) map[string]string {
	values := map[string]string{}
	if all {
		values[sharedMark] = "shared"
	}
	for rule, mute := range muted {
		values[rule] = ""
		if mute.Until.After(m.Now()) {
			src, _ := json.Marshal(mute) // a time and two texts
			values[rule] = string(src)
		}
	}
	return values
}

// read reads shared mutes, those that are over or make no sense left out.
func (m *Mutes) read(values map[string]string) rules.Muted {
	muted := rules.Muted{}
	for rule, value := range values {
		var mute rules.Mute
		if json.Unmarshal([]byte(value), &mute) == nil && mute.Until.After(m.Now()) {
			mute.Until = mute.Until.UTC()
			muted[rule] = mute
		}
	}
	return muted
}
