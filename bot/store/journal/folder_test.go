package journal

import (
	"errors"
	"io/fs"
	"os"
	"testing"
)

// What people read of a disk that fails says which file it was.
func TestDiskFile_syncThatFails_namesTheFile(t *testing.T) {
	r, w, err := os.Pipe() // nothing of a pipe can be synced
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = errors.Join(r.Close(), w.Close()) }()
	err = diskFile{w}.Sync()
	if failed := new(fs.PathError); !errors.As(err, &failed) || failed.Op != "sync" || failed.Path != w.Name() {
		t.Errorf("Sync of a pipe = %v, want an error that names %q", err, w.Name())
	}
}
