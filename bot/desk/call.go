package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxAnswer bounds what is read of an answer. Real ones are a few hundred bytes.
const maxAnswer = 1 << 20

var (
	errTimeout = fmt.Errorf("no answer within the time limit: %w", context.DeadlineExceeded)
	errTooLong = errors.New("the answer is longer than 1 MiB")
	errForm    = errors.New("the answer is not a JSON object with an integer ErrorCode")
	errUnclear = errors.New("the answer contradicts itself: ErrorCode 0 beside a failure")
)

// call makes one call, and a second one with a new signature when the first was
// refused for its signature. Never a third: Tencent locks the account out.
func (c *Client) call(ctx context.Context, op string, request any) (answer, error) {
	payload, err := json.Marshal(request)
	if err != nil {
		return answer{}, &Error{Op: op, Err: fmt.Errorf("writing the request: %w", err)}
	}
	sig := c.signer.Signature()
	a, failed := c.callHosts(ctx, op, payload, sig)
	if failed != nil && failed.Verdict() == Resign {
		c.signer.Invalidate(sig)
		a, failed = c.callHosts(ctx, op, payload, c.signer.Signature())
	}
	if failed != nil {
		c.last.Store(&LastCall{time.Now(), failed.Error()})
		return answer{}, failed
	}
	c.last.Store(&LastCall{At: time.Now()})
	return a, nil
}

// callHosts calls the preferred host. After a failure of transport the other
// one is preferred, and it is called at once when the first certainly did not
// get the request; otherwise a second call could do the same thing twice.
func (c *Client) callHosts(ctx context.Context, op string, payload []byte, sig Secret) (answer, *Error) {
	at := c.prefer.Load()
	a, failed := c.attempt(ctx, c.hosts[at], op, payload, sig)
	if failed == nil || !failed.Transport() || len(c.hosts) == 1 {
		return a, failed
	}
	other := 1 - at
	c.prefer.CompareAndSwap(at, other)
	if !failed.unsent || ctx.Err() != nil {
		return a, failed
	}
	a, failed = c.attempt(ctx, c.hosts[other], op, payload, sig)
	if failed != nil && failed.Transport() {
		c.prefer.CompareAndSwap(other, at)
	}
	return a, failed
}

// attempt is one HTTP request.
func (c *Client) attempt(parent context.Context, base, op string, payload []byte, sig Secret) (answer, *Error) {
	ctx, cancel := context.WithTimeoutCause(parent, c.timeout, errTimeout)
	defer cancel()
	conn := &connection{}
	req, err := http.NewRequestWithContext(conn.watch(ctx), http.MethodPost, c.url(base, op, sig), bytes.NewReader(payload))
	if err != nil {
		return answer{}, &Error{Op: op, Err: c.redact(err, sig)}
	}
	req.Header.Set("Content-Type", "application/json")
	failed := &Error{Op: op}
	resp, err := c.http.Do(req)
	if err == nil {
		failed.Status = resp.StatusCode
		failed.retryAfter = RetryAfter(resp.Header, time.Now())
		var data []byte
		if data, err = readAnswer(resp); err == nil {
			return c.judge(failed, data, sig)
		}
	}
	failed.unsent = conn.neverMade(err)
	failed.canceled = errors.Is(parent.Err(), context.Canceled)
	if ctx.Err() != nil {
		err = contextError(ctx)
	}
	failed.Err = c.redact(err, sig)
	return answer{}, failed
}

func (c *Client) url(base, op string, sig Secret) string {
	var b strings.Builder
	b.Grow(len(base) + len(sig) + 160)
	b.WriteString(base)
	b.WriteString("/v4/")
	b.WriteString(operations[op].path)
	b.WriteString("?sdkappid=")
	b.WriteString(strconv.FormatUint(c.id.SDKAppID, 10))
	b.WriteString("&identifier=")
	b.WriteString(c.id.Identifier)
	b.WriteString("&usersig=")
	b.WriteString(sig.Reveal()) // its alphabet is safe in a query as it is
	b.WriteString("&random=")
	b.WriteString(strconv.FormatUint(uint64(rand.Uint32()), 10)) //nolint:gosec // tells calls apart, nothing more
	b.WriteString("&contenttype=json")
	return b.String()
}

// readAnswer reads a bounded body, so that the connection can be used again.
func readAnswer(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer: %w", err)
	case len(data) > maxAnswer:
		return nil, errTooLong
	}
	return data, nil
}

// maxRetryAfter bounds what an answer may ask for, so that no time overflows.
const maxRetryAfter = 24 * time.Hour

// RetryAfter reads Retry-After: whole seconds or an HTTP date; 0 for none, for one
// in the past and for one that is neither. A date is read by the sender's own
// clock where the answer tells it.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	if theirs, err := http.ParseTime(h.Get("Date")); err == nil {
		now = theirs
	}
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(0, at.Sub(now)), maxRetryAfter)
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || n < 0 {
		return 0
	}
	return time.Duration(min(n, int64(maxRetryAfter/time.Second))) * time.Second
}

// judge decides by ErrorCode, never by the HTTP status alone; a 5xx is of no
// proper answer whatever its body says.
func (c *Client) judge(failed *Error, data []byte, sig Secret) (answer, *Error) {
	if failed.Status >= http.StatusInternalServerError {
		failed.Err = fmt.Errorf("HTTP status %d", failed.Status)
		return answer{}, failed
	}
	root, err := parse(view(data))
	if err != nil || !root.IsObject() {
		failed.Err = fmt.Errorf("HTTP status %d: %w", failed.Status, errForm)
		return answer{}, failed
	}
	raw := member(root, "ErrorCode")
	code, err := strconv.ParseInt(raw.Raw, 10, 64)
	switch {
	case err != nil:
		failed.Err = fmt.Errorf("HTTP status %d: %w", failed.Status, errForm)
	case code != 0:
		failed.Code = int(code)
		failed.Info = c.cleanInfo(text(member(root, "ErrorInfo")), sig)
	case failed.Status >= http.StatusMultipleChoices || strings.EqualFold(text(member(root, "ActionStatus")), "FAIL"):
		failed.Err = errUnclear
	default:
		return answer{root}, nil
	}
	return answer{}, failed
}

// contextError names the limit that ended the call, and stays recognisable as
// the context's own error.
func contextError(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, ctx.Err()) {
		return cause
	}
	return fmt.Errorf("%w: %w", ctx.Err(), cause)
}
