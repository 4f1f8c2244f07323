package clock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestClock_aWallThatIsSet_movesNothingThatIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var set time.Duration
		c := Of(func() time.Time { return time.Now().Add(set) })
		start := c.Now()
		if !start.Equal(c.Wall()) {
			t.Errorf("it begins at %v while the wall shows %v", start, c.Wall())
		}
		for _, step := range []time.Duration{-24 * time.Hour, 5 * time.Minute, 24 * time.Hour} {
			set += step
			time.Sleep(time.Minute)
		}
		if passed := c.Now().Sub(start); passed != 3*time.Minute {
			t.Errorf("%v have passed, want 3m", passed)
		}
		if ahead := c.Wall().Sub(c.Now()); ahead != set {
			t.Errorf("the wall is %v ahead, want %v", ahead, set)
		}
	})
}

func TestEvery_works_onceAPeriodUntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		times := 0
		Every(ctx, time.Second, func(context.Context) { times++ })
		if times != 3 {
			t.Errorf("worked %d times in 3.5 s, want 3", times)
		}
	})
}

func TestPause_endsByItselfOrWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := errors.New("over")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 1500*time.Millisecond, over)
		defer cancel()
		start := time.Now()
		if err := Pause(ctx, time.Second); err != nil || time.Since(start) != time.Second {
			t.Errorf("the whole pause: %v after %v", err, time.Since(start))
		}
		if err := Pause(ctx, time.Second); !errors.Is(err, over) || time.Since(start) != 1500*time.Millisecond {
			t.Errorf("a pause that was cut short: %v after %v", err, time.Since(start))
		}
	})
}
