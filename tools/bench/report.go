package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// report is all that a run found.
type report struct {
	Machine string  `json:"machine"`
	Load    string  `json:"load"` // what else the machine had to do
	Quick   bool    `json:"quick,omitempty"`
	Seconds float64 `json:"seconds"`
	Rows    []row   `json:"rows"`
	Plots   []plot  `json:"plots,omitempty"`

	part         string // that adds rows now
	bothMachines bool   // the quiet one and the busy one are measured
	busy         bool   // it is the busy one now
}

// row is one line of the table.
type row struct {
	Part   string `json:"part"`
	What   string `json:"what"`
	Unit   string `json:"unit"`
	Floor  *stat  `json:"floor,omitempty"`
	Ours   stat   `json:"ours"`
	Goal   *goal  `json:"goal,omitempty"`
	Note   string `json:"note,omitempty"`
	Absent string `json:"absent,omitempty"` // why there are no figures
	Busy   *row   `json:"busy,omitempty"`   // the same on a machine whose caches other work sweeps
}

// goal is a bound on ours in relation to the floor, or, where there is none, on
// ours itself.
type goal struct {
	Sign  string  `json:"sign"` // ≥ or ≤
	Bound float64 `json:"bound"`
	Of    string  `json:"of,omitempty"` // what else is bounded, of a row with a floor
	Met   bool    `json:"met"`
}

// What a goal bounds instead of the ratio.
const (
	itself     = "itself"
	difference = "more than the floor"
)

func atLeast(bound float64) *goal { return &goal{Sign: "≥", Bound: bound} }
func atMost(bound float64) *goal  { return &goal{Sign: "≤", Bound: bound} }

// bare is the goal on ours itself, also where there is a floor.
func (g *goal) bare() *goal { g.Of = itself; return g }

// more is the goal on what ours has more than the floor.
func (g *goal) more() *goal { g.Of = difference; return g }

// met reports whether a row's figures are within the goal.
func (g *goal) met(w *row) bool {
	judged := w.Ours.Median
	switch {
	case w.Floor == nil || g.Of == itself:
	case g.Of == difference:
		judged -= w.Floor.Median
	default:
		judged = w.ratio()
	}
	if g.Sign == "≥" {
		return judged >= g.Bound
	}
	return judged <= g.Bound
}

// stat is what several rounds gave.
type stat struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

func statOf(values ...float64) stat {
	s := slices.Clone(values)
	slices.Sort(s)
	n := len(s)
	return stat{Median: (s[(n-1)/2] + s[n/2]) / 2, Low: s[0], High: s[n-1]}
}

// add takes a row into the table, or, on the busy machine, beside the row that
// was measured on the quiet one.
func (r *report) add(w row) {
	w.Part = r.part
	if w.Goal != nil {
		goal := *w.Goal // rows share it, and each is judged by itself
		goal.Met = goal.met(&w)
		w.Goal = &goal
	}
	for i := range r.Rows {
		if r.busy && r.Rows[i].is(&w) {
			r.Rows[i].Busy = &w
			return
		}
	}
	r.Rows = append(r.Rows, w)
}

// is reports whether both rows measure the same.
func (w *row) is(other *row) bool {
	return w.Part == other.Part && w.What == other.What && w.Unit == other.Unit
}

// ratio is ours in relation to the floor. Rounds were alternating, so it is
// that of the medians.
func (w *row) ratio() float64 {
	if w.Floor == nil || w.Floor.Median == 0 {
		return 0
	}
	return w.Ours.Median / w.Floor.Median
}

// print writes the table.
func (r *report) print(out io.Writer) {
	fmt.Fprintln(out, r.Machine)
	if r.Quick {
		fmt.Fprintln(out, "quick: these figures mean nothing")
	}
	for i := range r.Plots {
		fmt.Fprintf(out, "\n%s\n\n%s", r.Plots[i].Title, r.Plots[i].table())
	}
	if len(r.Rows) > 0 {
		t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "part\t"+strings.Join(r.heads(), "\t"))
		for i := range r.Rows {
			fmt.Fprintln(t, r.Rows[i].Part+"\t"+strings.Join(r.cells(&r.Rows[i]), "\t"))
		}
		_ = t.Flush() // to where the report goes: nobody else to tell
	}
	fmt.Fprintf(out, "%s\n%.0f s in all. Each figure: median, and in brackets the lowest and the highest round.\n", r.Load, r.Seconds)
}

// heads are the columns.
func (r *report) heads() []string {
	heads := []string{"what", "unit", "goal", "floor", "ours", "ratio", ""}
	if r.bothMachines {
		heads = append(heads, "busy: floor", "ours", "ratio", "")
	}
	return heads
}

// cells are a row as text.
func (r *report) cells(w *row) []string {
	cells := append([]string{w.What, w.Unit, w.Goal.String()}, w.figures()...)
	if r.bothMachines {
		cells = append(cells, w.Busy.figures()...)
	}
	return cells
}

// figures are what was measured on one machine, as text.
func (w *row) figures() []string {
	switch {
	case w == nil:
		return []string{"", "", "", ""}
	case w.Absent != "":
		return []string{"", w.Absent, "", ""}
	case w.Floor == nil:
		return []string{"", w.Ours.String() + w.Note, "", w.Goal.verdict()}
	}
	return []string{w.Floor.String(), w.Ours.String() + w.Note, fmt.Sprintf("%.2f", w.ratio()), w.Goal.verdict()}
}

func (g *goal) String() string {
	switch {
	case g == nil:
		return ""
	case g.Of == difference:
		return g.Sign + " floor + " + number(g.Bound)
	}
	return g.Sign + " " + number(g.Bound)
}

// missed is the word for a goal that was not reached.
const missed = "MISSED"

func (g *goal) verdict() string {
	switch {
	case g == nil:
		return ""
	case g.Met:
		return "ok"
	}
	return missed
}

func (s stat) String() string {
	if s.Low == s.High {
		return number(s.Median)
	}
	return fmt.Sprintf("%s (%s–%s)", number(s.Median), number(s.Low), number(s.High))
}

// number writes three significant digits, and large numbers in full.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a >= 10_000:
		return fmt.Sprintf("%.0f", math.Round(v/100)*100)
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
