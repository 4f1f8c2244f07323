package main

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// pauses returns a sleep that wakes up within microseconds, and its end. Go's
// own timers are rounded up to a millisecond while the process is idle.
func pauses() (pause func(time.Duration), done func()) {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // without it the kernel adds 50 µs: no more than that
	pause = func(d time.Duration) {
		t := unix.NsecToTimespec(int64(d))
		_ = unix.Nanosleep(&t, nil) // interrupted: the caller looks at the clock again
	}
	return pause, runtime.UnlockOSThread
}
