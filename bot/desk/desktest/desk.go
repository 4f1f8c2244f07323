package desktest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"escalator/bot/desk"
)

// The identity that New uses where Options leaves it out. The key is the public
// sample key of Tencent's own signature library.
const (
	DefaultSDKAppID   = 1400000000
	DefaultKey        = desk.Secret("5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e")
	DefaultIdentifier = "administrator"
	DefaultService    = "@customer_service_account"
)

// Stand-ins for codes that Desk has and does not document.
const (
	CodeBusy   = 141051 // DisableQueuing, and every agent is full
	CodeClosed = 141052 // CheckIfDuringWorkingHours, outside working hours
)

// Stand-ins for the values of MemberStatus, which Desk has and does not document.
const (
	memberFree = 1 + iota
	memberBusy
	memberRest
	memberOffline
)

// closeWithin is how long Close waits for handlers that serve a slow caller.
const closeWithin = time.Second

// ErrClosed is the error of callbacks that were not sent because of Close.
var ErrClosed = errors.New("the emulator is closed")

// Options says what the emulator is. Zero values mean the defaults.
type Options struct {
	SDKAppID   uint64
	Key        desk.Secret
	Identifier string // the app administrator

	CallbackURL     string        // where callbacks go; see also SetCallbackURL
	Token           desk.Secret   // signs callbacks when set
	CallbackTimeout time.Duration // default 2 s, as Chat has it

	Prompts       bool   // sends system prompts as bot messages with their mark
	Events        Events // names of the events that no page gives
	MemberEvents  bool   // sends Member.EventNotify by itself when an agent's status changes
	AnswerAtOnce  bool   // agents take a session as soon as they get it
	QueuingEnds   bool   // end_queuing ends the session; else the bot has it again
	AcceptRepeats bool   // a transfer of a session that is transferred already succeeds again

	Seed uint64           // of faults by probability
	Now  func() time.Time // default time.Now
}

// Events names the session events whose names are not documented. An event
// without a name is not sent.
type Events struct {
	UserMessage, AgentMessage                string // in the human phase
	Transferring, WithHuman, NoAgent, Closed string
	Rated                                    string // the customer gave stars
}

// Desk is the emulator. It is an http.Handler and safe for concurrent use.
type Desk struct {
	o    Options
	mux  *http.ServeMux
	http *http.Client

	ctx    context.Context // ends with Close; callbacks have no caller whose context they could use
	cancel context.CancelFunc
	work   sync.WaitGroup // pumps of lines
	server *http.Server
	url    string

	mu       sync.Mutex // guards everything below; never held while a callback is sent
	closed   bool
	callback string
	sessions map[string]*session
	agents   map[string]*Agent
	groups   map[int64]string // names of groups that have one
	entries  []*Entry
	robot    map[string]any      // answer of desc_robot_config
	records  []*Record           // of all sessions in order of their beginning
	contacts int                 // numbers sessions of contact_user
	outside  bool                // outside working hours
	queue    map[string]*session // those who wait, and some who waited
	members  line                // callbacks about agents
	messages int                 // numbers those of plain IM
	queued   int                 // numbers those who wait, for order
	faults   []*Fault
	random   *rand.Rand
	ledger   Ledger
}

// New returns an emulator that listens nowhere yet.
func New(o Options) *Desk {
	if o.SDKAppID == 0 {
		o.SDKAppID = DefaultSDKAppID
	}
	if o.Key == "" {
		o.Key = DefaultKey
	}
	if o.Identifier == "" {
		o.Identifier = DefaultIdentifier
	}
	if o.CallbackTimeout == 0 {
		o.CallbackTimeout = 2 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 512, 512
	d := &Desk{
		o:        o,
		mux:      http.NewServeMux(),
		http:     &http.Client{Transport: transport},
		callback: o.CallbackURL,
		sessions: map[string]*session{},
		agents:   map[string]*Agent{},
		queue:    map[string]*session{},
		groups:   map[int64]string{},
		entries:  []*Entry{defaultEntry()},
		robot:    defaultRobot(),
		random:   rand.New(rand.NewPCG(o.Seed, 1)), //nolint:gosec // faults must be repeatable
		ledger:   newLedger(),
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.mux.HandleFunc("/v4/{service}/{command}", d.serveREST)
	d.routeControl()
	return d
}

// Identity is what a client needs to sign for this emulator.
func (d *Desk) Identity() desk.Identity {
	return desk.Identity{SDKAppID: d.o.SDKAppID, Identifier: d.o.Identifier, Key: d.o.Key}
}

// ServeHTTP serves the REST commands and the control pages.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.mux.ServeHTTP(w, r) }

// Start listens on an address, "127.0.0.1:0" if it is empty, and serves until
// Close.
func (d *Desk) Start(address string) error {
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("starting the Desk emulator: %w", err)
	}
	d.url = "http://" + l.Addr().String()
	d.server = &http.Server{Handler: d, ReadHeaderTimeout: 5 * time.Second}
	d.work.Go(func() { _ = d.server.Serve(l) })
	return nil
}

// URL is the address of the REST API after Start.
func (d *Desk) URL() string { return d.url }

// SetCallbackURL says where callbacks go from now on, "" for nowhere. Idle
// connections to the old address are closed, so that it may stop at once.
func (d *Desk) SetCallbackURL(url string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.callback = url
	d.http.CloseIdleConnections()
}

// Close stops serving, drops callbacks that wait, and returns when nothing of
// the emulator runs any more.
func (d *Desk) Close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	if d.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
		defer cancel()
		_ = d.server.Shutdown(ctx) // waits for handlers, which end because d.ctx has
		_ = d.server.Close()
	}
	d.work.Wait()
	d.http.CloseIdleConnections()
}
