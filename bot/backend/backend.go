// Package backend passes callbacks on to the operator's own bot and brings its
// answer back.
//
// Invariants:
//
//   - The bot gets what Tencent sent: the query, the headers and the body, byte
//     for byte. Only Accept-Encoding is left out, because an answer is returned
//     as it is, and a header of ours is added, by which we know ourselves.
//   - It has Timeout to answer, connecting included; redirects are not followed.
//   - Only an answer that Tencent would understand counts: HTTP 200 with a JSON
//     object of at most maxAnswer bytes. Anything else is an error that says
//     what was wrong, without any of the customer's words.
package backend

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"escalator/rules/lang"
)

const (
	// Timeout leaves room in the two seconds that Tencent waits.
	Timeout = 1500 * time.Millisecond
	// maxAnswer bounds what a bot may answer: a few fields.
	maxAnswer = 256 << 10
	// maxIdle is how many connections to the bot are kept alive.
	maxIdle = 256
)

// Client passes callbacks on to one address. It is safe for concurrent use.
type Client struct {
	base *url.URL
	http *http.Client
}

// New returns a client for the bot at an http or https address.
func New(address string) (*Client, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, lang.Errorf("it is not an address like http://127.0.0.1:9000/callback") // it is not shown: it may hold a password
	}
	return &Client{base: base, http: &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: Timeout, KeepAlive: 30 * time.Second}).DialContext,
			MaxIdleConns:        maxIdle,
			MaxIdleConnsPerHost: maxIdle,
			IdleConnTimeout:     90 * time.Second,
			DisableCompression:  true, // the bot is near: packing costs more than it saves
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Forward passes a callback on and returns the JSON that the bot answered.
func (c *Client) Forward(ctx context.Context, query string, header http.Header, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, Timeout, errors.New("it did not answer in time"))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address(query), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("asking the bot: %w", bare(err))
	}
	req.Header = passOn(header)
	resp, err := c.http.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, fmt.Errorf("asking the bot: %w", bare(err))
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := read(resp)
	switch {
	case err != nil && context.Cause(ctx) != nil:
		return nil, fmt.Errorf("asking the bot: %w", context.Cause(ctx))
	case err != nil:
		return nil, fmt.Errorf("asking the bot: its answer broke off: %w", bare(err))
	case resp.StatusCode == http.StatusLoopDetected:
		return nil, errors.New("asking the bot: it is Escalator itself; ESCALATOR_FORWARD_URL must be the address of your bot")
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("asking the bot: it answered with status %d", resp.StatusCode)
	case len(answer) > maxAnswer:
		return nil, fmt.Errorf("asking the bot: its answer is over %d KiB", maxAnswer>>10)
	case !gjson.ValidBytes(answer) || !gjson.ParseBytes(answer).IsObject():
		return nil, errors.New("asking the bot: its answer is no JSON object")
	}
	return answer, nil
}

// read reads an answer, and no more of it than has to be known to be too long.
func read(resp *http.Response) ([]byte, error) {
	body := io.Reader(resp.Body)
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("unpacking it: %w", err)
		}
		body = unpacked
	}
	return io.ReadAll(io.LimitReader(body, maxAnswer+1)) //nolint:wrapcheck // the caller says what was read
}

// address joins the query of the callback to that of the bot's address.
func (c *Client) address(query string) string {
	u := *c.base
	u.RawQuery = strings.Trim(u.RawQuery+"&"+query, "&")
	return u.String()
}

// Forwarded is the header of a callback that was passed on. One that comes back
// to us with it would go in circles.
const Forwarded = "X-Escalator-Forwarded"

// leftOut are the headers that concern one connection only (RFC 9110, 7.6.1; so do
// those that Connection names), and what would have the answer compressed.
var leftOut = []string{
	"Accept-Encoding",
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

func passOn(header http.Header) http.Header {
	out := make(http.Header, len(header)+1)
	for name, values := range header {
		if !slices.Contains(leftOut, name) {
			out[name] = values
		}
	}
	for _, named := range header["Connection"] {
		for name := range strings.SplitSeq(named, ",") {
			out.Del(strings.TrimSpace(name))
		}
	}
	out.Set(Forwarded, "1")
	return out
}

// bare takes the address out of an error: its query holds the callback's
// signature.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
