package failover

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"slices"

	"escalator/bot/store"
)

// LocalRecords are store.Records that only this replica has: what it kept while the
// shared store was away, until that has it.
type LocalRecords interface {
	store.Records
	// Oldest returns up to n of a kind, that first which was put least recently.
	Oldest(kind store.Kind, n int) []store.Record
}

// ownVersion marks the versions of local records, so that one is not taken for a state of
// the shared store.
const ownVersion = 1 << 63

// usersAtOnce bounds how many users are brought in one turn: after the first start with
// a shared store they may be half a million.
const usersAtOnce = 1000

// Record implements store.Records.
func (s *Store) Record(ctx context.Context, kind store.Kind, name string) (r store.Record, err error) {
	done, err := s.try(func() (err error) {
		if s.ownRecord(ctx, kind, name).any() {
			defer s.recordLocks.LockAll(recordKey(kind, name))()
			err = s.bring(ctx, kind, name)
		}
		if err == nil {
			r, err = s.shared.Record(ctx, kind, name)
		}
		return err
	})
	if done {
		return r, err
	}
	if r, err = s.local.Records.Record(ctx, kind, name); r.Version != 0 {
		r.Version |= ownVersion
	}
	return r, err
}

// Records implements store.Records. What this replica has of its own is listed when it has
// been brought, within seconds; while the shared store is away only what that cannot have
// as well: others may be acting on it.
func (s *Store) Records(ctx context.Context, kind store.Kind) (all []store.Record, err error) {
	done, err := s.try(func() (err error) {
		all, err = s.shared.Records(ctx, kind)
		return err
	})
	if done {
		return all, err
	}
	all, err = s.local.Records.Records(ctx, kind)
	all = slices.DeleteFunc(all, func(r store.Record) bool { return s.ownRecord(ctx, r.Kind, r.Name).parting().Unsure })
	for i := range all {
		all[i].Version |= ownVersion
	}
	return all, err
}

// PutRecords implements store.Records.
func (s *Store) PutRecords(ctx context.Context, records ...store.Record) error {
	p := recordPut{store: s}
	defer p.end()
	done, err := s.try(func() error {
		all, err := p.shared(ctx, records)
		if err != nil {
			return err
		}
		return s.shared.PutRecords(ctx, all...)
	})
	if done {
		return err
	}
	own, err := p.local(ctx, records)
	if err != nil {
		return err
	}
	return s.local.Records.PutRecords(ctx, own...)
}

// recordPut is a put of records that may have to be made again, here or in the other
// store. From its first call to its end nobody else puts or brings them.
type recordPut struct {
	store  *Store
	unlock func()
	asked  notes // with which the shared store may have kept them, or may not
}

func (p *recordPut) lock(records []store.Record) {
	p.end()
	keys := make([]string, len(records))
	for i, r := range records {
		keys[i] = recordKey(r.Kind, r.Name)
	}
	p.unlock = p.store.recordLocks.LockAll(keys...)
}

func (p *recordPut) end() {
	if p.unlock != nil {
		p.unlock()
	}
	p.unlock = nil
}

// shared returns what is to be put into the shared store, once that has all that was kept
// here before.
func (p *recordPut) shared(ctx context.Context, records []store.Record) ([]store.Record, error) {
	if len(records) == 0 {
		return nil, nil
	}
	p.lock(records)
	for _, r := range records {
		if err := p.store.bring(ctx, r.Kind, r.Name); err != nil {
			return nil, err
		}
	}
	p.asked = newNotes(records)
	return p.asked.with(records, p.store.now()), nil
}

// recordKey names a record among those of all kinds.
func recordKey(kind store.Kind, name string) string { return string(kind) + "\x00" + name }

// ownRecord is what the local store has of a record: the record, and how it parted from
// the shared one. Each has no value where there is none.
type ownRecord struct{ record, parted store.Record }

func (o *ownRecord) parting() parting { return readParting(o.parted.Value) }

func (o *ownRecord) any() bool { return o.record.Value != nil || o.parted.Value != nil }

func (s *Store) ownRecord(ctx context.Context, kind store.Kind, name string) *ownRecord {
	// The local store fails for kinds only that it does not know: then there is none.
	record, _ := s.local.Records.Record(ctx, kind, name)
	parted, _ := s.local.Records.Record(ctx, store.KindParted, partedName(kind, name))
	return &ownRecord{record, parted}
}

// local returns what is to be put locally, also where it was read from the shared store.
// What must not be acted on twice can end here, when that has it, but not go on: another
// replica may be taking it.
func (p *recordPut) local(ctx context.Context, records []store.Record) (own []store.Record, err error) {
	if len(records) == 0 {
		return nil, nil
	}
	p.lock(records)
	now := p.store.now()
	for _, r := range records {
		here := p.store.ownRecord(ctx, r.Kind, r.Name)
		theirs := r.Version != 0 && r.Version&ownVersion == 0 && here.record.Value == nil
		r.Version &^= ownVersion
		switch {
		case theirs && newerWins(r.Kind) && r.Value != nil:
			r.Version = 0
		case theirs && r.Value == nil && here.parted.Value == nil && moves(r.Kind):
			own = append(own, newParting(parting{Kind: r.Kind, Name: []byte(r.Name), Version: r.Version}, now))
			continue
		case theirs:
			return nil, store.ErrConflict // for this replica it is not there
		case unique(r.Kind) && r.Value != nil && here.parted.Value == nil:
			note, unsure := p.asked[recordKey(r.Kind, r.Name)]
			own = append(own, newParting(parting{Kind: r.Kind, Name: []byte(r.Name), Note: cmp.Or(note, rand.Text()), Unsure: unsure}, now))
		}
		own = append(own, r)
	}
	return own, nil
}

// unique says of a kind that a record of it must not be acted on twice.
func unique(kind store.Kind) bool { return kind == store.KindWords || kind == store.KindNotice }

// moves says of a kind that a record of it is brought; a lease or a reading is of no account
// where others have one.
func moves(kind store.Kind) bool { return newerWins(kind) || unique(kind) }

// newerWins says of a kind that of two records that came to be apart the later one counts.
func newerWins(kind store.Kind) bool { return kind == store.KindUser || kind == store.KindLabel }

// bring makes the shared store know what became of a record here, and forgets it here.
// The caller has locked it.
func (s *Store) bring(ctx context.Context, kind store.Kind, name string) error {
	own := s.ownRecord(ctx, kind, name)
	if !own.any() {
		return nil
	}
	theirs, err := s.shared.Record(ctx, kind, name)
	if err == nil && moves(kind) {
		err = s.join(ctx, own, theirs)
	}
	if err != nil {
		return err
	}
	var gone []store.Record
	for _, r := range []store.Record{own.record, own.parted} {
		if r.Value != nil {
			r.Value = nil
			gone = append(gone, r)
		}
	}
	return s.local.Records.PutRecords(ctx, gone...)
}

// join puts into the shared store what came to be here. With one that must not be acted
// on twice it puts a note: where the answer is lost, or this process dies before it has
// forgotten the record, it does not come again after somebody has acted on it.
func (s *Store) join(ctx context.Context, own *ownRecord, theirs store.Record) error {
	ours, p := own.record, own.parting()
	follows := theirs.Value != nil && theirs.Version == p.Version // what ended here is still there
	if ours.Value == nil {
		if !follows {
			return nil
		}
		theirs.Value = nil
		return s.shared.PutRecords(ctx, theirs)
	}
	note := noteOf(p.Note, ours.Value, s.now())
	if p.Note != "" {
		there, err := s.shared.Record(ctx, note.Kind, note.Name)
		if err != nil || bytes.Equal(there.Value, note.Value) {
			return err
		}
		note.Version = there.Version
	}
	r := ours
	r.Version = theirs.Version
	if theirs.Value != nil && !follows {
		var put bool
		if r, put = s.together(ours, theirs); !put {
			return nil
		}
	}
	if p.Note == "" {
		return s.shared.PutRecords(ctx, r)
	}
	return s.shared.PutRecords(ctx, r, note)
}

// together makes one of two that came to be apart, and says whether the shared store does
// not have it.
func (s *Store) together(ours, theirs store.Record) (r store.Record, put bool) {
	merged := s.mergeRecord(ours.Kind, ours.Value, theirs.Value)
	switch {
	case merged != nil:
		r = theirs
		if r.Value = merged; ours.Until.IsZero() || !theirs.Until.IsZero() && ours.Until.After(theirs.Until) {
			r.Until = ours.Until
		}
		return r, !bytes.Equal(merged, theirs.Value)
	case newerWins(ours.Kind) && ours.Version > theirs.Version: // versions are times
		ours.Version = theirs.Version
		return ours, true
	}
	return theirs, false
}

// bringRecords brings what the local store has of some kinds, up to n of each. One that
// cannot be brought now keeps no other waiting, but where the shared store is away.
func (s *Store) bringRecords(ctx context.Context, n int, kinds ...store.Kind) error {
	for _, kind := range kinds {
		for _, r := range s.local.Records.Oldest(kind, n) {
			kind, name := r.Kind, r.Name
			if kind == store.KindParted {
				p := readParting(r.Value)
				kind, name = p.Kind, string(p.Name)
			}
			unlock := s.recordLocks.LockAll(recordKey(kind, name))
			err := s.bring(ctx, kind, name)
			unlock()
			if errors.Is(err, store.ErrAway) || ctx.Err() != nil {
				return err
			}
		}
	}
	return nil
}
