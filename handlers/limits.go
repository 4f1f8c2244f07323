package handlers

import "time"

// What a stranger may ask of us. Tencent's callbacks are a few KiB and come
// over a handful of kept-alive connections.
const (
	maxBody        = 1 << 20  // bytes of a callback (CONTRACT.md 3)
	maxHeader      = 32 << 10 // bytes of all headers
	maxConnections = 10_000   // of one listener; more wait in the kernel's queue

	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 15 * time.Second
	idleTimeout       = 2 * time.Minute

	// retryAfter is what a sender is told to wait when nothing can be stored.
	retryAfter = time.Second
)
