package reception

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/store"
	"escalator/rules"
)

// recordName is that of the record of the last reading.
const recordName = "reception"

// sharedFor is how long the record is kept: what was learned of statuses outlives the
// reading.
const sharedFor = 7 * 24 * time.Hour

// shared is what processes share: the last reading, and what was learned.
type shared struct {
	At       time.Time      `json:"at"` // by the clock on the wall: each process has its own other one
	By       string         `json:"by"`
	Reading  *rules.Reading `json:"reading"`
	Statuses statuses       `json:"statuses,omitempty"`
}

// look reads what the processes share, takes it where it is news, and reports whether
// it is this one's turn to ask Desk. The record is to be put with the next reading.
func (w *Watcher) look(ctx context.Context) (record store.Record, mine bool) {
	record, err := w.Records.Record(ctx, store.KindReading, recordName)
	if err != nil {
		return record, w.alone(ctx, err)
	}
	var s shared
	if record.Value != nil && json.Unmarshal(record.Value, &s) == nil && s.Reading != nil {
		w.learnFrom(s.Statuses)
		if s.By != w.lease.Owner {
			w.takeShared(&s)
		}
	}
	holder, err := w.lease.Hold(ctx)
	switch {
	case errors.Is(err, store.ErrConflict):
		return record, false
	case err != nil:
		return record, w.alone(ctx, err)
	}
	w.mu.Lock()
	w.poller = holder
	w.mu.Unlock()
	return record, holder == w.lease.Owner
}

// alone says that the store cannot be used: every process asks for itself.
func (w *Watcher) alone(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	w.quiet.Log("records", w.Log.WithError(err), logrus.WarnLevel, "agent and queue figures cannot be shared between replicas: this one asks Desk itself")
	return true
}

// takeShared takes the reading of another process, if it is newer than ours.
func (w *Watcher) takeShared(s *shared) {
	now := w.Clock.Now()
	s.Reading.At = now.Add(-max(0, w.Clock.Wall().Sub(s.At)))
	w.mu.Lock()
	last := w.told
	w.mu.Unlock()
	if s.Reading.Fresh(now) == nil || last != nil && !s.Reading.At.After(last.At) {
		return
	}
	w.take(s.Reading, s.By)
}

// learnFrom takes over what others have learned, where this process has learned nothing.
func (w *Watcher) learnFrom(s statuses) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.statuses) == 0 && len(s) > 0 && len(s) <= maxStatuses {
		w.statuses = s
	}
}

// share gives a reading to the other processes.
func (w *Watcher) share(ctx context.Context, record store.Record, r *rules.Reading) {
	w.mu.Lock()
	s := shared{At: w.Clock.Wall(), By: w.lease.Owner, Reading: r, Statuses: maps.Clone(w.statuses)}
	w.mu.Unlock()
	value, err := json.Marshal(s)
	if err != nil {
		return // plain numbers and texts
	}
	record.Kind, record.Name, record.Value, record.Until = store.KindReading, recordName, value, w.Clock.Now().Add(sharedFor)
	if err := w.Records.PutRecords(ctx, record); err != nil && !errors.Is(err, store.ErrConflict) {
		w.alone(ctx, err)
	}
}
