package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Supervisor is the service manager that started the process and wants to hear how it
// is, in the words of sd_notify(3). The zero value is none.
type Supervisor struct {
	Socket string // its datagram socket; a name that begins with @ is an abstract one
	// Watchdog is after how long without a word the process is ended and started anew; 0: never.
	Watchdog time.Duration
}

// tell sends a state, such as READY=1. What cannot be sent is logged: the manager ends a
// service that it does not hear of, and nobody would know why.
func (a *App) tell(state ...string) {
	if a.settings.Supervisor.Socket == "" {
		return
	}
	if err := a.settings.Supervisor.send(strings.Join(state, "\n")); err != nil {
		a.log.WithError(err).Error("the service manager cannot be told how the service is")
	}
}

func (s Supervisor) send(state string) error {
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: s.Socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	if _, err = c.Write([]byte(state)); err != nil {
		return fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	return nil
}

// status is the line that people see beside the service's name.
func (a *App) status() string {
	if err := a.ruleFile.Status().LastError; err != "" {
		return "STATUS=callbacks on " + a.Addr() + "; the rule file is refused, the last good rules are in force"
	}
	return "STATUS=callbacks on " + a.Addr() + ", rules " + a.bot.Policy().Version()[:8]
}

// reloadOn takes the rule file at each value from hangup. To the manager the service is
// reloading meanwhile, whatever comes of it: refused rules are in the log.
func (a *App) reloadOn(ctx context.Context, hangup <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			a.tell("RELOADING=1", "MONOTONIC_USEC="+strconv.FormatInt(monotonic().Microseconds(), 10))
			_, _ = a.ruleFile.Reload(ctx) // it has logged what there is to say
			a.tell("READY=1", a.status())
		}
	}
}

// feedWatchdog tells the manager at twice the pace that it wants that the service is
// alive, for as long as that is so. A check that hangs says nothing: then the manager
// ends the process, whose stacks are in its last words.
func (a *App) feedWatchdog(ctx context.Context) {
	pause := a.settings.Supervisor.Watchdog / 2
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for beat := 0; ; beat++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := a.alive(ctx, beat, pause); err != nil {
			if ctx.Err() == nil {
				a.log.WithError(err).Error("no callback would be answered: the watchdog is not fed")
			}
			continue
		}
		a.tell("WATCHDOG=1")
	}
}

// alive reports whether callbacks are let in and answered, and whether the store gives an
// answer. Desk or Redis that are away and a full disk are no reasons to start anew.
func (a *App) alive(ctx context.Context, beat int, timeout time.Duration) error {
	if err := a.storeAnswers(ctx, beat); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// A GET goes the way of a callback to its last step, and is counted nowhere.
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+reachable(a.public.Addr())+a.settings.CallbackPath, http.NoBody)
	if err != nil {
		return fmt.Errorf("asking the callback listener: %w", err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return nil // let in, and cut for another one: it is busy
	case err != nil:
		return fmt.Errorf("asking the callback listener: %w", err)
	}
	_ = resp.Body.Close()
	return nil
}

// reachable is the address under which the process itself reaches a listener.
func reachable(l net.Addr) string {
	tcp, ok := l.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return l.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
}
