package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"escalator/bot/store"
	"escalator/bot/store/memory"
)

// Keep implements memory.Journal: the change is written soon.
func (s *Store) Keep(c memory.Change) {
	now := s.now().UnixMilli()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unwritten) == 0 {
		select {
		case s.kept <- struct{}{}:
		default:
		}
	}
	s.unwritten = appendFrame(s.unwritten, func(b []byte) []byte { return appendChange(b, c, now) })
	s.boundUnwritten()
}

// appendChange appends what a callback leaves.
func appendChange(b []byte, c memory.Change, now int64) []byte {
	switch {
	case c.ID == "":
	case c.Conversation == nil:
		b = appendEntry(b, ofConversation, c.ID, nil)
	default:
		b = appendEntry(b, ofConversation, c.ID, func(b []byte) []byte {
			b, _ = c.Conversation.AppendBinary(b) // no state fails
			return b
		})
	}
	if c.Key != (memory.Key{}) {
		b = appendEntry(b, ofCallback, string(c.Key[:]), func(b []byte) []byte { return appendAnswer(b, now, c.Answer) })
	}
	for i := range c.Records {
		b = appendRecord(b, &c.Records[i])
	}
	return b
}

// Put implements store.Outbox: the transfer is on disk when it returns nil.
func (s *Store) Put(_ context.Context, t *store.Transfer) error { return s.Commit(t, memory.Change{}) }

// Commit implements memory.Journal.
func (s *Store) Commit(t *store.Transfer, c memory.Change) error {
	if t == nil {
		return s.commitChange(c)
	}
	value, err := encode(t)
	if err != nil {
		return err
	}
	buf := frames.Get().(*[]byte)
	frame := appendFrame(*buf, func(b []byte) []byte {
		b = appendChange(b, c, s.now().UnixMilli())
		return appendEntry(b, ofTransfer, t.ID, func(b []byte) []byte { return append(b, value...) })
	})
	if len(frame) == 0 {
		return fmt.Errorf("storing the transfer of %s: it is too large", t.ID)
	}
	if err := s.index.Reserve(t.ID); err != nil {
		return err
	}
	err = s.do(func(b []byte) []byte { return append(b, frame...) }, func() { s.transfers[t.ID] = kept{t.Episode, value} })
	if err != nil {
		s.index.Unreserve(t.ID)
		return fmt.Errorf("storing the transfer of %s: %w", t.ID, err)
	}
	*buf = emptied(frame) // after an error the committer may still read it
	frames.Put(buf)
	s.index.Insert(t)
	return nil
}

// frames are buffers for what is committed.
var frames = sync.Pool{New: func() any { return new([]byte) }}

// commitChange is Commit without a transfer.
func (s *Store) commitChange(c memory.Change) error {
	frame := appendFrame(nil, func(b []byte) []byte { return appendChange(b, c, s.now().UnixMilli()) })
	if len(frame) == 0 {
		return errors.New("storing records: they are too large")
	}
	if err := s.do(func(b []byte) []byte { return append(b, frame...) }, nil); err != nil {
		return fmt.Errorf("storing records: %w", err)
	}
	if slices.ContainsFunc(c.Records, func(r store.Record) bool { return r.Value == nil && personal(recordKey(&r)) }) {
		s.erase.Store(true)
	}
	return nil
}

// Save implements store.Outbox. When the disk refuses, the transfer goes on in
// memory with what became of it: a restart would find its earlier state, and
// ask Desk before it repeats anything.
func (s *Store) Save(ctx context.Context, t *store.Transfer) error {
	value, err := encode(t)
	if err != nil {
		return err
	}
	written, err := s.change(ctx, t, value)
	if err != nil {
		return err
	}
	if err := s.index.Save(ctx, t); err != nil {
		return err
	}
	return written
}

// Delete implements store.Outbox. The disk comes first: a transfer that could
// not be removed from it would come back at the next start, and Desk be asked.
func (s *Store) Delete(ctx context.Context, t *store.Transfer) error {
	written, err := s.change(ctx, t, nil)
	if err != nil {
		return err
	}
	if err := s.index.Delete(ctx, t); err != nil {
		return err
	}
	return written
}

// change writes what became of a transfer, nil: it is gone. It is ErrNotFound unless
// the outbox holds this episode.
func (s *Store) change(ctx context.Context, t *store.Transfer, value []byte) (written, err error) {
	held, err := s.index.Get(ctx, t.ID)
	if err == nil && held.Episode != t.Episode {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	if err := s.do(func(b []byte) []byte { return s.appendTransfer(b, t, value) }, nil); err != nil {
		return fmt.Errorf("writing what became of the transfer of %s: %w", t.ID, err), nil
	}
	return nil, nil
}

// appendTransfer is for the committer. Another episode may have taken the place of t
// since somebody looked at the index: then it changes nothing.
func (s *Store) appendTransfer(b []byte, t *store.Transfer, value []byte) []byte {
	switch {
	case s.transfers[t.ID].episode != t.Episode:
		return b
	case value == nil:
		delete(s.transfers, t.ID)
	default:
		s.transfers[t.ID] = kept{t.Episode, value}
	}
	return appendFixed(b, ofTransfer, t.ID, value)
}

// expire removes given-up transfers that nobody will ask for any more.
func (s *Store) expire() {
	for _, t := range s.index.Expire() {
		_ = s.do(func(b []byte) []byte { return s.appendTransfer(b, t, nil) }, nil) // Writable tells of it
	}
}

// encode writes a transfer down. What cannot be written fails here, alone: in
// a commit it would fail all that are in the group.
func encode(t *store.Transfer) ([]byte, error) {
	if t.ID == "" {
		return nil, errors.New("storing a transfer: it has no id")
	}
	value, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("storing the transfer of %s: %w", t.ID, err)
	}
	return value, nil
}

var (
	_ store.Outbox   = (*Store)(nil)
	_ memory.Journal = (*Store)(nil)
)
