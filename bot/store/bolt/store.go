package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"escalator/bot/store/memory"
	"escalator/rules"
)

const (
	// fileName is the one file in the data folder.
	fileName = "escalator.db"
	// lockTimeout is how long a second process waits before it is told that
	// the folder is taken: a moment, for one that is just ending.
	lockTimeout = time.Second
	// format is the version of what is written into the buckets.
	format = "1"
)

var (
	bucketMeta          = []byte("meta")
	bucketOutbox        = []byte("outbox")        // conversation id → transfer, JSON
	bucketConversations = []byte("conversations") // conversation id → conversation, binary
	bucketAnswers       = []byte("answers")       // callback's key → when, and what it was answered
	bucketDamaged       = []byte("damaged")       // records that could not be read, under their key
	keyFormat           = []byte("format")
)

// ErrInUse says that another process has the data folder.
var ErrInUse = errors.New("another process uses this data folder")

// Options says where and how the store works.
type Options struct {
	Dir string
	Now func() time.Time // nil: time.Now
	// KeepAnswers is how long callbacks are remembered over a restart.
	KeepAnswers time.Duration
	// Report is told of what was found damaged and where it is kept.
	Report func(problem, keptAt string)
	// Failed is told of each write that failed; nil: nobody counts them.
	Failed func()
}

// Store is the open file.
type Store struct {
	db      *bolt.DB
	commits *committer
	index   *memory.Outbox
	report  func(problem, keptAt string)
	failed  func()
	now     func() time.Time

	keepAnswers time.Duration

	// What an earlier process left, until Restored.
	conversations map[string]*rules.Conversation
	answers       map[string][]byte

	mu       sync.Mutex
	failure  error   // of the last commit, nil when it went well
	unsaved  pending // for the next commit
	closing  chan struct{}
	flushing sync.WaitGroup
}

// Open opens or makes the store in the folder, and reads what an earlier
// process left. A file that cannot be read is kept aside and reported; a folder
// that is in use is ErrInUse.
func Open(o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Report == nil {
		o.Report = func(string, string) {}
	}
	if o.Failed == nil {
		o.Failed = func() {}
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	path := filepath.Join(o.Dir, fileName)
	s, err := openFile(path, o)
	if err != nil && damaged(err) {
		aside := fmt.Sprintf("%s.damaged-%s", path, o.Now().UTC().Format("20060102T150405.000"))
		if err := os.Rename(path, aside); err != nil {
			return nil, fmt.Errorf("setting the damaged %s aside: %w", path, err)
		}
		o.Report(fmt.Sprintf("%s cannot be read (%v): starting with an empty store", path, err), aside)
		s, err = openFile(path, o)
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	s.flushing.Go(s.flushNowAndThen)
	return s, nil
}

// foreignError says that a file is no store of ours, or of a later version.
type foreignError string

func (e foreignError) Error() string { return string(e) }

// damaged reports whether err is about the content of the file.
func damaged(err error) bool {
	var foreign foreignError
	return errors.As(err, &foreign) || errors.Is(err, berrors.ErrInvalid) || errors.Is(err, berrors.ErrChecksum) ||
		errors.Is(err, berrors.ErrVersionMismatch) || errors.Is(err, berrors.ErrInvalidMapping)
}

// openFile opens one file and reads it.
func openFile(path string, o Options) (s *Store, err error) {
	db, err := openDB(path)
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, ErrInUse
	}
	if err != nil {
		return nil, err
	}
	s = &Store{db: db, index: memory.NewOutbox(o.Now), report: o.Report, failed: o.Failed, now: o.Now, keepAnswers: o.KeepAnswers, unsaved: newPending(), closing: make(chan struct{})}
	err = guarded(func() error {
		if err := s.prepare(); err != nil {
			return err
		}
		return s.load()
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.commits = newCommitter(db, s)
	return s, syncDir(filepath.Dir(path))
}

func openDB(path string) (db *bolt.DB, err error) {
	err = guarded(func() (err error) {
		if db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: lockTimeout, FreelistType: bolt.FreelistMapType}); err != nil {
			return err
		}
		return readAll(db)
	})
	if err != nil && db != nil {
		err = errors.Join(err, db.Close())
	}
	return db, err
}

// prepare makes the buckets and checks the format.
func (s *Store) prepare() error {
	return s.db.Update(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if first, _ := tx.Cursor().First(); meta == nil && first != nil {
			return foreignError("it is a database of another program")
		}
		if meta != nil && string(meta.Get(keyFormat)) != format {
			return foreignError(fmt.Sprintf("its format is %q, this version reads %q", meta.Get(keyFormat), format))
		}
		for _, name := range [][]byte{bucketMeta, bucketOutbox, bucketConversations, bucketAnswers, bucketDamaged} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put(keyFormat, []byte(format))
	})
}

// syncDir makes a new file's name survive a loss of power.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator names the folder
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// commit runs a change and returns when it is on disk.
func (s *Store) commit(change func(*bolt.Tx) error) error {
	return s.noted(s.commits.do(change))
}

// noted keeps what became of a commit for Writable.
func (s *Store) noted(err error) error {
	if err != nil {
		s.failed()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = err
	return err
}

// Writable reports why nothing can be stored: the error of the last commit, or nil.
// A commit is tried anew at the next flush, so the answer heals by itself.
func (s *Store) Writable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// Close writes what is left and closes the file. It may be called twice.
func (s *Store) Close() error {
	select {
	case <-s.closing:
		return nil
	default:
		close(s.closing)
	}
	s.flushing.Wait()
	err := s.flush()
	s.commits.close()
	return errors.Join(err, s.db.Close())
}
