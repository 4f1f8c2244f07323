package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// report is all that a run found.
type report struct {
	Machine string  `json:"machine"`
	Quick   bool    `json:"quick,omitempty"`
	Seconds float64 `json:"seconds"`
	Rows    []row   `json:"rows"`
	Plots   []plot  `json:"plots,omitempty"`

	part string // that adds rows now
}

// row is one line of the table.
type row struct {
	Part  string `json:"part"`
	What  string `json:"what"`
	Unit  string `json:"unit"`
	Floor *stat  `json:"floor,omitempty"`
	Ours  stat   `json:"ours"`
	Goal  *goal  `json:"goal,omitempty"`
	Note  string `json:"note,omitempty"`
}

// goal is a bound on ours, or, of a row with a floor, on ours in relation to it.
type goal struct {
	Least float64 `json:"least,omitempty"`
	Most  float64 `json:"most,omitempty"`
	Bare  bool    `json:"bare,omitempty"` // on ours itself, also where there is a floor
	Met   bool    `json:"met"`
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

// add takes a row into the table.
func (r *report) add(w row) {
	w.Part = r.part
	if w.Goal != nil {
		goal := *w.Goal // rows share it, and each is judged by itself
		w.Goal = &goal
		judged := w.Ours.Median
		if w.Floor != nil && !w.Goal.Bare {
			judged = w.ratio()
		}
		w.Goal.Met = judged >= w.Goal.Least && (w.Goal.Most == 0 || judged <= w.Goal.Most)
	}
	r.Rows = append(r.Rows, w)
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
		r.printRows(out)
	}
	fmt.Fprintf(out, "%.0f s in all. Each figure: median, and in brackets the lowest and the highest round.\n", r.Seconds)
}

func (r *report) printRows(out io.Writer) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "part\twhat\tfloor\tours\tratio\tgoal\t\tunit")
	for i := range r.Rows {
		w := &r.Rows[i]
		for k, cell := range w.cells() {
			if k > 0 {
				fmt.Fprint(t, "\t")
			}
			fmt.Fprint(t, cell)
		}
		fmt.Fprintln(t)
	}
	_ = t.Flush() // to where the report goes: nobody else to tell
}

// cells are a row as text.
func (w *row) cells() []string {
	floor, ratio := "", ""
	if w.Floor != nil {
		floor, ratio = w.Floor.String(), fmt.Sprintf("%.2f", w.ratio())
	}
	return []string{w.Part, w.What, floor, w.Ours.String(), ratio, w.Goal.String(), w.Goal.verdict(), w.Unit + w.Note}
}

func (g *goal) String() string {
	switch {
	case g == nil:
		return ""
	case g.Most != 0:
		return "≤ " + number(g.Most)
	}
	return "≥ " + number(g.Least)
}

func (g *goal) verdict() string {
	switch {
	case g == nil:
		return ""
	case g.Met:
		return "ok"
	}
	return "MISSED"
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
