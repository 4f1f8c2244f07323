package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// notInstalled is said where figures of webhook would be.
const notInstalled = "webhook is not installed (Debian's package webhook)"

// hookRegex is the one regex that webhook compares. No quiet message holds it,
// and every message that escalates.
const hookRegex = `(?i)转人工|人工客服|real person|human agent`

// hooks are the settings of webhook: one hook that compares one regex with the
// customer's words and, where it is found, answers and runs a command.
func hooks() ([]byte, error) {
	type object map[string]any
	return json.Marshal([]object{{
		"id": "callback", "execute-command": "/bin/true", "response-message": constantAnswer,
		"trigger-rule": object{"match": object{
			"type": "regex", "regex": hookRegex,
			"parameter": object{"source": "payload", "name": "MsgBody.0.MsgContent.Text"},
		}},
	}})
}

// startWebhook starts adnanh/webhook on loopback; nil where it is not installed.
func (b *bench) startWebhook(ctx context.Context) (*side, error) {
	path, err := exec.LookPath("webhook")
	if err != nil {
		return nil, nil //nolint:nilerr,nilnil // it need not be there: its rows say so
	}
	text, err := hooks()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(b.dir, "hooks.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	address := freeAddress()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, missingError("no free port: " + err.Error())
	}
	p, err := startProcess(exec.CommandContext(ctx, path, "-hooks", file, "-ip", "127.0.0.1", "-port", port, "-urlprefix", "")) //nolint:gosec // the operator's own
	if err != nil {
		return nil, err
	}
	if err := awaitListener(ctx, address, p); err != nil {
		p.stop()
		return nil, err
	}
	return &side{address: address, process: p, status: http.StatusOK, settles: true}, nil
}

// awaitListener waits until a process takes connections.
func awaitListener(ctx context.Context, address string, p *process) error {
	look, late := time.NewTicker(10*time.Millisecond), time.After(timeout)
	defer look.Stop()
	for {
		if conn, err := new(net.Dialer).DialContext(ctx, "tcp", address); err == nil {
			return conn.Close()
		}
		select {
		case <-look.C:
		case <-p.ended:
			return errors.New("webhook ended at its start")
		case <-late:
			return errors.New("webhook does not listen in time")
		}
	}
}

// settle waits until the process has done what it began, which it may do after it
// has answered, so that the next one is not measured beside it.
func (p *process) settle() {
	look, late := time.NewTicker(200*time.Millisecond), time.After(timeout)
	defer look.Stop()
	for before := p.cpu(); ; {
		select {
		case <-look.C:
		case <-late:
			return
		}
		now := p.cpu()
		if now-before < 20*time.Millisecond {
			return
		}
		before = now
	}
}

// webhookRows compare ours with webhook, which ran in the same rounds.
func (b *bench) webhookRows(p *pair, webhook *side, what string, g *goal) {
	what += " (floor: webhook)"
	if webhook == nil {
		b.report.add(row{What: what, Unit: "requests/s", Absent: notInstalled})
		return
	}
	b.report.add(row{What: what, Unit: "requests/s", Floor: statPointer(webhook.rates), Ours: statOf(p.ours.rates...), Goal: g})
	b.cpuRow(webhook, p.ours, what)
}
