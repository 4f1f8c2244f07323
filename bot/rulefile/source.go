package rulefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"escalator/rules"
)

// readWithin is how long storage may take to give the file.
const readWithin = 2 * time.Second

var errStorage = fmt.Errorf("its storage has not answered within %s", readWithin)

// source is where the file is read from.
type source struct {
	path string
	busy chan struct{} // holds one value while a read is under way
}

// read reads the file, but does not wait for storage that hangs: a system call
// that does not return cannot be ended, only left alone. While one hangs no
// other begins.
func (s source) read(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, readWithin, errStorage)
	defer cancel()
	select {
	case s.busy <- struct{}{}:
	default:
		return nil, errStorage
	}
	type content struct {
		src []byte
		err error
	}
	done := make(chan content, 1)
	go func() {
		src, err := Read(s.path)
		<-s.busy
		done <- content{src, err}
	}()
	select {
	case c := <-done:
		return c.src, c.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Read reads a rule file: a regular file, opened so that nothing waits for
// another process, and no more of it than shows that it is too large.
func Read(path string) ([]byte, error) {
	// Looked at before it is opened too: to open a device may already do something.
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errNotRegular(path)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errNotRegular(path)
	}
	return io.ReadAll(io.LimitReader(f, rules.MaxSize+1))
}

func errNotRegular(path string) error {
	return &os.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
}
