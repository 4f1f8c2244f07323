package desktest

import (
	"fmt"
	"sync/atomic"
	"testing"

	"escalator/bot/desk"
)

func BenchmarkDesk_transferOverHTTP(b *testing.B) {
	d, c := start(b, Options{})
	d.SetAgent(Agent{ID: "a@x.com", Online: true})
	var n atomic.Int64
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := fmt.Sprint("s", n.Add(1))
			d.Begin(id)
			if _, err := c.TransferToHuman(b.Context(), desk.TransferRequest{SessionID: id}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "transfers/s")
}

func BenchmarkDesk_callbackOverHTTP(b *testing.B) {
	s := startService(b, "token")
	s.got = make(chan *desk.Event, 1)
	go func() {
		for range s.got {
		}
	}()
	d, _ := start(b, Options{CallbackURL: s.URL, Token: "token"})
	var n atomic.Int64
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		id := fmt.Sprint("s", n.Add(1))
		for pb.Next() {
			if a := d.UserSays(id, "hello"); a.Err != nil {
				b.Fatal(a.Err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "callbacks/s")
	b.Cleanup(func() { close(s.got) })
}
