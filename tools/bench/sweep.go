package main

import (
	"context"
	"fmt"
	"os"
)

// sweptBytes of memory are what other work on the machine goes through: more
// than the caches that a core has to itself.
const (
	sweptBytes = 32 << 20
	cacheLine  = 64
)

// memorySweep goes through memory, so that what was in the caches no longer is.
type memorySweep []byte

func newMemorySweep() memorySweep { return make(memorySweep, sweptBytes) }

// pass changes one byte of each cache line.
func (s memorySweep) pass() {
	for i := 0; i < len(s); i += cacheLine {
		s[i]++
	}
}

// sweepOn is the life of the process that makes a machine busy.
func sweepOn(ctx context.Context) error {
	ctx, cancel := leashed(ctx)
	defer cancel()
	fmt.Fprintln(os.Stdout, "sweeping")
	for s := newMemorySweep(); ctx.Err() == nil; {
		s.pass()
	}
	return nil
}
