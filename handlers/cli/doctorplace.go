package cli

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"escalator/bot/trace/otlp"
	"escalator/handlers/app"
	"escalator/rules/lang"
)

// examineFolder finds out whether a folder can be written. One that is not there is
// not made: under sudo it would be root's, and the service locked out.
func examineFolder(check lang.Text, variable, dir string) finding {
	f := finding{Check: check, WayOut: lang.Say("make the folder writable for this user, or name another with %s", variable)}
	path, err := filepath.Abs(dir)
	if err != nil {
		f.Detail = lang.Of(err)
		return f
	}
	place, detail := path, lang.Say("%s can be written", path)
	for {
		if _, err = os.Stat(place); !errors.Is(err, fs.ErrNotExist) || place == filepath.Dir(place) {
			break
		}
		place, detail = filepath.Dir(place), lang.Say("%s does not exist yet and can be created", path)
	}
	probe, err := os.CreateTemp(place, ".doctor-*")
	if err == nil {
		_, err = probe.WriteString("can this be kept?")
		err = errors.Join(err, probe.Sync(), probe.Close(), os.Remove(probe.Name()))
	}
	if err != nil {
		f.Detail = lang.Of(err)
		return f
	}
	return finding{Check: check, OK: true, Detail: detail}
}

// examinePorts finds out whether the listeners can be had, or whether a service has
// them already.
func examinePorts(ctx context.Context, s *app.Settings) (findings []finding) {
	running := false
	if url, err := adminURL(s.AdminListen); err == nil {
		running = askHealth(ctx, url) == nil
	}
	for _, l := range []struct{ variable, address string }{{"ESCALATOR_LISTEN", s.Listen}, {"ESCALATOR_ADMIN_LISTEN", s.AdminListen}} {
		f := finding{Check: "port", OK: true, Detail: lang.Say("%s is free", l.address)}
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", l.address)
		switch {
		case err == nil:
			_ = listener.Close()
		case errors.Is(err, syscall.EADDRINUSE) && running:
			f.Detail = lang.Say("%s is in use, and the service is running", l.address)
		default:
			f.OK, f.Detail, f.WayOut = false, lang.Of(err), lang.Say("stop what uses it, or name another address with %s", l.variable)
		}
		findings = append(findings, f)
	}
	return findings
}

// examineForward finds out whether somebody listens where the own bot should be. The
// address is not shown: it may hold a password.
func examineForward(ctx context.Context, s *app.Settings) finding {
	f := finding{Check: "own bot", OK: true, Detail: "something listens at ESCALATOR_FORWARD_URL"}
	u, err := url.Parse(s.ForwardURL.Reveal())
	if err != nil {
		return finding{Check: "own bot", Detail: "ESCALATOR_FORWARD_URL cannot be read"}
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if !listens(ctx, net.JoinHostPort(u.Hostname(), port)) {
		f.OK, f.Detail = false, "nothing answers at ESCALATOR_FORWARD_URL"
		f.WayOut = "start your bot, or correct the address: until then customers go to a person"
	}
	return f
}

// examineTraces finds out whether somebody listens where the collector of traces should be.
func examineTraces(ctx context.Context, c *otlp.Config) finding {
	if !listens(ctx, c.Address()) {
		return finding{
			Check: "traces", Detail: lang.Say("nothing answers at %s, the collector of traces", c.Address()),
			WayOut: "start the collector, or change OTEL_EXPORTER_OTLP_ENDPOINT: until then traces are lost, and nothing else",
		}
	}
	return finding{Check: "traces", OK: true, Detail: lang.Say("they go to the collector at %s", c.Address())}
}

// listens reports whether somebody accepts a connection at host and port.
func listens(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}
