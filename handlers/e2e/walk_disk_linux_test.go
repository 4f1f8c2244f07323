package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// disk is a folder on a small disk of its own that the walk can fill. It is a
// tmpfs in a mount namespace of one thread: nobody else sees it, and it is gone
// with the thread and the service, however the test ends. Where the test may
// not mount, the size of every file of the service is limited instead.
type disk struct {
	t      *testing.T
	dir    string
	calls  chan func()
	filler *os.File // nil: files are limited
	full   atomic.Bool
	freed  atomic.Int64 // when space came back, in Unix nanoseconds
	pid    int
}

const (
	diskSize = "size=256m"
	recovery = time.Second // after which no callback may be refused any more
)

func newDisk(t *testing.T, dir string) *disk {
	t.Helper()
	d := &disk{t: t, dir: dir, calls: make(chan func())}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends here
		for call := range d.calls {
			call()
		}
	}()
	t.Cleanup(func() { close(d.calls) })
	var err error
	d.do(func() {
		if err = mountAlone(dir); err == nil {
			d.filler, err = os.Create(filepath.Join(dir, "filler"))
		}
	})
	if d.filler != nil {
		t.Cleanup(func() { _ = d.filler.Close() })
	} else {
		t.Logf("no disk of its own (%v): a full disk is a limit of 1 byte for every file", err)
	}
	return d
}

// mountAlone mounts a small disk that only this thread and what it starts see.
func mountAlone(dir string) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("a mount namespace: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, diskSize); err != nil {
		return fmt.Errorf("mounting a tmpfs: %w", err)
	}
	return nil
}

// do runs a function where the disk is seen.
func (d *disk) do(f func()) {
	done := make(chan struct{})
	d.calls <- func() { defer close(done); f() }
	<-done
}

// fill takes all the space there is.
func (d *disk) fill() {
	d.full.Store(true)
	if d.filler == nil {
		d.limit(d.pid)
		return
	}
	for range 20 {
		var free unix.Statfs_t
		if err := unix.Fstatfs(int(d.filler.Fd()), &free); err != nil {
			d.t.Fatal(err)
		}
		if free.Bavail == 0 {
			return
		}
		end, _ := d.filler.Seek(0, 2)
		room := int64(free.Bavail) * free.Bsize
		if unix.Fallocate(int(d.filler.Fd()), 0, end, room) == nil {
			_, _ = d.filler.Seek(0, 2)
		}
	}
}

// free gives the space back.
func (d *disk) free() {
	d.full.Store(false)
	d.freed.Store(time.Now().UnixNano())
	if d.filler == nil {
		d.limit(d.pid)
		return
	}
	if err := d.filler.Truncate(0); err != nil {
		d.t.Fatal(err)
	}
}

// lacked tells whether there is no space, or was none a moment ago.
func (d *disk) lacked() bool {
	return d.full.Load() || time.Since(time.Unix(0, d.freed.Load())) < recovery
}

// used is what the service has on its disk, in MiB; -1 where it is not its own.
func (d *disk) used() int {
	var s unix.Statfs_t
	if d.filler == nil || unix.Fstatfs(int(d.filler.Fd()), &s) != nil {
		return -1
	}
	return int((int64(s.Blocks) - int64(s.Bfree)) * s.Bsize >> 20)
}

// limit makes files of the process end as the state of the disk asks for, where
// there is no disk to fill.
func (d *disk) limit(pid int) {
	d.pid = pid
	if d.filler != nil {
		return
	}
	limit := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if d.full.Load() {
		limit.Cur = 1
	}
	_ = unix.Prlimit(pid, unix.RLIMIT_FSIZE, &limit, nil) // the process may be gone
}

// remove deletes a folder of the disk.
func (d *disk) remove(name string) {
	d.do(func() { _ = os.RemoveAll(filepath.Join(d.dir, name)) })
}

// holds tells whether there is a file of a pattern.
func (d *disk) holds(pattern string) bool {
	var files []string
	d.do(func() { files, _ = filepath.Glob(filepath.Join(d.dir, pattern)) })
	return len(files) > 0
}
