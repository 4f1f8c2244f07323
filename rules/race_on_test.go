//go:build race

package rules

// raceDetector says that the race detector runs: it makes sync.Pool forget at random, so allocations say nothing.
const raceDetector = true
