//go:build !race

package rules

// raceDetector says that the race detector runs, see race_on_test.go.
const raceDetector = false
