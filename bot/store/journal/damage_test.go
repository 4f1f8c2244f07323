package journal_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"escalator/bot/store"
	"escalator/bot/store/journal"
	"escalator/bot/store/memory"
	"escalator/rules"
)

const firstSegment = "journal-00000001.log"

// fill makes a store of many commits, and closes it.
func fill(t *testing.T, dir string, transfers int) {
	t.Helper()
	s := open(t, dir, &reports{})
	for i := range transfers {
		if err := s.Put(t.Context(), newTransfer(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, s)
}

func TestOpen_aDamagedFile_isSetAsideAndReported_andTheRestIsInUse(t *testing.T) {
	const transfers = 100
	for name, c := range map[string]struct {
		spoil func(b []byte) []byte
		least int    // transfers that are there all the same
		aside bool   // the file is
		says  string // with one line
	}{
		"a byte changed":           {func(b []byte) []byte { b[20_000] ^= 1; return b }, transfers - 1, true, "bytes of it cannot be read"},
		"a sector of zeros":        {func(b []byte) []byte { clear(b[10_240:10_752]); return b }, transfers - 4, true, "bytes of it cannot be read"},
		"the beginning is missing": {func(b []byte) []byte { return b[5000:] }, transfers - 20, true, "bytes of it cannot be read"},
		"cut in a record":          {func(b []byte) []byte { return b[:20_000] }, 40, true, "was not written whole"},
		"not ours":                 {func([]byte) []byte { return bytes.Repeat([]byte("hello, I am a text file\n"), 1000) }, 0, true, "was not written whole"},
		"zeros":                    {func(b []byte) []byte { return make([]byte, len(b)) }, 0, true, "it is empty"},
		"empty":                    {func([]byte) []byte { return nil }, 0, true, "it is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			fill(t, dir, transfers)
			path := filepath.Join(dir, firstSegment)
			spoiled := c.spoil(read(t, path))
			write(t, path, spoiled)
			if problems, err := journal.Check(dir); err != nil || strings.Contains(strings.Join(problems, "\n"), c.says) != (c.says != "" || len(problems) == 0) {
				t.Errorf("Check = %q, %v", problems, err)
			}
			r := &reports{}
			s := open(t, dir, r)
			list, err := s.List(t.Context())
			if err != nil || len(list) < c.least {
				t.Errorf("%d transfers, %v", len(list), err)
			}
			if said := strings.Join(r.said, "\n"); len(r.said) > 1 || !strings.Contains(said, c.says) || c.says == "" && said != "" {
				t.Errorf("reported %q", said)
			}
			kept, _ := filepath.Glob(path + ".damaged-*")
			if (len(kept) == 1) != c.aside || c.aside && !bytes.Equal(read(t, kept[0]), spoiled) {
				t.Errorf("kept aside: %v", kept)
			}
			if err := s.Put(t.Context(), newTransfer("new")); err != nil {
				t.Error(err)
			}
			shut(t, s)
			r = &reports{}
			again, _ := open(t, dir, r).List(t.Context())
			if len(again) != len(list)+1 || len(r.said) != 0 {
				t.Errorf("then %d transfers, reported %q", len(again), r.said)
			}
		})
	}
}

// Each start adds a file to the log; one that was removed is missed.
func TestOpen_aFileThatIsMissing_isReported(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 3)
	fill(t, dir, 0)
	fill(t, dir, 0)
	if err := os.Remove(filepath.Join(dir, firstSegment)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{firstSegment + ": it is missing", ""} { // told once
		r := &reports{}
		shut(t, open(t, dir, r))
		if said := strings.Join(r.said, "\n"); !strings.HasPrefix(said, want) || want == "" && said != "" {
			t.Errorf("reported %q, want %q", said, want)
		}
	}
}

// What is put in the place of a file must not hold up the start: to open a FIFO waits
// for somebody who writes to it.
func TestOpen_whatIsNoFile_isSetAsideAndReported(t *testing.T) {
	for _, name := range []string{firstSegment, "journal-00000050.log", "escalator.db"} {
		for kind, put := range map[string]func(path string) error{
			"a FIFO":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
			"a folder": func(path string) error { return os.Mkdir(path, 0o700) },
			"a device": func(path string) error { return os.Symlink("/dev/zero", path) },
		} {
			dir := t.TempDir()
			fill(t, dir, 3)
			path := filepath.Join(dir, name)
			if err := errors.Join(os.RemoveAll(path), put(path)); err != nil {
				t.Fatal(err)
			}
			if problems, err := journal.Check(dir); err != nil || len(problems) != 1 && name != "escalator.db" {
				t.Errorf("%s as %s: Check = %q, %v", kind, name, problems, err)
			}
			r := &reports{}
			s := open(t, dir, r)
			list, err := s.List(t.Context())
			if want := 3; err != nil || len(list) != want && name != firstSegment {
				t.Errorf("%s as %s: %d transfers, %v", kind, name, len(list), err)
			}
			if len(r.said) != 1 || !strings.Contains(r.said[0], "not a regular file") {
				t.Errorf("%s as %s: reported %q", kind, name, r.said)
			}
			if aside, _ := filepath.Glob(path + ".damaged-*"); len(aside) != 1 {
				t.Errorf("%s as %s is not set aside: %v", kind, name, aside)
			}
			shut(t, s)
		}
	}
}

// A process may go on writing to a file that was removed, and nobody would ever read it.
func TestStore_removedWhileItIsInUse_isWrittenAgain_andThatIsTold(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for name, remove := range map[string]func() error{
		"the folder":  func() error { return os.RemoveAll(dir) },
		"the journal": func() error { return os.Remove(filepath.Join(dir, firstSegment)) },
		"replaced":    func() error { return os.Rename(filepath.Join(dir, firstSegment), filepath.Join(dir, "copy")) },
	} {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		r := &reports{}
		s := open(t, dir, r)
		for _, id := range []string{"before", "over"} {
			if err := s.Put(t.Context(), newTransfer(id)); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(s.Delete(t.Context(), newTransfer("over")), remove(), s.Put(t.Context(), newTransfer("after"))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		again, err := open(t, kill(t, dir), &reports{}).List(t.Context())
		if err != nil || len(again) != 2 {
			t.Errorf("%s: after a kill %d transfers are left, %v", name, len(again), err)
		}
		if len(r.said) != 1 || !strings.Contains(r.said[0], "removed while it was in use") || s.Writable() != nil {
			t.Errorf("%s: told %q, and then %v", name, r.said, s.Writable())
		}
		shut(t, s)
	}
}

// A record that another version wrote stays in the log, and harms no other.
func TestOpen_aTransferThatCannotBeRead_isReportedAndKept(t *testing.T) {
	dir := t.TempDir()
	oldStore(t, dir, map[string]string{"bad": `{"id":"ba`, "empty": `{}`, "good": string(encoded(t, newTransfer("good")))}, nil)
	for range 2 {
		r := &reports{}
		s := open(t, dir, r)
		if list, _ := s.List(t.Context()); len(list) != 1 || list[0].ID != "good" || len(r.said) != 2 {
			t.Errorf("%d transfers, reports %q", len(list), r.said)
		}
		shut(t, s)
	}
}

func encoded(t *testing.T, tr *store.Transfer) []byte {
	t.Helper()
	b, err := json.Marshal(tr)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// oldStore makes the file of the store before this one.
func oldStore(t *testing.T, dir string, transfers map[string]string, more func(tx *bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(dir, "escalator.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range []string{"meta", "outbox", "conversations", "answers", "damaged"} {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		for id, value := range transfers {
			if err := tx.Bucket([]byte("outbox")).Put([]byte(id), []byte(value)); err != nil {
				return err
			}
		}
		if more != nil {
			return more(tx)
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_anOlderStore_isTakenUpOnce(t *testing.T) {
	dir := t.TempDir()
	c := new(rules.Conversation)
	c.Observe(rules.EventWithHuman, time.Now(), time.Time{})
	state, _ := c.MarshalBinary()
	oldStore(t, dir, map[string]string{"a": string(encoded(t, newTransfer("a"))), "b": string(encoded(t, newTransfer("b")))}, func(tx *bolt.Tx) error {
		at := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixMilli()))
		answers := tx.Bucket([]byte("answers"))
		return errors.Join(tx.Bucket([]byte("conversations")).Put([]byte("s"), state),
			answers.Put([]byte("k"), append(append(bytes.Clone(at), 'a'), "taken"...)), answers.Put([]byte("counted"), append(bytes.Clone(at), 'n')))
	})
	if _, err := journal.Check(dir); err != nil {
		t.Error(err)
	}
	for i := range 2 {
		p := start(t, dir, store.Alarms{})
		if list, err := p.disk.List(t.Context()); err != nil || len(list) != 2-i || !list[0].OutcomeUnknown {
			t.Errorf("start %d: %d transfers, %v", i, len(list), err)
		}
		var phase rules.Phase
		_ = p.Conversations.View(t.Context(), "s", func(c *rules.Conversation) { phase = c.Phase() })
		repeat, err := p.Dedup.Claim(t.Context(), "k", "s")
		counted, err2 := p.Dedup.Claim(t.Context(), "counted", "s")
		if phase != rules.PhaseHuman || repeat.First || string(repeat.Answer) != "taken" || !counted.Counted || errors.Join(err, err2) != nil {
			t.Errorf("start %d: phase %s, a repeat %+v, one that was counted %+v, %v %v", i, phase, repeat, counted, err, err2)
		}
		if i == 0 {
			if err := p.disk.Delete(t.Context(), newTransfer("a")); err != nil {
				t.Fatal(err)
			}
		}
		shut(t, p.disk)
	}
	if _, err := os.Stat(filepath.Join(dir, "escalator.db.imported")); err != nil {
		t.Error(err)
	}
}

func TestOpen_aDamagedOlderStore_isSetAsideAndReported(t *testing.T) {
	for name, spoil := range map[string]func(b []byte) []byte{
		"not a database": func([]byte) []byte { return []byte("hello, I am a text file\n") },
		"empty pages":    func([]byte) []byte { return make([]byte, 64<<10) },
		"cut in half":    func(b []byte) []byte { return b[:len(b)/2+100] },
		"overwritten": func(b []byte) []byte {
			for i := 2 * os.Getpagesize(); i < len(b); i++ {
				b[i] = 0xff
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			all := map[string]string{}
			for i := range 500 {
				all[fmt.Sprint(i)] = string(encoded(t, newTransfer(fmt.Sprint(i))))
			}
			oldStore(t, dir, all, nil)
			path := filepath.Join(dir, "escalator.db")
			write(t, path, spoil(read(t, path)))
			r := &reports{}
			s := open(t, dir, r)
			kept, _ := filepath.Glob(path + ".damaged-*")
			if len(kept) != 1 || len(r.said) == 0 || !strings.Contains(r.said[0], kept[0]) {
				t.Errorf("kept aside: %v, reported %q", kept, r.said)
			}
			if err := s.Put(t.Context(), newTransfer("new")); err != nil {
				t.Error(err)
			}
		})
	}
}

// A copy that is made while the store is in use has all that was promised before.
func TestStore_aCopyOfTheFolderInUse_isABackup(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, store.Alarms{})
	stop := make(chan struct{})
	var load sync.WaitGroup
	for w := range 4 {
		load.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				tr := newTransfer(fmt.Sprintf("%d-%d", w, i%50))
				tr.Say = strings.Repeat("x", 3000)
				_ = p.disk.Put(t.Context(), tr)
				p.disk.Keep(memory.Change{ID: tr.ID, Conversation: new(rules.Conversation)})
				_ = p.disk.Delete(t.Context(), tr)
			}
		})
	}
	for i := range 8 {
		id := fmt.Sprint("before the copy ", i)
		if err := p.disk.Put(t.Context(), newTransfer(id)); err != nil {
			t.Fatal(err)
		}
		backup := filepath.Join(t.TempDir(), "backup")
		if out, err := exec.CommandContext(t.Context(), "cp", "-r", dir, backup).CombinedOutput(); err != nil {
			t.Fatalf("cp: %v\n%s", err, out)
		}
		r := &reports{}
		s := open(t, backup, r)
		for k := range i + 1 {
			if _, err := s.Get(t.Context(), fmt.Sprint("before the copy ", k)); err != nil {
				t.Errorf("copy %d lacks a transfer that was stored before: %v; reported %q", i, err, r.said)
			}
		}
		shut(t, s)
	}
	close(stop)
	load.Wait()
}

// FuzzOpen_arbitraryFiles: whatever a segment holds, the store opens, goes on, and what
// it finds can be used.
func FuzzOpen_arbitraryFiles(f *testing.F) {
	dir := f.TempDir()
	s, err := journal.Open(journal.Options{Dir: dir})
	if err != nil {
		f.Fatal(err)
	}
	for _, id := range []string{"a", "b", "c"} {
		if err := s.Put(f.Context(), newTransfer(id)); err != nil {
			f.Fatal(err)
		}
	}
	s.Keep(memory.Change{ID: "c", Conversation: new(rules.Conversation), Key: memory.KeyOf("k"), Answer: []byte("ok"), Records: []store.Record{
		{Kind: store.KindUser, Name: "u", Value: []byte("x"), Version: 300, Until: time.Now()}, {Kind: store.KindWords, Name: "w"},
	}})
	if err := s.Close(f.Context()); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, firstSegment))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint16(0), []byte("hello"), uint16(0))
	f.Add(uint16(31), []byte{0xff, 0xff, 0xff, 0xff}, uint16(0))
	f.Add(uint16(400), []byte{}, uint16(64000))
	f.Fuzz(func(t *testing.T, at uint16, patch []byte, cut uint16) {
		b := bytes.Clone(whole)
		copy(b[int(at)%2000:], patch)
		dir := t.TempDir()
		write(t, filepath.Join(dir, firstSegment), b[:len(b)-int(cut)%len(b)])
		s, err := journal.Open(journal.Options{Dir: dir})
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		list, _ := s.List(context.WithoutCancel(t.Context()))
		for _, tr := range list {
			_, _ = tr.Current(), tr.Last()
		}
		records := memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(10), Journal: s})
		conversations := memory.NewConversations(memory.ConversationsOptions{Journal: s, Max: 10, Expires: func(*rules.Conversation) time.Time { return time.Time{} }})
		s.Live(conversations, memory.NewDedup(memory.DedupOptions{Keep: time.Minute, Max: 10}), records)
		users, _ := records.Records(t.Context(), store.KindUser)
		for _, u := range users {
			u.Value = nil
			if err := records.PutRecords(t.Context(), u); err != nil {
				t.Errorf("removing %+v: %v", u, err)
			}
		}
		_ = s.Put(context.WithoutCancel(t.Context()), newTransfer("new"))
		_ = s.Close(context.WithoutCancel(t.Context()))
	})
}
