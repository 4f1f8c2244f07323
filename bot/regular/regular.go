// Package regular opens files in whose place something else may have been put.
package regular

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Open opens a regular file for reading, and refuses anything else: to open a FIFO would
// wait for another process, and to open a device may already do something.
func Open(path string) (*os.File, error) {
	return open(path, os.Stat, os.OpenFile)
}

// OpenIn is Open for a file below a root.
func OpenIn(root *os.Root, name string) (*os.File, error) {
	return open(name, root.Stat, root.OpenFile)
}

func open(path string, stat func(string) (fs.FileInfo, error), openFile func(string, int, fs.FileMode) (*os.File, error)) (*os.File, error) {
	if info, err := stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, refused(path)
	}
	f, err := openFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	// It may have been replaced meanwhile.
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = refused(path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func refused(path string) error {
	return &os.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
}
