package main

import "testing"

// The answers are judged by the most that any of the loads got, or by what arrived where that is less; each load by itself.
func TestOverload_answersThatFall_areMissed(t *testing.T) {
	at := func(factor, rate, p99 float64) overload {
		o := outcomes{rates: []float64{rate}, p99s: []float64{p99}, sents: []float64{1}, refused: []float64{5}, dropped: []float64{0}}
		return overload{factor: factor, connections: 256, arrivals: 1000 * factor, ours: o, floor: o}
	}
	b := &bench{report: new(report)}
	b.overloadRows([]overload{at(.7, 690, 1000), at(.75, 590, 1000), at(1, 900, 1000), at(2, 1000, 2e6), at(3, 790, 900_000)})
	for i, want := range []bool{true, true, false, true, true, true, true, false, false, true} { // answers and latency, load by load
		if w := b.report.Rows[i/2*3+i%2]; w.Goal.Met != want {
			t.Errorf("%s: %+v", w.What, w.Goal)
		}
	}
}
