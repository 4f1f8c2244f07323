package app

import (
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is the time on the clock by which systemd orders reloads.
func monotonic() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // it cannot fail for a clock that every Linux has
	return time.Duration(now.Nano())
}
