package handlers

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What a stranger may ask of us. Tencent's callbacks are a few KiB, come over a
// handful of kept-alive connections, and are given up by their sender after 2 s
// (PROTOCOL.md 4.4): what takes longer to arrive is of no use any more.
const (
	maxBody   = 1 << 20  // bytes of a callback (CONTRACT.md 3)
	maxHeader = 32 << 10 // bytes of all headers

	// maxBodies is what all bodies that are being read may take: firstPiece of each
	// connection, and the rest beyond that.
	maxBodies  = 64 << 20
	firstPiece = 4 << 10
	// maxHeld is what all bodies that are worked on may take; one of smallBody is let in
	// all the same, which maxInProgress bounds.
	maxHeld   = 64 << 20
	smallBody = 16 << 10

	// maxInProgress bounds the callbacks that are worked on at once. Above it the sender
	// is told to try again: a queue that grows would make every answer late.
	maxInProgress = 2048
	// maxStrangers bounds the requests that are unsigned or empty, at once, and
	// strangerTimeout the time of each.
	maxStrangers    = 256
	strangerTimeout = 2 * time.Second

	// maxConnections of the public listener, and of the operators'. Both take less where
	// the system allows less. There are more than one would need, so that a crowd that
	// comes at once does not end a connection before its request has been looked at.
	maxConnections = 8192
	maxOperators   = 2048
	// maxRequests bounds what operators ask for at once, health checks excepted, for
	// which at least keptForHealth connections are left.
	maxRequests   = 256
	keptForHealth = 16
	// maxDraft are the bytes of a body that holds rule files or a long conversation: a rule file is up to 1 MiB, and a
	// little more as JSON.
	maxDraft = 2 << 20
	// maxDrafts bounds the rule files that are compiled for operators at once: each may take a second of a processor and
	// 100 MB. draftTimeout is how long others wait for their turn, and draftWithin how long one may take.
	maxDrafts    = 2
	draftTimeout = 3 * time.Second
	draftWithin  = 10 * time.Second
	// maxStreams bounds those who watch decisions.
	maxStreams = 64

	headerTimeout = 2 * time.Second
	bodyTimeout   = 4 * time.Second // with the headers
	writeTimeout  = 15 * time.Second
	idleTimeout   = 2 * time.Minute
	// What operators send may come over a slow line.
	operatorHeaderTimeout = 5 * time.Second
	operatorBodyTimeout   = 10 * time.Second

	// retryAfter is what a sender is told to wait when nothing can be stored, and how long
	// one waits for the refusal where there is too much.
	retryAfter = time.Second
)

// The limits, as escalator_limits_reached_total names them.
const (
	limitConnections = "connections"
	limitOperators   = "operators_connections"
	limitRequests    = "operators_requests"
	limitStreams     = "streams"
	limitSlowStream  = "slow_stream"
	limitBodies      = "bodies"
	limitStrangers   = "strangers"
	limitInProgress  = "in_progress"
	limitWait        = "wait"
	limitSignIn      = "sign_in"
	limitPanel       = "panel"
	limitDrafts      = "drafts"
)

// reached counts how often a limit was reached: something was cut or turned away.
type reached struct{ count *prometheus.CounterVec }

func newReached(r prometheus.Registerer) reached {
	count := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "escalator", Name: "limits_reached_total", Help: "What was cut or turned away at a listener, by the limit that was reached. Look when it rises: somebody holds connections, floods, or guesses tokens; the line `callback refused` has the address. `in_progress` (too many at once, or too large together) and `wait` (they wait for half a second before they are looked at) are too many callbacks.",
	}, []string{"limit"})
	r.MustRegister(count)
	for _, limit := range []string{
		limitConnections, limitOperators, limitRequests, limitStreams, limitSlowStream, limitBodies, limitStrangers, limitInProgress, limitWait, limitSignIn, limitPanel, limitDrafts,
	} {
		count.WithLabelValues(limit)
	}
	return reached{count}
}

// of returns what counts a limit.
func (r reached) of(limit string) func() { return r.count.WithLabelValues(limit).Inc }
