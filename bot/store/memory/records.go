package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"escalator/bot/store"
)

// recordBatch is how many records are looked at without letting others in.
const recordBatch = 512

// Records keeps the records of one process.
//
// A put has two halves, so that others need not wait for its commit to the disk:
// begin compares the versions and makes the records busy, end keeps them or does
// not. Nobody else changes one that is busy.
type Records struct {
	RecordsOptions
	mu      sync.Mutex
	ended   *sync.Cond // some records are not busy any more
	kinds   map[store.Kind]*recordList
	version uint64 // of what was put last: its time in microseconds, or a little more
}

// RecordsOptions says how many records are kept.
type RecordsOptions struct {
	Max     store.Caps
	Journal Journal          // nil: nothing survives a restart
	Now     func() time.Time // nil: time.Now
	Evicted func(store.Kind) // called for each record that went early; may be nil
}

// NewRecords returns an empty memory of records.
func NewRecords(o RecordsOptions) *Records {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Evicted == nil {
		o.Evicted = func(store.Kind) {}
	}
	m := &Records{RecordsOptions: o, kinds: map[store.Kind]*recordList{}}
	m.ended = sync.NewCond(&m.mu)
	for kind := range o.Max {
		m.kinds[kind] = newRecordList(kind)
	}
	return m
}

// Record implements store.Records.
func (m *Records) Record(_ context.Context, kind store.Kind, name string) (store.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, err := m.list(kind)
	if err != nil {
		return store.Record{}, err
	}
	if e := l.byName[name]; e != nil && !e.over(m.millis()) {
		return e.record(kind), nil
	}
	return store.Record{Kind: kind, Name: name}, nil
}

// PutRecords implements store.Records.
func (m *Records) PutRecords(_ context.Context, records ...store.Record) error {
	busy, err := m.begin(records)
	if err != nil {
		return err
	}
	err = m.write(busy)
	m.end(busy, err == nil)
	return err
}

// write has the journal keep records, at once where one of them must not be late.
func (m *Records) write(records []store.Record) error {
	if m.Journal == nil || len(records) == 0 {
		return nil
	}
	if allLate(records) {
		m.Journal.Keep(Change{Records: records})
		return nil
	}
	return m.Journal.Commit(nil, Change{Records: records})
}

func allLate(records []store.Record) bool {
	return !slices.ContainsFunc(records, func(r store.Record) bool { return !r.Late() })
}

// Records implements store.Records.
func (m *Records) Records(_ context.Context, kind store.Kind) (all []store.Record, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, err := m.list(kind)
	if err != nil {
		return nil, err
	}
	now := m.millis()
	err = l.walk(m.version, func(e *record) {
		if !e.over(now) {
			all = append(all, e.record(kind))
		}
	}, func() error {
		m.mu.Unlock() // others are let in
		m.mu.Lock()
		return nil
	})
	return all, err
}

// Oldest returns up to n of a kind, that first which was put least recently.
func (m *Records) Oldest(kind store.Kind, n int) (some []store.Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, now := m.kinds[kind], m.millis()
	if l == nil {
		return nil
	}
	for e := l.ends.newer; e != &l.ends && len(some) < n; e = e.newer {
		if !e.over(now) {
			some = append(some, e.record(kind))
		}
	}
	return some
}

// begin returns the records under the versions that they will have, and makes them
// busy. It waits for those of them that are. Where one has changed since it was read
// it is store.ErrConflict, and nothing is begun.
func (m *Records) begin(records []store.Record) ([]store.Record, error) {
	if len(records) == 0 {
		return nil, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := store.CheckRecords(records); err != nil {
		return nil, err
	}
	for _, r := range records {
		if _, err := m.list(r.Kind); err != nil {
			return nil, err
		}
	}
	for slices.ContainsFunc(records, m.busy) {
		m.ended.Wait()
	}
	now := m.millis()
	for _, r := range records {
		if m.versionOf(r, now) != r.Version {
			return nil, store.ErrConflict
		}
	}
	busy := slices.Clone(records)
	for i := range busy {
		m.version = max(m.version+1, uint64(max(0, m.Now().UnixMicro())))
		busy[i].Version = m.version
		m.kinds[busy[i].Kind].busy[busy[i].Name] = m.version
	}
	return busy, nil
}

func (m *Records) busy(r store.Record) bool { return m.kinds[r.Kind].busy[r.Name] != 0 }

// versionOf returns the version of what is kept under the name of r, 0 where nothing is.
func (m *Records) versionOf(r store.Record, now int64) uint64 {
	if e := m.kinds[r.Kind].byName[r.Name]; e != nil && !e.over(now) {
		return e.version
	}
	return 0
}

// end ends what begin began: the records are kept, or stay as they were.
func (m *Records) end(busy []store.Record, keep bool) {
	if len(busy) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range busy {
		l := m.kinds[r.Kind]
		delete(l.busy, r.Name)
		if keep {
			l.remove(r.Name)
			l.add(r)
		}
	}
	for _, r := range busy {
		m.makeRoom(m.kinds[r.Kind])
	}
	m.ended.Broadcast()
}

// makeRoom forgets what was put least recently and is not busy, while there is too much.
func (m *Records) makeRoom(l *recordList) {
	for e := l.ends.newer; e != &l.ends && len(l.byName) > m.Max[l.kind]; e = e.newer {
		if l.busy[e.name()] == 0 {
			if !e.over(m.millis()) {
				m.Evicted(l.kind)
			}
			m.forget(l, e)
		}
	}
}

// forget removes a record that is over, or went early.
func (m *Records) forget(l *recordList, e *record) {
	l.remove(e.name())
	if m.Journal != nil {
		m.Journal.Keep(Change{Records: []store.Record{{Kind: l.kind, Name: e.name()}}})
	}
}

func (m *Records) millis() int64 { return m.Now().UnixMilli() }

func (m *Records) list(kind store.Kind) (*recordList, error) {
	l := m.kinds[kind]
	if l == nil {
		return nil, fmt.Errorf("no records of the kind %q are kept here", kind)
	}
	return l, nil
}

// Restore takes up what an earlier process left, in any order. What is over is swept.
func (m *Records) Restore(left []store.Record) {
	slices.SortFunc(left, func(a, b store.Record) int { return cmp.Compare(a.Version, b.Version) })
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range left {
		l := m.kinds[r.Kind]
		if l == nil {
			continue
		}
		m.version = max(m.version, r.Version)
		l.add(r)
		m.makeRoom(l)
	}
}

// Each shows all records, each while nobody else changes it, and calls between now
// and then, with nothing locked. An error of that ends it. All that were being put when
// it began are seen, or were not kept.
func (m *Records) Each(show func(store.Record), between func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := m.version
	for _, l := range m.kinds {
		for l.busyUpTo(last) {
			m.ended.Wait()
		}
		err := l.walk(last, func(e *record) {
			for l.busy[e.name()] != 0 {
				m.ended.Wait()
			}
			if l.byName[e.name()] == e { // nobody has put another one
				show(e.record(l.kind))
			}
		}, func() error {
			m.mu.Unlock()
			defer m.mu.Lock()
			return between()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Len returns how many records are kept.
func (m *Records) Len() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.kinds {
		n += len(l.byName)
	}
	return n
}

// Sweep forgets some of what is over; call it often (see Sweep).
func (m *Records) Sweep() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.millis()
	for _, l := range m.kinds {
		for range min(recordBatch, len(l.byName)) {
			if e := l.sweep.next(); e.over(now) && l.busy[e.name()] == 0 {
				m.forget(l, e)
			}
		}
	}
}

var _ store.Records = (*Records)(nil)
