package journal

import (
	"errors"
	"os"
	"syscall"
)

// syncData makes certain what was written to a file, and how long it is. It leaves out
// when it was changed last: a sync that writes that waits for the disk once more.
func syncData(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) {
		for {
			if failed = syscall.Fdatasync(int(fd)); !errors.Is(failed, syscall.EINTR) {
				return
			}
		}
	})
	if err = errors.Join(err, failed); err != nil { // people read which file it was
		return &os.PathError{Op: "sync", Path: f.Name(), Err: err}
	}
	return nil
}
