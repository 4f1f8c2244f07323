package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// plot is lines over two axes.
type plot struct {
	File   string   `json:"file"`
	Title  string   `json:"title"`
	X      string   `json:"x"`
	Y      string   `json:"y"`
	LogX   bool     `json:"log_x,omitempty"`
	LogY   bool     `json:"log_y,omitempty"`
	Series []series `json:"series"`
}

type series struct {
	Name   string  `json:"name"`
	Points []point `json:"points"`
}

type point struct{ X, Y float64 }

// The measures of a plot.
const (
	width, height           = 680, 340
	left, right, top, below = 70, 20, 40, 50
)

// colours are readable on white and on black.
var colours = []string{"#3987e5", "#d9772b", "#3a9d5d"}

// svg draws the plot. Background is whatever the page has.
func (p *plot) svg() string {
	x, y := p.axis(p.LogX, func(q point) float64 { return q.X }), p.axis(p.LogY, func(q point) float64 { return q.Y })
	atX := func(v float64) float64 { return left + x.share(v)*(width-left-right) }
	atY := func(v float64) float64 { return height - below - y.share(v)*(height-top-below) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" fill="#808080">`+"\n", width, height)
	fmt.Fprintf(&b, `<text x="%d" y="20" font-size="14">%s</text>`+"\n", left, html.EscapeString(p.Title))
	for _, v := range x.ticks() {
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", atX(v), height-below+18, short(v))
	}
	for _, v := range y.ticks() {
		fmt.Fprintf(&b, `<path d="M%d %.1fH%d" stroke="#808080" stroke-opacity=".3"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			left, atY(v), width-right, left-8, atY(v)+4, short(v))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", (left+width-right)/2, height-10, html.EscapeString(p.X))
	fmt.Fprintf(&b, `<text transform="translate(14 %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n", (top+height-below)/2, html.EscapeString(p.Y))
	for i, s := range p.Series {
		colour := colours[i%len(colours)]
		var path strings.Builder
		for k, q := range s.Points {
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(k, 1)], atX(q.X), atY(q.Y))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, atX(q.X), atY(q.Y), colour)
		}
		fmt.Fprintf(&b, "\n"+`<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", path.String(), colour)
		fmt.Fprintf(&b, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", left+10, top+14+16*i, colour, html.EscapeString(s.Name))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// axis is the range of one direction.
type axis struct {
	low, high float64
	log       bool
}

// axis finds the range: from nothing, or on a logarithmic scale from the power
// of ten below.
func (p *plot) axis(log bool, of func(point) float64) axis {
	a := axis{low: math.Inf(1), log: log}
	for _, s := range p.Series {
		for _, q := range s.Points {
			a.low, a.high = min(a.low, of(q)), max(a.high, of(q))
		}
	}
	if !log {
		step := a.step()
		a.low, a.high = 0, math.Ceil(a.high/step)*step
		return a
	}
	a.low = math.Pow(10, math.Floor(math.Log10(max(a.low, 1e-6))))
	a.high = math.Pow(10, math.Ceil(math.Log10(max(a.high, 10*a.low))))
	return a
}

// step is a round distance that gives four to ten marks.
func (a axis) step() float64 {
	if a.high <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(a.high)))
	if a.high/power >= 4 {
		return power
	}
	return power / 4
}

// share is where a value stands between 0 and 1.
func (a axis) share(v float64) float64 {
	if a.log {
		return math.Log(max(v, a.low)/a.low) / math.Log(a.high/a.low)
	}
	return v / a.high
}

func (a axis) ticks() (at []float64) {
	if a.log {
		for v := a.low; v <= a.high*1.001; v *= 10 {
			at = append(at, v)
		}
		return at
	}
	step := a.step()
	for v := 0.0; v <= a.high*1.001; v += step {
		at = append(at, v)
	}
	return at
}

// short writes a mark of an axis.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%gM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%gk", v/1e3)
	}
	return fmt.Sprintf("%g", v)
}
