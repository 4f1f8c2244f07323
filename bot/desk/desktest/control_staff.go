package desktest

import (
	"errors"
	"net/http"
	"strconv"
)

// routeStaff adds the control pages of agents, groups, records and settings.
func (d *Desk) routeStaff() {
	d.mux.HandleFunc("PUT /agents/{id}/status", control(d.controlStatus))
	d.mux.HandleFunc("GET /agents", show(func() any { return d.Agents() }))
	d.mux.HandleFunc("PUT /agents/{id}", control(func(r *http.Request, a Agent) (any, error) {
		a.ID = r.PathValue("id")
		d.SetAgent(a)
		return d.Agents(), nil
	}))
	d.mux.HandleFunc("PUT /hours", control(func(_ *http.Request, h struct{ Open bool }) (any, error) {
		d.SetWorkingHours(h.Open)
		return h, nil
	}))
	d.mux.HandleFunc("PUT /groups/{group}", control(func(r *http.Request, in struct{ Name string }) (any, error) {
		group, err := groupOf(r)
		if err == nil {
			d.SetGroup(group, in.Name)
		}
		return in, err
	}))
	d.mux.HandleFunc("POST /groups/{group}/queue", control(func(r *http.Request, in struct{ Sessions []string }) (any, error) {
		group, err := groupOf(r)
		if err == nil {
			d.Enqueue(group, in.Sessions...)
		}
		return d.Sessions(), err
	}))
	d.mux.HandleFunc("POST /sessions/{id}/connect", control(func(r *http.Request, in struct{ Agent string }) (any, error) {
		err := d.Connect(r.PathValue("id"), in.Agent)
		return d.Session(r.PathValue("id")), err
	}))
	d.mux.HandleFunc("POST /sessions/{id}/expire", control(func(r *http.Request, _ struct{}) (any, error) {
		d.Expire(r.PathValue("id"))
		return d.Session(r.PathValue("id")), nil
	}))
	d.mux.HandleFunc("POST /sessions/{id}/rate", control(d.controlRate))
	d.mux.HandleFunc("GET /records", show(func() any { return d.Records() }))
	d.mux.HandleFunc("PUT /entries/{id}", control(func(r *http.Request, e Entry) (any, error) {
		e.ID = r.PathValue("id")
		d.SetEntry(e)
		return e, nil
	}))
	d.mux.HandleFunc("PUT /robot", control(func(_ *http.Request, named map[string]any) (any, error) {
		d.SetRobot(named)
		return named, nil
	}))
}

func groupOf(r *http.Request) (int64, error) {
	group, err := strconv.ParseInt(r.PathValue("group"), 10, 64)
	if err != nil {
		return 0, errors.New("a group is a number")
	}
	return group, nil
}

func (d *Desk) controlRate(r *http.Request, in struct {
	Stars int
	Event string
},
) (any, error) {
	var opts []Option
	if in.Event != "" {
		opts = append(opts, WithEvent(in.Event))
	}
	a := d.Rate(r.PathValue("id"), in.Stars, opts...)
	if a.Err != nil && a.Skipped {
		return nil, a.Err
	}
	return d.told(r.PathValue("id"), a), nil
}

func (d *Desk) controlStatus(r *http.Request, in struct{ Status string }) (any, error) {
	switch in.Status {
	case "free", "ready", "notReady", "rest", "offline":
	default:
		return nil, errors.New(`"status" must be free, ready, notReady, rest or offline`)
	}
	a := d.SetStatus(r.PathValue("id"), in.Status)
	if a.Skipped {
		return nil, a.Err
	}
	return d.toldOf(Session{}, a), nil
}
