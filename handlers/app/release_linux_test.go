package app

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

func TestReleaseCode(t *testing.T) {
	resident := func() int {
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		kib, err := strconv.Atoi(string(regexp.MustCompile(`RssFile:\s+(\d+) kB`).FindSubmatch(status)[1]))
		if err != nil {
			t.Fatal(err)
		}
		return kib
	}
	before := resident()
	releaseCode()
	if after := resident(); after > before*2/3 {
		t.Errorf("%d kB of files were resident, and %d still are", before, after)
	}
}
