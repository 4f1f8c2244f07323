package e2e_test

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	crowdTick = 100 * time.Millisecond
	// So many come in a tick until the crowd is complete, and then come back when
	// they were sent away: to hold connections is the point, not to open many.
	crowdComes, crowdReturns = 1500, 100
)

// crowd is strangers who hold connections: each says its opening words and then
// nothing more, reads nothing, and comes again when it is sent away. They are
// bare sockets, because ten thousand of them must cost the test little.
type crowd struct {
	address netip.AddrPort
	opening []byte
	members []unix.PollFd
	most    int // who were there at once
	stop    chan struct{}
	all     sync.WaitGroup
}

// gather lets a crowd come; the returned function sends it away and tells how
// many there were at once at the most.
func gather(address string, size int, opening string) (disperse func() int) {
	c := &crowd{address: netip.MustParseAddrPort(address), opening: []byte(opening), stop: make(chan struct{})}
	c.all.Go(func() {
		tick := time.NewTicker(crowdTick)
		defer tick.Stop()
		for came := 0; ; {
			n := crowdReturns
			if came < size {
				n = crowdComes
			}
			came += c.come(min(n, size-len(c.members)))
			c.most = max(c.most, len(c.members))
			select {
			case <-tick.C:
			case <-c.stop:
				return
			}
			c.dropGone()
		}
	})
	return func() int {
		close(c.stop)
		c.all.Wait()
		for _, m := range c.members {
			_ = unix.Close(int(m.Fd))
		}
		return c.most
	}
}

func (c *crowd) come(n int) (came int) {
	for came < n {
		fd, ok := c.connect(byte(came))
		if !ok {
			break
		}
		came++
		c.members = append(c.members, unix.PollFd{Fd: int32(fd), Events: unix.POLLRDHUP})
	}
	return came
}

// connect opens a connection from an address that is not the app's. It does not
// wait long: a full queue of the kernel is the stranger's bad luck.
func (c *crowd) connect(i byte) (fd int, ok bool) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, false
	}
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Usec: 50_000})
	_ = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 200, i, 1}})
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: c.address.Addr().As4(), Port: int(c.address.Port())}); err != nil {
		_ = unix.Close(fd)
		return 0, false
	}
	if len(c.opening) > 0 {
		_, _ = unix.SendmsgN(fd, c.opening, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	}
	return fd, true
}

// dropGone closes the connections that the service has ended.
func (c *crowd) dropGone() {
	if _, err := unix.Poll(c.members, 0); err != nil {
		return
	}
	c.members = slices.DeleteFunc(c.members, func(m unix.PollFd) bool {
		gone := m.Revents&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0
		if gone {
			_ = unix.Close(int(m.Fd))
		}
		return gone
	})
}

// crowdRoom scales a crowd down to the files that a process may have open here,
// so that all crowds at once leave enough for everything else.
func crowdRoom(size int) int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	const all = 10_000 + 3_000 + 2_000 + 300 + 2_000 // of each kind the largest
	files := int(min(limit.Cur, 1<<20))
	room := files - min(files/2, 1500)
	return min(size, size*room/all)
}
