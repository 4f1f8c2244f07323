package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
)

const token = "bench-callback-token"

// service is the product, running.
type service struct {
	*process
	address string // of the callbacks
	admin   string
	ready   time.Duration // from its start until it was ready
	rules   string        // its rule file
	desk    *desktest.Desk
}

// startService runs the binary with a rule file and settings beyond the usual.
// Desk is an emulator that refuses every transfer, so that the courier is held
// and only the way of a message is measured.
func (b *bench) startService(ctx context.Context, rules []byte, settings ...string) (*service, error) {
	dir, err := os.MkdirTemp(b.dir, "service-")
	if err != nil {
		return nil, err
	}
	s := &service{rules: filepath.Join(dir, "rules.yaml"), desk: desktest.New(desktest.Options{Token: token})}
	if err := os.WriteFile(s.rules, rules, 0o600); err != nil {
		return nil, err
	}
	if err := s.desk.Start(""); err != nil {
		return nil, missingError("no free port on loopback: " + err.Error())
	}
	if err := s.desk.Fail(desktest.Fault{Kind: desktest.FaultCode, Code: 70009, Probability: 1}); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log")) //nolint:gosec // in our own folder
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.CommandContext(ctx, b.binary, "serve") //nolint:gosec // the program that is measured
	cmd.Dir, cmd.Stderr = dir, log
	cmd.Env = append([]string{
		fmt.Sprintf("ESCALATOR_SDKAPPID=%d", desktest.DefaultSDKAppID), "ESCALATOR_SECRET_KEY=" + desktest.DefaultKey.Reveal(),
		"ESCALATOR_API_URL=" + s.desk.URL(), "ESCALATOR_CALLBACK_TOKEN=" + token,
		"ESCALATOR_LISTEN=127.0.0.1:0", "ESCALATOR_ADMIN_LISTEN=127.0.0.1:0",
	}, settings...)
	began := time.Now()
	if s.process, err = startProcess(cmd); err != nil {
		s.desk.Close()
		return nil, err
	}
	if err := s.awaitReady(ctx, log.Name(), began); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// awaitReady waits for the line that tells where the service listens, and for
// its own word that it is ready.
func (s *service) awaitReady(ctx context.Context, logFile string, began time.Time) error {
	look, late := time.NewTicker(time.Millisecond), time.After(timeout)
	defer look.Stop()
	for s.address == "" {
		select {
		case <-look.C:
			s.readAddresses(logFile)
		case <-s.ended:
			return missingError("the service does not start: " + lastLine(logFile))
		case <-late:
			return errors.New("the service does not start in time: " + lastLine(logFile))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if _, err := s.ask(ctx, http.MethodGet, "/readyz"); err != nil {
		return err
	}
	s.ready = time.Since(began)
	return nil
}

func (s *service) readAddresses(logFile string) {
	text, err := os.ReadFile(logFile) //nolint:gosec // in our own folder
	if err != nil {
		return
	}
	for line := range bytes.Lines(text) {
		var said struct{ Msg, Listen, Admin string }
		if json.Unmarshal(line, &said) == nil && said.Msg == "serving" {
			s.address, s.admin = said.Listen, said.Admin
		}
	}
}

func lastLine(file string) (last string) {
	text, _ := os.ReadFile(file) //nolint:gosec // in our own folder; empty if it is not there
	for line := range strings.Lines(string(text)) {
		last = strings.TrimSpace(line)
	}
	return last
}

func (s *service) stop() {
	s.process.stop()
	s.desk.Close()
}

// ask asks the operators' listener.
func (s *service) ask(ctx context.Context, method, path string) (string, error) {
	return ask(ctx, method, "http://"+s.admin+path)
}

// ask asks one of the processes that are measured.
func ask(ctx context.Context, method, url string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return "", err
	}
	client := &http.Client{Timeout: timeout}
	defer client.CloseIdleConnections()
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d: %s", url, resp.StatusCode, text)
	}
	return string(text), err
}

// gauge reads one value of the service's metrics.
func (s *service) gauge(ctx context.Context, name string) (v float64, err error) {
	text, err := s.ask(ctx, http.MethodGet, "/metrics")
	if err != nil {
		return 0, err
	}
	return metric(text, name)
}

// metric finds one value in the text of /metrics.
func metric(text, name string) (v float64, err error) {
	for line := range strings.Lines(text) {
		if n, _ := fmt.Sscanf(line, name+" %g", &v); n == 1 {
			return v, nil
		}
	}
	return 0, fmt.Errorf("there is no metric %s", name)
}

// appID is the app whose callbacks are played.
func appID() string { return strconv.Itoa(desktest.DefaultSDKAppID) }

// signature signs a callback of this moment.
func signature() (stamp, sign string) {
	stamp = strconv.FormatInt(time.Now().Unix(), 10)
	return stamp, desk.Sign(token, stamp)
}
