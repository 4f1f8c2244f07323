package memory

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestQueue_equalsASlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var model []queued
		for n := range rapid.IntRange(1, 400).Draw(t, "steps") {
			if len(model) == 0 || rapid.IntRange(0, 99).Draw(t, "step") < 55 {
				e := queued{key: fmt.Sprint(n, strings.Repeat("-", rapid.SampledFrom([]int{0, 12, 36, 300, 5000}).Draw(t, "longer"))), expires: tick(n), due: tick(2 * n)}
				if key := q.push(e); key != e.key {
					t.Fatalf("%q is queued as %q", e.key, key)
				}
				model = append(model, e)
			} else if q.front() != model[0] || q.pop() != model[0] {
				t.Fatal("not the oldest")
			} else {
				model = model[1:]
			}
			if q.len() != len(model) {
				t.Fatalf("%d elements, want %d", q.len(), len(model))
			}
		}
	})
}

// An entry is never looked at before its time, and soon after it.
func TestTick_ofATimeToCome_isNotEarly_andHardlyLate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.Int64Range(1, tickMillis*math.MaxUint32-tickMillis).Draw(t, "at")
		due := tickFrom(at)
		if tickAt(at-1) >= due || tickAt(at+tickMillis) < due {
			t.Errorf("%d is due at tick %d", at, due)
		}
	})
	for _, c := range []struct {
		millis int64
		want   tick
	}{{math.MinInt64, 0}, {-1, 0}, {0, 0}, {tickMillis * math.MaxUint32, math.MaxUint32}, {forever - 1, math.MaxUint32}, {forever, math.MaxUint32}} {
		if from, at := tickFrom(c.millis), tickAt(c.millis); from != c.want || at != c.want {
			t.Errorf("%d: %d, %d, want %d", c.millis, from, at, c.want)
		}
	}
}
