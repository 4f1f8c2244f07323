package handlers

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// waited is how long the request has waited for its handler: the time since the last
// bytes of its connection came. Under load that is spent in the kernel, before Go's
// poller gets round to the connection, where nothing of ours can see it. 0: not known.
func (c *connection) waited() time.Duration {
	tcp, ok := c.Conn.(*net.TCPConn)
	if !ok {
		return 0
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0
	}
	var info *unix.TCPInfo
	err = raw.Control(func(fd uintptr) { info, _ = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
	if err != nil || info == nil {
		return 0
	}
	return time.Duration(info.Last_data_recv) * time.Millisecond
}
