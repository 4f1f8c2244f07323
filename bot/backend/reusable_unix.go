//go:build linux || darwin || freebsd || netbsd || openbsd

package backend

import (
	"errors"
	"net"
	"syscall"
)

// reusable reports whether the other side has neither closed a connection nor sent anything
// that nobody asked for: whether another request can go out on it.
func reusable(c net.Conn) bool {
	s, ok := c.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	var seen error
	err = raw.Control(func(fd uintptr) { // Read would mind the deadline of the last request
		var one [1]byte
		_, _, seen = syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	return err == nil && errors.Is(seen, syscall.EAGAIN)
}
