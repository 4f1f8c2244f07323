// Package redistest runs a real redis-server for tests, on loopback and on a
// folder of the test's own, and makes it fail as real ones do.
package redistest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

// timeout is how long a server may take to start or to end.
const timeout = 15 * time.Second

// go-redis would tell of a server that is being started.
func init() { logging.Disable() }

// Server is a redis-server process.
type Server struct {
	t     testing.TB
	args  []string
	port  string
	cmd   *exec.Cmd
	ended chan struct{}
}

// Start runs a server until the test ends, with settings such as
// "--appendfsync", "always" added. Without redis-server on the machine the test
// fails: there is no stand-in for it.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("redis-server is missing: install Debian's package redis-server, or put the program into PATH")
	}
	dir := t.TempDir()
	port := freePort(t)
	s := &Server{t: t, port: port, args: append([]string{
		path, "--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", "no",
		"--logfile", filepath.Join(dir, "redis.log"),
	}, settings...)}
	s.run()
	t.Cleanup(s.Kill)
	return s
}

// freePort finds a port that nobody uses now.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// run starts the process and waits until it answers.
func (s *Server) run() {
	s.t.Helper()
	s.cmd, s.ended = exec.CommandContext(context.Background(), s.args[0], s.args[1:]...), make(chan struct{}) //nolint:gosec // a test names the program
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("starting redis-server: %v", err)
	}
	cmd, ended := s.cmd, s.ended
	go func() { _ = cmd.Wait(); close(ended) }()
	client := s.Client()
	defer func() { _ = client.Close() }()
	late, look := time.After(timeout), time.NewTicker(5*time.Millisecond)
	defer look.Stop()
	for {
		if err := client.Ping(context.Background()).Err(); err == nil || strings.Contains(err.Error(), "NOAUTH") {
			return
		}
		select {
		case <-look.C:
		case <-ended:
			s.t.Fatalf("redis-server ended at its start (%v)", s.args)
		case <-late:
			s.t.Fatal("redis-server does not answer")
		}
	}
}

// URL is the address of database 0.
func (s *Server) URL() string { return "redis://127.0.0.1:" + s.port }

// Client returns a client of its own.
func (s *Server) Client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + s.port, MaxRetries: -1, DialerRetries: 1})
}

// Kill ends the server at once, as a loss of power of the machine would, but
// for what the kernel had already taken.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

// Restart starts a server that was killed, on what it had written.
func (s *Server) Restart() { s.t.Helper(); s.run() }

// Pause stops the process without ending it: connections stay, nothing answers.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Continue ends Pause.
func (s *Server) Continue() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatalf("signal to redis-server: %v", err)
	}
}

// Set changes a setting while it runs (CONFIG SET).
func (s *Server) Set(name, value string) { s.t.Helper(); s.do("CONFIG", "SET", name, value) }

// ReadOnly makes it refuse writes, as a replica does after a failover, or take
// them again.
func (s *Server) ReadOnly(on bool) {
	s.t.Helper()
	if on { // a replica of a primary that is not there
		s.do("REPLICAOF", "127.0.0.1", "1")
	} else {
		s.do("REPLICAOF", "NO", "ONE")
	}
}

func (s *Server) do(args ...any) {
	s.t.Helper()
	client := s.Client()
	defer func() { _ = client.Close() }()
	if err := client.Do(context.Background(), args...).Err(); err != nil {
		s.t.Fatalf("%v: %v", args, err)
	}
}
