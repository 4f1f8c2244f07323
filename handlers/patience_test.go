package handlers

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestPatientContext_endsSomeTimeAfterSomebodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &patientContext{Context: t.Context(), limit: 2 * time.Second}
		defer c.cancel()
		time.Sleep(time.Minute)
		if c.Err() != nil {
			t.Fatalf("ended although nobody waited: %v", c.Err())
		}
		began := time.Now()
		<-c.Done()
		if took := time.Since(began); took != 2*time.Second || !errors.Is(c.Err(), context.DeadlineExceeded) || !errors.Is(context.Cause(c), context.DeadlineExceeded) {
			t.Errorf("ended after %s with %v, cause %v", took, c.Err(), context.Cause(c))
		}
	})
}

func TestPatientContext_endsWithItsRequest(t *testing.T) {
	why := errors.New("the sender hung up")
	for _, waits := range []bool{false, true} {
		request, hangUp := context.WithCancelCause(t.Context())
		c := &patientContext{Context: request, limit: time.Hour}
		if waits {
			c.Done()
		}
		hangUp(why)
		<-c.Done()
		if !errors.Is(context.Cause(c), why) || !errors.Is(c.Err(), context.Canceled) {
			t.Errorf("waits %t: %v, cause %v", waits, c.Err(), context.Cause(c))
		}
		c.cancel()
	}
}
