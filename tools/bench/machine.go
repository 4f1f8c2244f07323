package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine describes where the figures come from.
func machine() string {
	model := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease") // missing elsewhere than on Linux
	return fmt.Sprintf("%s, %d cores, %s %s %s, %s", model, runtime.NumCPU(), runtime.GOOS, bytes.TrimSpace(kernel), runtime.GOARCH, runtime.Version())
}

// kibOf reads a line such as "VmRSS: 1234 kB" of a file below /proc.
func kibOf(file, name string) (int64, error) {
	text, err := os.ReadFile(file) //nolint:gosec // below /proc, named by us
	if err != nil {
		return 0, missingError("memory is read from /proc, which is not there: " + err.Error())
	}
	for line := range strings.Lines(string(text)) {
		var kib int64
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			_, err := fmt.Sscan(rest, &kib)
			return kib, err
		}
	}
	return 0, missingError(file + " has no line " + name)
}

// needMemory says so when less memory is free than a part needs.
func needMemory(mib int64) error {
	free, err := kibOf("/proc/meminfo", "MemAvailable")
	if err == nil && free>>10 < mib {
		return missingError(fmt.Sprintf("this part needs %d MiB of memory and %d are free (leave it out with -only)", mib, free>>10))
	}
	return err
}
