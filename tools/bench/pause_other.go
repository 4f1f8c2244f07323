//go:build !linux

package main

import "time"

// pauses returns a sleep and its end.
func pauses() (pause func(time.Duration), done func()) {
	return func(d time.Duration) { <-time.After(d) }, func() {}
}
