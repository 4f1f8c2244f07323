package otlp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"escalator/bot/desk"
)

const (
	// dialTimeout is how long the collector's host has to take a connection.
	dialTimeout = 5 * time.Second
	// maxAnswer bounds what is read of an answer: it may name what was refused.
	maxAnswer = 64 << 10
	// longestAfter bounds how long an answer may put us off (Retry-After).
	longestAfter = time.Minute
)

var errRejected = errors.New("the collector refuses some of the spans")

// sendError is why a batch did not arrive. It holds nothing of the address but its host,
// and nothing of the answer but its status.
type sendError struct {
	err   error
	again bool          // the same batch may be taken later
	after time.Duration // not before that
}

func (e *sendError) Error() string { return e.err.Error() }

func (e *sendError) Unwrap() error { return e.err }

func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSHandshakeTimeout: dialTimeout,
			ForceAttemptHTTP2:   true,
			MaxIdleConns:        1,
			IdleConnTimeout:     90 * time.Second,
		},
		// What the headers hold is for this collector, not for one that it names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post sends one request. It returns how many spans of it the collector refused. The
// error is a *sendError.
func (s *sender) post(body []byte) (rejected int, err error) {
	ctx, cancel := context.WithTimeoutCause(s.ctx, s.config.timeout, fmt.Errorf("no answer within %s", s.config.timeout))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.config.url, bytes.NewReader(body))
	if err != nil {
		return 0, &sendError{err: bare(err)}
	}
	req.Header = s.config.header.Clone()
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", "Escalator/"+s.opt.Version)
	resp, err := s.http.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return 0, &sendError{err: bare(err), again: true}
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch resp.StatusCode {
	case http.StatusOK:
		return rejectedOf(answer, err), nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout: // as the standard lists them
		return 0, &sendError{err: fmt.Errorf("it answers with status %d", resp.StatusCode), again: true, after: min(longestAfter, desk.RetryAfter(resp.Header, time.Now()))}
	default:
		return 0, &sendError{err: fmt.Errorf("it answers with status %d", resp.StatusCode)}
	}
}

// rejectedOf reads how many spans a collector took that did not take them all.
func rejectedOf(answer []byte, err error) int {
	var told collector.ExportTraceServiceResponse
	if err != nil || proto.Unmarshal(answer, &told) != nil {
		return 0
	}
	return int(max(0, told.GetPartialSuccess().GetRejectedSpans()))
}

// bare takes the address out of an error: its path may be secret.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
