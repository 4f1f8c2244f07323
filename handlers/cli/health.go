package cli

import (
	"context"
	"net"
	"net/http"
	"time"

	"escalator/rules/lang"
)

// healthTimeout is how long the service may take to say that it lives.
const healthTimeout = 3 * time.Second

// health asks /healthz of the service that runs with the same settings.
func health(ctx context.Context, env Env, args []string) error {
	fs := newFlags("health")
	address := fs.String("admin-listen", "", "operators' listener to ask (default ESCALATOR_ADMIN_LISTEN, else 127.0.0.1:8081)")
	if err := flagsOnly(fs, env, args, "[--admin-listen ADDRESS]"); err != nil {
		return err
	}
	if *address == "" {
		*address = env.Getenv("ESCALATOR_ADMIN_LISTEN")
	}
	url, err := adminURL(*address)
	if err != nil {
		return &usageError{[]lang.Text{lang.Of(err)}}
	}
	if err := askHealth(ctx, url); err != nil {
		return err
	}
	env.print("ok")
	return nil
}

// askHealth asks a service whether it lives; nil: it does.
func askHealth(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/healthz", nil)
	if err != nil {
		return lang.Errorf("asking %s: %w", url, err)
	}
	resp, err := (&http.Client{Timeout: healthTimeout}).Do(req)
	if err != nil {
		return lang.Errorf("the service does not answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return lang.Errorf("the service answers %s", resp.Status)
	}
	return nil
}

// adminURL turns the address of the operators' listener into one that can be asked: a
// listener on all addresses is asked on loopback.
func adminURL(listen string) (string, error) {
	if listen == "" {
		listen = "127.0.0.1:8081"
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", lang.Errorf("%q is not an address like 127.0.0.1:8081", listen)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}
