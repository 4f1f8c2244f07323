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
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"escalator/rules/lang"
)

const (
	// Timeout leaves room in the two seconds that Tencent waits.
	Timeout = 1500 * time.Millisecond
	// maxAnswer bounds what a bot may answer: a few fields.
	maxAnswer = 256 << 10
)

// Client passes callbacks on to one address. It is safe for concurrent use.
type Client struct {
	base *url.URL
	auth string // Authorization, of a user and password in the address
	http interface {
		http.RoundTripper
		CloseIdleConnections()
	}
}

// New returns a client for the bot at an http or https address.
func New(address string) (*Client, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, lang.Errorf("it is not an address like http://127.0.0.1:9000/callback") // it is not shown: it may hold a password
	}
	base.Host = strings.TrimSuffix(base.Host, ":") // of an empty port
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: Timeout, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost: maxIdle,
		IdleConnTimeout:     idleFor,
		DisableCompression:  true, // the bot is near: packing costs more than it saves
	}
	c := &Client{base: base, http: transport}
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: base}); proxy == nil && err == nil && isASCII(base.Host) {
		c.http = newPool(base, transport)
	}
	if user := base.User; user != nil {
		password, _ := user.Password()
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(user.Username(), password)
		c.auth = r.Header.Get("Authorization")
	}
	return c, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

var errLate = errors.New("it did not answer in time")

// Forward passes a callback on and returns the JSON that the bot answered. A sender that leaves does not
// end it: that would count as the bot's failure, and the answer is kept for the repeat.
func (c *Client) Forward(ctx context.Context, query string, header http.Header, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Timeout)
	defer cancel()
	answer, err := c.ask(ctx, query, header, body)
	if err == nil {
		return answer, nil
	}
	if deadline, _ := ctx.Deadline(); !time.Now().Before(deadline) { // net/http gives it many names
		err = errLate
	}
	return nil, fmt.Errorf("asking the bot: %w", err)
}

// ask passes a callback on and judges the answer.
func (c *Client) ask(ctx context.Context, query string, header http.Header, body []byte) ([]byte, error) {
	address := *c.base
	address.RawQuery = strings.Trim(address.RawQuery+"&"+query, "&")
	req := (&http.Request{
		Method: http.MethodPost, URL: &address, Header: c.passOn(header), Host: address.Host,
		ContentLength: int64(len(body)), ProtoMajor: 1, ProtoMinor: 1,
		GetBody: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }, // for one that could not be sent on a kept connection
	}).WithContext(ctx)
	req.Body, _ = req.GetBody()
	resp, err := c.http.RoundTrip(req) // of a http.Client it needs nothing: redirects are not followed
	if err != nil {
		return nil, err //nolint:wrapcheck // Forward says what failed
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := read(resp)
	switch {
	case err != nil:
		return nil, fmt.Errorf("its answer broke off: %w", err)
	case resp.StatusCode == http.StatusLoopDetected:
		return nil, errors.New("it is Escalator itself; ESCALATOR_FORWARD_URL must be the address of your bot")
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("it answered with status %d", resp.StatusCode)
	case len(answer) > maxAnswer:
		return nil, fmt.Errorf("its answer is over %d KiB", maxAnswer>>10)
	case !isObject(answer):
		return nil, errors.New("its answer is no JSON object")
	}
	return answer, nil
}

// isASCII reports whether a name need not be encoded to be looked up.
func isASCII(name string) bool {
	return strings.IndexFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

func isObject(answer []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(answer, " \t\r\n"), []byte("{")) && gjson.ValidBytes(answer)
}

// read reads an answer, and no more of it than has to be known to be too long.
func read(resp *http.Response) ([]byte, error) {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, nil // what follows is no answer, and http.Transport would wait for it without a deadline
	}
	body := io.Reader(resp.Body)
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("unpacking it: %w", err)
		}
		body = unpacked
	}
	answer := bytes.NewBuffer(make([]byte, 0, min(max(resp.ContentLength, 0), maxAnswer)+bytes.MinRead))
	_, err := answer.ReadFrom(io.LimitReader(body, maxAnswer+1))
	return answer.Bytes(), err //nolint:wrapcheck // the caller says what was read
}

// Forwarded is the header of a callback that was passed on. One that comes back
// to us with it would go in circles.
const Forwarded = "X-Escalator-Forwarded"

// passOn copies what is passed on of the headers.
func (c *Client) passOn(header http.Header) http.Header {
	out := make(http.Header, len(header)+2)
	for name, values := range header {
		switch name {
		case "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
			// They concern one connection only (RFC 9110, 7.6.1); so do those that Connection names.
		case "Accept-Encoding": // it would have the answer compressed
		default:
			out[name] = values
		}
	}
	for _, named := range header["Connection"] {
		for name := range strings.SplitSeq(named, ",") {
			out.Del(strings.TrimSpace(name))
		}
	}
	if c.auth != "" && out.Get("Authorization") == "" {
		out["Authorization"] = []string{c.auth}
	}
	out[Forwarded] = []string{"1"}
	return out
}
