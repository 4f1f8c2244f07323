package clock

import (
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
