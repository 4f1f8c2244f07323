package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// machine describes where the figures come from.
func (b *bench) machine() string {
	model := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	kib, _ := kibOf("/proc/meminfo", "MemTotal") // missing elsewhere than on Linux, as the next
	kernel := firstLine("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%s, %d cores, caches %s, %.1f GB of memory, %s %s %s, %s, an fsync takes %s µs",
		model, runtime.NumCPU(), cmp.Or(caches("/sys/devices/system/cpu/cpu0/cache"), "unknown"), float64(kib)*1024/1e9,
		runtime.GOOS, kernel, runtime.GOARCH, runtime.Version(), b.fsync())
}

// caches names those of a core, such as "L1d 48K, L1i 32K, L2 2048K, L3 266240K".
func caches(folder string) string {
	var all []string
	levels, _ := filepath.Glob(folder + "/index*") // the pattern is right
	for _, dir := range levels {
		kind := map[string]string{"Data": "d", "Instruction": "i"}[firstLine(dir+"/type")]
		shared := ""
		if cores := firstLine(dir + "/shared_cpu_list"); strings.ContainsAny(cores, ",-") {
			shared = " shared by cores " + cores
		}
		all = append(all, "L"+firstLine(dir+"/level")+kind+" "+firstLine(dir+"/size")+shared)
	}
	return strings.Join(all, ", ")
}

// firstLine is what a file of the kernel's says, "" where it is not there.
func firstLine(file string) string {
	text, _ := os.ReadFile(file) //nolint:gosec // below /proc and /sys
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return string(bytes.TrimSpace(line))
}

// usage is what the machine's cores have done so far.
type usage struct {
	at     time.Time
	load   string
	busy   time.Duration // by all processes
	ours   time.Duration // by this one and its children that have ended
	stolen time.Duration // by other machines on the same hardware
}

// usageNow reads the kernel's counters; zeros elsewhere than on Linux.
func usageNow() usage {
	u := usage{at: time.Now(), ours: cpuOf("self")}
	u.load, _, _ = strings.Cut(firstLine("/proc/loadavg"), " ")
	var user, nice, system, idle, wait, irq, softirq, steal int64
	_, _ = fmt.Sscanf(firstLine("/proc/stat"), "cpu %d %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &wait, &irq, &softirq, &steal)
	ticks := func(n int64) time.Duration { return time.Duration(n) * time.Second / hertz }
	u.busy, u.stolen = ticks(user+nice+system+irq+softirq), ticks(steal)
	return u
}

// since says what else the machine did from an earlier moment until this one. All
// processes of ours have ended, so that their time is in our own.
func (u usage) since(began usage) string {
	cores := u.at.Sub(began.at).Seconds() * float64(runtime.NumCPU())
	percent := func(d time.Duration) float64 { return max(0, 100*d.Seconds()/max(cores, .01)) }
	others := (u.busy - began.busy) - (u.ours - began.ours)
	return fmt.Sprintf("The load was %s at the beginning and %s at the end; other processes used %.0f %% of the cores during the run, other machines on the same hardware %.0f %%.",
		cmp.Or(began.load, "unknown"), cmp.Or(u.load, "unknown"), percent(others), percent(u.stolen-began.stolen))
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
