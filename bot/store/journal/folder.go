package journal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"escalator/bot/regular"
)

// folder is the data folder. In production it is disk; a test has one that forgets what
// was not synced, as a loss of power does.
type folder interface {
	names() ([]string, error)
	open(name string) (io.ReadCloser, error)
	create(name string) (file, error) // a new and empty one; the folder too, where it was removed
	holds(name string, f file) bool   // whether it is f that has the name
	rename(from, to string) error
	remove(name string) error
	sync(name string) error // of a file; of ".", the folder: the names that came, and those that went
}

// file is one that is written.
type file interface {
	io.WriterAt
	io.Closer
	Sync() error
}

// disk is a folder of the operating system.
type disk string

func (d disk) path(name string) string                 { return filepath.Join(string(d), name) }
func (d disk) open(name string) (io.ReadCloser, error) { return regular.Open(d.path(name)) }
func (d disk) rename(from, to string) error            { return os.Rename(d.path(from), d.path(to)) }
func (d disk) remove(name string) error                { return os.Remove(d.path(name)) }

func (d disk) create(name string) (file, error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(d.path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

// diskFile is a file of disk that is written.
type diskFile struct{ *os.File }

func (f diskFile) Sync() error { return syncData(f.File) }

func (d disk) holds(name string, f file) bool {
	there, err := os.Stat(d.path(name))
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	ours, err := f.(diskFile).Stat()
	return err != nil || os.SameFile(ours, there)
}

func (d disk) names() (names []string, err error) {
	entries, err := os.ReadDir(string(d))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

func (d disk) sync(name string) error {
	open := regular.Open
	if name == "." {
		open = os.Open
	}
	f, err := open(d.path(name))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
