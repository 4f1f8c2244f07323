package replay

import "slices"

// Differ gives the turns of one explanation whose decision is another one in the other, by their places. Timers come due at
// other times under other rules: what only the other one has is laid to the turn that follows, or to the last.
func Differ(x, other Explanation) []int {
	differ := []int{}
	i, j := 0, 0
	for i < len(x.Turns) || j < len(other.Turns) {
		switch {
		case j == len(other.Turns):
			differ, i = append(differ, i), i+1
			continue
		case i == len(x.Turns):
			differ, j = append(differ, len(x.Turns)-1), j+1
			continue
		}
		a, b := &x.Turns[i], &other.Turns[j]
		mine, theirs := a.Role == "timer", b.Role == "timer"
		switch {
		case mine && (!theirs || a.At.Before(b.At)):
			differ, i = append(differ, i), i+1
		case theirs && (!mine || b.At.Before(a.At)):
			differ, j = append(differ, i), j+1
		default:
			if !a.Decision.same(&b.Decision) {
				differ = append(differ, i)
			}
			i, j = i+1, j+1
		}
	}
	differ = slices.DeleteFunc(differ, func(i int) bool { return i < 0 })
	slices.Sort(differ)
	return slices.Compact(differ)
}

// same says that two decisions lead to the same.
func (d *ExplainedDecision) same(o *ExplainedDecision) bool {
	return d.Rule == o.Rule && d.Outcome == o.Outcome && d.Target == o.Target && d.Reason == o.Reason &&
		slices.Equal(d.Shadow, o.Shadow) && slices.Equal(d.Tags, o.Tags) && slices.Equal(d.Say, o.Say) && slices.Equal(d.Offer, o.Offer)
}
