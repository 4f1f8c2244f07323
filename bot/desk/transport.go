package desk

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"escalator/rules/lang"
)

// connectWithin bounds dialling and the TLS handshake each, well below the
// limit of an attempt, so that a dead host leaves time to call the other one.
const connectWithin = 2 * time.Second

func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: connectWithin, KeepAlive: 30 * time.Second}).DialContext
	t.TLSHandshakeTimeout = connectWithin
	t.MaxIdleConns = 64
	t.MaxIdleConnsPerHost = 32 // the default of 2 would dial anew for every third worker
	t.IdleConnTimeout = 90 * time.Second
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second}
	return t
}

// noRedirect hands a redirect to the caller as the answer: following it would
// send the signature to wherever it points.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// baseURL checks an address and returns it without a closing slash.
func baseURL(address string, insecure bool) (string, error) {
	u, err := url.Parse(address)
	switch {
	case address == "":
		return "", lang.Errorf("it is missing")
	case err != nil:
		return "", lang.Errorf("it cannot be read as an address")
	case u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "":
		return "", lang.Errorf("it must begin with https:// and a host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", lang.Errorf("it must be a bare address, without user, query or fragment")
	case u.Scheme == "http" && !insecure && !Loopback(u.Hostname()):
		return "", lang.Errorf("plain http is for loopback only: the signature would travel readable")
	}
	return strings.TrimRight(u.Scheme+"://"+u.Host+u.EscapedPath(), "/"), nil
}

// Loopback says that a host is this machine without doubt.
func Loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// connection watches how far one request got.
type connection struct {
	made      atomic.Bool // a connection was there to write to
	tlsFailed atomic.Bool
}

func (c *connection) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { c.made.Store(true) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err != nil {
				c.tlsFailed.Store(true)
			}
		},
	})
}

// neverMade tells whether the request certainly reached nobody: no connection
// came about, and the error is of dialling or of the handshake.
func (c *connection) neverMade(err error) bool {
	if err == nil || c.made.Load() {
		return false
	}
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	var cert *tls.CertificateVerificationError
	return c.tlsFailed.Load() || errors.As(err, &cert)
}
