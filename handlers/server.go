package handlers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log" //nolint:depguard // http.Server asks for a log.Logger; ours is behind it
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
	"escalator/bot/mask"
	"escalator/bot/quiet"
)

// Options is what a Server is made of.
type Options struct {
	Bot interface {
		Handler
		Operations
	}
	RuleFile  RuleFile
	Messages  Messages
	Reception Reception
	Reports   Reports // nil: no history is kept

	SDKAppID     uint64
	Verifier     *desk.Verifier
	CallbackPath string
	Panel        *PanelOptions // nil: there is none
	AdminToken   desk.Secret   // empty: the operators' listener is open to who reaches it
	AdminHosts   []string      // names of the operators' listener, beside localhost and its address

	// Degraded returns what the service has to do without while it goes on; nil:
	// nothing. It may be nil itself.
	Degraded func() []string
	// NotReady returns the reasons why no callback should come now; nil: ready.
	NotReady func() []string

	// Status tells what runs here.
	Status func() Installation
	// Pending returns how many transfers the outbox holds that are on their way; nil: none.
	Pending func() int

	Log      *logrus.Logger
	Registry *prometheus.Registry
	Now      func() time.Time // nil: time.Now
}

// Server is the two listeners of the service.
type Server struct {
	Options
	callbacks *callbacks
	panel     *panel // nil: there is none
	public    *http.Server
	admin     *http.Server
	stopping  atomic.Bool

	reached     reached
	connections [2]*connections // of the public listener and the operators'
	bodies      *bodies
	requests    *shed // of operators, but for health checks
	watchers    *shed // those who watch decisions
	drafts      drafts
	crossOrigin *http.CrossOriginProtection
	tries       tries
	drains      *drains
	profiling   sync.Mutex
	searching   sync.Mutex // for suggestions
	quiet       quiet.Lines
	signedOut   signedOut
	streams     context.Context //nolint:containedctx // the life of all streams and profiles, ended by Shutdown
}

func init() { gin.SetMode(gin.ReleaseMode) } // debug mode prints routes and requests

// New returns a Server that does not listen yet.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Pending == nil {
		o.Pending = func() int { return 0 }
	}
	s := &Server{Options: o, crossOrigin: http.NewCrossOriginProtection(), drains: newDrains(o.Pending, o.Registry)}
	s.reached = newReached(o.Registry)
	s.watchReady(o.Registry)
	files := openFiles()
	public, operators := min(maxConnections, files/2), max(min(maxOperators, files/8), 2*keptForHealth)
	s.requests, s.watchers = newShed(min(maxRequests, operators-keptForHealth)), newShed(min(maxStreams, operators/4))
	s.bodies = newBodies(maxBodies-firstPiece*(public+operators), s.reached.of(limitBodies))
	s.callbacks = &callbacks{
		bot: o.Bot, appID: strconv.FormatUint(o.SDKAppID, 10), path: o.CallbackPath, verifier: o.Verifier,
		metrics: newMetrics(o.Registry), refusals: newRefusalLog(o.Log), now: o.Now,
		bodies: s.bodies, shed: newShed(min(maxInProgress, public/2)), countOverload: s.reached.of(limitInProgress), countLate: s.reached.of(limitWait),
		strangers: newShed(maxStrangers), countStrangers: s.reached.of(limitStrangers),
	}
	s.drafts = make(drafts, maxDrafts)
	s.panel = s.newPanel()
	s.public = s.newHTTPServer(s.publicEngine())
	s.connections[0] = newConnections(public, s.reached.of(limitConnections))
	s.connections[0].attach(s.public)
	s.admin = s.newHTTPServer(s.adminEngine())
	s.admin.ReadHeaderTimeout, s.admin.ReadTimeout = operatorHeaderTimeout, operatorBodyTimeout
	s.connections[1] = newConnections(operators, s.reached.of(limitOperators))
	s.connections[1].attach(s.admin)
	// Shutdown waits for requests, and a stream is one that never ends, a profile one that lasts.
	streams, endStreams := context.WithCancel(context.Background())
	s.streams = streams
	s.admin.RegisterOnShutdown(endStreams)
	return s
}

// newHTTPServer has every timeout: the zero values of http.Server wait forever.
func (s *Server) newHTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       bodyTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(serverLog{s.Log, &s.quiet}, "", 0),
	}
}

// Serve serves both listeners until Shutdown or until one of them fails.
func (s *Server) Serve(public, admin net.Listener) error {
	failed := make(chan error, 2)
	serve := func(h *http.Server, c *connections, l net.Listener) {
		if err := h.Serve(c.listen(l)); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serving %s: %w", l.Addr(), err)
			return
		}
		failed <- nil
	}
	go serve(s.public, s.connections[0], public)
	go serve(s.admin, s.connections[1], admin)
	if err := <-failed; err != nil {
		return err // half a service is none; the caller shuts the other half down
	}
	return <-failed
}

// NotReadyAnyMore makes /readyz say so, for the load balancer to look away.
func (s *Server) NotReadyAnyMore() { s.stopping.Store(true) }

// Shutdown stops taking requests and waits for those under way until ctx ends,
// then cuts them off; after half of that time those whose requests are not even there.
// Callbacks end first: the operators may watch.
func (s *Server) Shutdown(ctx context.Context) error {
	s.NotReadyAnyMore()
	if end, bounded := ctx.Deadline(); bounded {
		cut := time.AfterFunc(time.Until(end)/2, func() {
			for _, c := range s.connections {
				c.endWaiting()
			}
		})
		defer cut.Stop()
	}
	err := s.public.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.public.Close())
	}
	if adminErr := s.admin.Shutdown(ctx); adminErr != nil {
		err = errors.Join(err, adminErr, s.admin.Close())
	}
	return err
}

func (s *Server) logPanic(p any) {
	text := mask.Clip(fmt.Sprint(p))
	s.quiet.Log("panic "+text, s.Log.WithFields(logrus.Fields{"panic": text, "stack": string(debug.Stack())}), logrus.ErrorLevel, "panic while handling a request")
}

// serverLog takes net/http's own complaints (broken handshakes, say) as debug
// lines; they are caused by strangers. That no connection can be accepted is not.
type serverLog struct {
	log   *logrus.Logger
	quiet *quiet.Lines
}

func (l serverLog) Write(p []byte) (int, error) {
	line := l.log.WithField("http", strings.TrimSpace(string(p)))
	if bytes.HasPrefix(p, []byte("http: Accept error")) {
		l.quiet.Log("accept", line, logrus.ErrorLevel, "no connection can be accepted: may the process open too few files?")
	} else {
		line.Debug("http server")
	}
	return len(p), nil
}
