//go:build race

package handlers_test

// raceDetector says whether the race detector runs: it makes sync.Pool forget at random, so allocations say nothing.
const raceDetector = true
