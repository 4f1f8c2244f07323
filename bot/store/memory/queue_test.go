package memory

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestQueue_equalsASlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var model []queued
		for n := range rapid.IntRange(1, 400).Draw(t, "steps") {
			if len(model) == 0 || rapid.IntRange(0, 99).Draw(t, "step") < 55 {
				e := queued{key: fmt.Sprint(n), expires: int64(n)}
				q.push(e)
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
