package main

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/redis"
	"escalator/rules"
)

// openRedis starts a redis-server on loopback, which syncs its file before it
// answers, and opens the shared store on it.
func openRedis(dir string) (stores, error) {
	path, err := redisServer()
	if err != nil {
		return stores{}, err
	}
	_, port, err := net.SplitHostPort(freeAddress())
	if err != nil {
		return stores{}, missingError("no free port: " + err.Error())
	}
	server, err := startProcess(exec.CommandContext(context.Background(), path, //nolint:gosec // the operator's own server
		"--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--logfile", "redis.log"))
	if err != nil {
		return stores{}, err
	}
	client, err := redis.New(redis.Options{URL: "redis://127.0.0.1:" + port, App: 1, DedupFor: 10 * time.Minute})
	if err == nil {
		err = awaitRedis(client, server)
	}
	if err != nil {
		server.stop()
		return stores{}, err
	}
	dedup, outbox := redis.NewDedup(client), redis.NewOutbox(client)
	return stores{
		dedup: dedup, outbox: outbox,
		conversations: redis.NewConversations(client, dedup, outbox, func(*rules.Conversation) time.Time { return time.Now().Add(2 * time.Hour) }, store.Alarms{}),
		close:         func() error { defer server.stop(); return client.Close() },
	}, nil
}

// redisServer is the path of redis-server.
func redisServer() (string, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return "", missingError("redis-server is missing: install Debian's package redis-server, or leave the part out with -only")
	}
	return path, nil
}

// freeAddress is an address on loopback that nobody uses now, "" if there is none.
func freeAddress() string {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return ""
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// awaitRedis waits until the server answers.
func awaitRedis(c *redis.Client, server *process) error {
	late, look := time.After(timeout), time.NewTicker(10*time.Millisecond)
	defer look.Stop()
	for {
		if c.Check(context.Background()) == nil {
			return nil
		}
		select {
		case <-look.C:
		case <-server.ended:
			return missingError("redis-server ended at its start")
		case <-late:
			return errors.New("redis-server does not answer")
		}
	}
}
