package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"escalator/bot/delivery"
	"escalator/handlers/app"
	"escalator/rules/lang"
)

const (
	// clientTimeout is how long the service may take to answer an operator: a rollback waits for two disks.
	clientTimeout = 30 * time.Second
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 64 << 20
)

// client asks the running service for a command.
type client struct {
	env     Env
	url     string
	token   string
	asJSON  bool
	timeout time.Duration // of a request
}

// clientFlags declares the flags of every command that asks the service. The client
// is to be made after they were read.
func clientFlags(fs *flag.FlagSet, env Env) func() (*client, error) {
	address := fs.String("url", "", "operators' listener of the service, such as http://127.0.0.1:8081 (default: from ESCALATOR_ADMIN_LISTEN)")
	asJSON := fs.Bool("json", false, "print the service's answer as one JSON document")
	return func() (*client, error) {
		base, err := baseURL(*address, env)
		if err != nil {
			return nil, &usageError{[]lang.Text{lang.Of(err)}}
		}
		var s app.Settings
		if _, err := settingNamed("ADMIN_TOKEN").read(&s, nil, env.Getenv); err != nil {
			return nil, &usageError{[]lang.Text{lang.Of(err)}}
		}
		return &client{env: env, url: base, token: s.AdminToken.Reveal(), asJSON: *asJSON, timeout: clientTimeout}, nil
	}
}

// operator is who changes something in the service, and why.
type operator = delivery.Operator

// operatorFlags declares the flags of every command that changes something there.
func operatorFlags(fs *flag.FlagSet, env Env) func() operator {
	by := fs.String("by", "", "who makes the change, for the log and the history (default: the user in USER)")
	why := fs.String("why", "", "why the change is made, for the log and the history")
	return func() operator {
		return operator{By: cmp.Or(*by, env.Getenv("USER"), env.Getenv("LOGNAME")), Why: *why}
	}
}

// needBy refuses to do what must not be done by nobody. A container has no USER.
func needBy(command string, who operator) error {
	if who.By == "" {
		return &usageError{[]lang.Text{lang.Say("%s needs --by, who makes the change: USER, its default, is not set here", command)}}
	}
	return nil
}

func settingNamed(env string) *setting {
	for i := range settingsTable {
		if settingsTable[i].env == env {
			return &settingsTable[i]
		}
	}
	return nil
}

func baseURL(address string, env Env) (string, error) {
	if address == "" {
		return adminURL(env.Getenv("ESCALATOR_ADMIN_LISTEN"))
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", lang.Errorf("--url is not an address like http://127.0.0.1:8081")
	}
	return strings.TrimSuffix(address, "/"), nil
}

// ask sends a request, like "GET /api/rules", and shows the answer: as it is with --json,
// else show does. It is read into out. What the service refuses is printed, and ends the command with 1.
func (c *client) ask(ctx context.Context, request string, in, out any, show func()) error {
	status, answer, err := c.send(ctx, request, in)
	if err != nil {
		return lang.Errorf("the service does not answer: %w", err)
	}
	if c.asJSON && json.Valid(answer) {
		if err := writeJSON(c.env.Stdout, json.RawMessage(answer)); err != nil {
			return err
		}
	}
	if status != http.StatusOK {
		return c.refused(status, answer)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return lang.Errorf("the answer of %s is not known here: %w", c.url, err)
	}
	if !c.asJSON {
		show()
	}
	return nil
}

// send sends a request and returns the answer, whatever it is.
func (c *client) send(ctx context.Context, request string, in any) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return 0, nil, err
		}
	}
	resp, err := c.open(ctx, request, &body, "Content-Type: application/json")
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, answer, err
}

// open sends a request with headers, "Name: value"; whoever calls it closes the body.
func (c *client) open(ctx context.Context, request string, body io.Reader, headers ...string) (*http.Response, error) {
	method, path, _ := strings.Cut(request, " ")
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		headers = append(headers, "Authorization: Bearer "+c.token)
	}
	if c.env.Lang == lang.Chinese && !c.asJSON {
		headers = append(headers, "Accept-Language: zh")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	// The token is for this address, not for one that the answer names.
	asker := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return asker.Do(req)
}

// refused says why the service did not do what it was asked for.
func (c *client) refused(status int, answer []byte) error {
	var said struct {
		Error    string   `json:"error"`
		Problems []string `json:"problems"`
	}
	switch {
	case status == http.StatusUnauthorized && c.token != "":
		return lang.Errorf("the service has a different admin token: compare ESCALATOR_ADMIN_TOKEN, or ESCALATOR_ADMIN_TOKEN_FILE, on both sides")
	case status == http.StatusUnauthorized:
		return lang.Errorf("the service asks for its admin token: set ESCALATOR_ADMIN_TOKEN, or ESCALATOR_ADMIN_TOKEN_FILE")
	case json.Unmarshal(answer, &said) != nil || said.Error == "":
		return lang.Errorf("%s answers %d %s", c.url, status, http.StatusText(status))
	}
	p := newPage(Env{Stdout: c.env.Stderr, Getenv: c.env.Getenv, Lang: c.env.Lang})
	p.line("escalator: ", lang.Raw(said.Error))
	for _, problem := range said.Problems {
		p.line("  ", lang.Raw(problem))
	}
	return exitError(exitBad)
}
