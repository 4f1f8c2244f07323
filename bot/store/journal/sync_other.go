//go:build !linux

package journal

import "os"

// syncData makes certain what was written to a file, and how long it is.
func syncData(f *os.File) error { return f.Sync() }
