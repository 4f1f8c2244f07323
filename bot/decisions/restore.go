package decisions

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"escalator/bot/clock"
	"escalator/bot/history"
)

// windows are how far back is looked one after the other, until enough is found: the
// history is read from its old end, and not for ever.
var windows = []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour}

// again is how long is waited before a history is asked again that is busy.
const again = time.Second

// gathering is what was found of an earlier process.
type gathering struct {
	records  map[string]*Record
	attempts map[string]*Transfer
}

func (g *gathering) take(e *history.Entry) {
	switch {
	case e.ID == "":
	case e.Kind == history.Attempt:
		if before := g.attempts[e.ID]; before == nil || !before.At.After(e.At) {
			g.attempts[e.ID] = ofAttempt(e)
		}
	case e.Kind == history.Turn || e.Kind == history.Asked:
		g.records[e.ID] = OfTurn(e)
	}
	if len(g.records) > 2*Keep || len(g.attempts) > 4*Keep {
		g.trim()
	}
}

// trim leaves the newest records, and the attempts that may belong to them. One comes
// after its decision.
func (g *gathering) trim() {
	newest := g.newest()
	clear(g.records)
	for _, r := range newest {
		g.records[r.ID] = r
	}
	for id := range g.attempts {
		if g.records[id] == nil && len(newest) > 0 && id < newest[0].ID {
			delete(g.attempts, id)
		}
	}
}

// newest returns as many records as are kept, the oldest first, with what became of them.
func (g *gathering) newest() (all []*Record) {
	for _, r := range g.records {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *Record) int { return cmp.Compare(a.ID, b.ID) })
	return all[max(0, len(all)-Keep):]
}

// begin restores what was kept before the start: what the replicas share, and the history.
func (l *List) begin(ctx context.Context) {
	if l.Feed != nil {
		l.beginShared(ctx)
	}
	if l.History != nil {
		l.restore(l.past(ctx))
	}
	labels, err := l.Labels(ctx)
	if err != nil && ctx.Err() == nil {
		l.Log.WithError(err).Warn("the labels of decisions that were restored could not be read: they are kept, and not shown")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range labels {
		if k := l.byID[a.ID]; k != nil && k.now.Load().Label == "" {
			l.amend(k, func(r *Record) { r.Label, r.LabelBy = a.Label, a.By })
		}
	}
}

// past reads the history.
func (l *List) past(ctx context.Context) *gathering {
	found := &gathering{map[string]*Record{}, map[string]*Transfer{}}
	now := l.Wall()
	for _, back := range append(windows, cmp.Or(l.HistoryFor, 72*time.Hour)) {
		for ctx.Err() == nil {
			look := &gathering{map[string]*Record{}, map[string]*Transfer{}} // after an error it is not ours any more
			whole, err := l.History.Each(ctx, now.Add(-back), look.take)
			if errors.Is(err, history.ErrBusy) || errors.Is(err, history.ErrLoading) {
				_ = clock.Pause(ctx, again) // ctx says the same
				continue
			}
			if err != nil {
				l.Log.WithError(err).Warn("earlier decisions could not be read from the history: their list begins with the start")
				return found
			}
			maps.Copy(found.records, look.records)
			maps.Copy(found.attempts, look.attempts)
			if found.trim(); !whole || len(found.records) >= Keep {
				return found
			}
			break
		}
	}
	return found
}

// restore puts what was found before all that happened since.
func (l *List) restore(found *gathering) {
	l.settle()
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []*kept
	for _, r := range found.newest() {
		t := found.attempts[r.ID]
		if k := l.byID[r.ID]; k != nil {
			if t != nil && (k.now.Load().Transfer == nil || k.now.Load().Transfer.At.Before(t.At)) {
				l.amend(k, func(r *Record) { r.Transfer = t })
			}
			continue
		}
		if later := l.early[r.ID]; later != nil && (t == nil || later.At.After(t.At)) {
			t = later
		}
		delete(l.early, r.ID)
		r.Transfer = t
		r.prepare()
		k := &kept{id: r.ID}
		k.now.Store(r)
		all = append(all, k)
	}
	all = all[max(0, len(all)+len(l.all)-Keep):]
	l.events.before(all)
	for _, k := range all {
		l.byID[k.id] = k
	}
	l.all = slices.Concat(all, l.all)
	slices.SortFunc(l.all, func(a, b *kept) int { return cmp.Compare(a.id, b.id) })
}

// before puts the events of restored decisions before all others, so that a reader of the
// earlier process resumes.
func (v *events) before(all []*kept) {
	first := int64(firstSeq)
	if len(v.all) > 0 {
		first = v.all[0].seq
	}
	var earlier []*Event
	for i, k := range all {
		k.seq = first - int64(len(all)-i)
		e := &Event{name: nameDecision, of: k, record: k.now.Load(), seq: k.seq, ID: k.id}
		if v.shared {
			e.ID = k.id + "." + v.epoch + "." + formatSeq(k.seq)
		}
		earlier = append(earlier, e)
	}
	v.all = slices.Concat(earlier, v.all)
	if v.last == "" && len(all) > 0 {
		v.last = all[len(all)-1].id
	}
}
