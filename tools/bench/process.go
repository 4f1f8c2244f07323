package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// timeout is how long a process may take to start or to stop.
const timeout = 15 * time.Second

// productBinary is the whole path of the program to measure.
func productBinary(path string) (string, error) {
	if _, err := os.Stat(path); err != nil {
		return "", missingError("-binary: " + err.Error() + " (make build makes it)")
	}
	return filepath.Abs(path)
}

// process is a child of ours.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

func startProcess(cmd *exec.Cmd) (*process, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(p.ended) }()
	return p, nil
}

// stop ends the process, by force if it takes too long.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(timeout):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// kib reads a figure of the process's memory: VmRSS or VmHWM.
func (p *process) kib(name string) (float64, error) {
	kib, err := kibOf(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid), name)
	return float64(kib), err
}

// cpu is the processor time that the process has taken so far, with that of its
// children that have ended. Unlike the time on the wall it does not count what
// others took meanwhile.
func (p *process) cpu() time.Duration { return cpuOf(strconv.Itoa(p.cmd.Process.Pid)) }

// hertz is the unit of the kernel's processor times, wherever it tells them.
const hertz = 100

// Fields of /proc/PID/stat, counted from behind the name, which may hold anything.
const (
	statMinorFaults = 7
	statUser        = 11 // and the system's, and both of the children that were waited for
	statFields      = 15
)

// statNumbers are the fields of /proc/PID/stat behind the name; zeros where it
// cannot be read.
func statNumbers(pid string) [statFields]int64 {
	var numbers [statFields]int64
	text, err := os.ReadFile("/proc/" + pid + "/stat") //nolint:gosec // below /proc, named by us
	if err != nil {
		return numbers
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	for i, field := range strings.Fields(rest) {
		if i < len(numbers) {
			numbers[i], _ = strconv.ParseInt(field, 10, 64) // the state is a letter: 0
		}
	}
	return numbers
}

func cpuOf(pid string) time.Duration {
	var ticks int64
	numbers := statNumbers(pid)
	for _, n := range numbers[statUser:] {
		ticks += n
	}
	return time.Duration(ticks) * time.Second / hertz
}
