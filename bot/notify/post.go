package notify

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"escalator/bot/desk"
)

const (
	// sendTimeout is how long an address has to answer, connecting included.
	sendTimeout = 5 * time.Second
	// maxAnswer bounds what is read of an answer: vendors' have a hundred bytes.
	maxAnswer = 64 << 10
	// longestAfter bounds how long an answer may put us off (Retry-After).
	longestAfter = time.Hour
)

// request is one POST.
type request struct {
	to     *url.URL
	body   []byte
	header map[string]string
}

// answer is what came back.
type answer struct {
	status int
	body   []byte
	after  time.Duration // Retry-After
}

// sendError is why a message was not delivered. It holds neither the address nor the
// key, nor anything of the answer but numbers.
type sendError struct {
	why   string
	hint  string        // the way out; "": there is none
	after time.Duration // no message before this

	reached   bool // the address answered properly: it is there
	notCalled bool // it was not called at all
}

// Error says why the message did not go out, and the way out where there is one.
func (e *sendError) Error() string {
	if e.hint != "" {
		return e.why + ": " + e.hint
	}
	return e.why
}

// poster is the client for all addresses.
type poster struct{ http *http.Client }

func newPoster() *poster {
	return &poster{&http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: sendTimeout}).DialContext,
			TLSHandshakeTimeout: sendTimeout,
			ForceAttemptHTTP2:   true,
			DisableKeepAlives:   true, // messages are rare
		},
		// The secret in an address is for that address, not for one that it names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// post sends a request and reads the answer. The error is a *sendError.
func (p *poster) post(ctx context.Context, r *request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.to.String(), bytes.NewReader(r.body))
	if err != nil {
		return answer{}, &sendError{why: "the address cannot be called", notCalled: true}
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "Escalator")
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	resp, err := p.http.Do(req)
	if err != nil {
		return answer{}, &sendError{why: inWords(err), notCalled: errors.Is(err, context.Canceled)}
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= 300 && resp.StatusCode <= 399 {
		return answer{}, &sendError{why: fmt.Sprintf("it redirects (HTTP status %d), which is not followed", resp.StatusCode), hint: "put the address that it leads to into url_file", reached: true}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return answer{}, &sendError{why: inWords(err), notCalled: errors.Is(err, context.Canceled)}
	case len(body) > maxAnswer:
		return answer{}, &sendError{why: "its answer is larger than 64 KiB"}
	}
	return answer{resp.StatusCode, body, min(longestAfter, desk.RetryAfter(resp.Header, time.Now()))}, nil
}

// inWords tells what went wrong on the way. The error itself names the host, and may
// name the whole address.
func inWords(err error) string {
	var (
		timeout interface{ Timeout() bool }
		name    *net.DNSError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		expired x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "it does not answer within " + sendTimeout.String()
	case errors.As(err, &name):
		return "the name of its host is not known"
	case errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &expired):
		return "its certificate is not trusted"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens at its host"
	default:
		return "the connection to its host failed"
	}
}
