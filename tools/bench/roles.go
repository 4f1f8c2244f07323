package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// roleVariable tells a process of ours what it is.
const roleVariable = "ESCALATOR_BENCH_ROLE"

// The roles. All but the load end with their standard input, so that they never
// outlive who started them, and say in one line that they are ready.
const (
	roleFloor   = "floor"
	roleProxy   = "proxy"
	roleSweeper = "sweeper"
	roleLoad    = "load"
)

// play is the life of a process with a role.
func play(ctx context.Context, role string, args []string) int {
	var err error
	switch role {
	case roleFloor:
		err = serve(ctx, floorHandler())
	case roleProxy:
		err = serve(ctx, proxyTo(strings.Join(args, "")))
	case roleSweeper:
		err = sweepOn(ctx)
	case roleLoad:
		err = serveLoad(os.Stdin, os.Stdout)
	default:
		err = fmt.Errorf("%s: %q is no role", roleVariable, role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", role+":", err)
		return 1
	}
	return 0
}

// leashed is done when standard input ends, or the context.
func leashed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); cancel() }()
	return ctx, cancel
}

// self is this program in another role.
func self(ctx context.Context, role string, args ...string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // ourselves
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// helper is a process of ours in a role, running.
type helper struct {
	*process
	address string // of one that serves
	leash   io.Closer
}

// startHelper starts a role and waits for its line.
func startHelper(ctx context.Context, role string, args ...string) (*helper, error) {
	cmd, err := self(ctx, role, args...)
	if err != nil {
		return nil, err
	}
	leash, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	h := &helper{leash: leash}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	h.process = &process{cmd: cmd, ended: make(chan struct{})}
	line, err := bufio.NewReader(out).ReadString('\n')
	go func() { _ = cmd.Wait(); close(h.ended) }()
	if err != nil {
		h.stop()
		return nil, missingError("the " + role + " does not start: no free port on loopback?")
	}
	h.address = strings.TrimSpace(line)
	return h, nil
}

// stop lets go of the leash.
func (h *helper) stop() {
	_ = h.leash.Close()
	h.process.stop()
}
