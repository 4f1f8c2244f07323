//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package backend

import "net"

// reusable cannot be asked here: each callback gets a connection of its own.
func reusable(net.Conn) bool { return false }
