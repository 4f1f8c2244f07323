package handlers

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"escalator/bot/delivery"
)

// Status is what GET /api/status shows. Whoever makes it (Options.Status) leaves the
// fields before Installation to the server.
type Status struct {
	Ready         readiness      `json:"ready"`
	Drain         *Drain         `json:"drain"` // nil: the service is not being drained
	Clock         *clockDistance `json:"clock"` // nil: no callback with a time has arrived yet
	UnknownEvents map[string]int `json:"unknown_events"`
	Watchers      int            `json:"watchers"` // of decisions
	Installation
}

// Installation is what runs here, and how what it rests on is.
type Installation struct {
	Version   string         `json:"version"`
	Commit    string         `json:"commit"`
	Go        string         `json:"go"`
	Replica   string         `json:"replica"`
	StartedAt time.Time      `json:"started_at"`
	UptimeS   float64        `json:"uptime_s"`
	Settings  []Setting      `json:"settings"`
	Store     StoreStatus    `json:"store"`
	Redis     *RedisStatus   `json:"redis"` // nil: this process is alone
	Desk      DeskStatus     `json:"desk"`
	Log       LogStatus      `json:"log"`
	History   *HistoryStatus `json:"history"` // nil: none is kept
}

// Setting is a setting of the service. Of one that may hold a secret the value is "set"
// or "not set".
type Setting struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Default bool   `json:"default"`
}

// StoreStatus is what this process keeps, and where.
type StoreStatus struct {
	Kind          string `json:"kind"` // disk, or redis: then the folder is the local fallback
	Dir           string `json:"dir"`
	Bytes         int64  `json:"bytes"` // of the files there, history and recordings apart; -1: the disk does not answer
	CanWrite      bool   `json:"can_write"`
	Conversations int    `json:"conversations"`
	Marks         int    `json:"marks"` // callbacks remembered
	OutboxPending int    `json:"outbox_pending"`
	GivenUp       int    `json:"given_up"`
}

// RedisStatus is where replicas share their state.
type RedisStatus struct {
	Address  string    `json:"address"` // host and port
	Up       bool      `json:"up"`
	Since    time.Time `json:"since"`
	Replicas []Replica `json:"replicas"`
}

// Replica is one of them, with when it told last that it is there.
type Replica struct {
	Name  string  `json:"name"`
	SeenS float64 `json:"seen_s"`
}

// DeskStatus is how Desk's REST API answers.
type DeskStatus struct {
	delivery.Condition
	LastCallAt *time.Time `json:"last_call_at"` // nil: it was not called yet
	LastError  string     `json:"last_error"`   // of the last call; "": it was answered
}

// LogStatus is what became of the log.
type LogStatus struct {
	Dropped uint64 `json:"dropped"` // lines since the start
}

// HistoryStatus is what is kept of conversations on this disk.
type HistoryStatus struct {
	For   string     `json:"for"`
	Bytes int64      `json:"bytes"`
	Max   int64      `json:"max"`
	Since *time.Time `json:"since"` // nil: nothing is kept yet
}

// clockDistance is how far the time of the last callback was from ours.
type clockDistance struct {
	SkewS  float64   `json:"skew_s"` // below zero: theirs is behind
	SeenAt time.Time `json:"seen_at"`
}

// status shows how the service is.
func (s *Server) status(c *gin.Context) {
	is := s.Status()
	read(c, &is.Desk.LastError)
	if held := is.Desk.Held; held != nil {
		held.Words = held.Words.To(language(c))
	}
	c.JSON(http.StatusOK, Status{
		Installation: is,
		Ready:        s.readiness(c),
		Drain:        s.drains.now(),
		Clock:        s.callbacks.skew.seen(),

		UnknownEvents: s.Bot.UnknownEvents(),
		Watchers:      len(s.watchers.places),
	})
}

// skew remembers the time of the last callback that was signed, or needed not be. What it
// tells may be of two callbacks of the same moment.
type skew struct {
	off atomic.Int64 // nanoseconds
	at  atomic.Int64 // Unix time in nanoseconds, ours; 0: there was none
}

func (s *skew) note(off time.Duration, at time.Time) {
	s.off.Store(int64(off))
	s.at.Store(at.UnixNano())
}

func (s *skew) seen() *clockDistance {
	at := s.at.Load()
	if at == 0 {
		return nil
	}
	return &clockDistance{SkewS: time.Duration(s.off.Load()).Seconds(), SeenAt: time.Unix(0, at)}
}
