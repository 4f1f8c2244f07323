package rules

import (
	"slices"
	"strconv"

	"escalator/rules/lang"

	"go.yaml.in/yaml/v4"
)

var ratingCondition = &condition{
	key: "rating", turns: onUser | onBot | onRating,
	doc:     "The customer gives so many stars, in whatever phase. Such a rule may only notify and tag.",
	example: "rating: {at_most: 2}",
	aka:     []string{"stars", "satisfaction", "score"},
	value: &shape{
		name: "a range of stars", ref: "rating", form: formRecord, atLeastOne: []string{"at_least", "at_most"}, fields: []field{
			{key: "at_least", of: aStar, doc: "So many stars, or more.", aka: []string{"min"}},
			{key: "at_most", of: aStar, doc: "So many stars, or fewer.", aka: []string{"max"}},
		}, examples: []string{"{at_most: 2}"},
	},
	build: func(l *loader, n *yaml.Node) leaf {
		r := &ratingLeaf{1, maxStars}
		if least := l.get(n, "at_least"); least != nil {
			r.least = intOf(least)
		}
		if most := l.get(n, "at_most"); most != nil {
			r.most = intOf(most)
		}
		if r.least > r.most {
			l.fail(l.get(n, "at_most"), "swap the two", "this can never hold: at_least %d is above at_most %d", r.least, r.most)
		}
		return r
	},
}

// maxStars is the best rating.
const maxStars = 5

var aStar = &shape{name: "a number of stars from 1 to 5", form: formInteger, min: 1, max: maxStars, examples: []string{"2"}}

// RatingField is the field of a callback that holds the customer's rating.
const RatingField = "SatisfactionSelected"

// ratingLeaf is `rating`.
type ratingLeaf struct{ least, most int }

// Stars is the rating that a callback carries, whatever its event is called; 0: it carries none.
func Stars(f Fields) int {
	if f == nil {
		return 0
	}
	value, _ := f.Field(RatingField)
	if n, err := strconv.Atoi(value); err == nil && n >= 1 && n <= maxStars {
		return n
	}
	return 0
}

func (l *ratingLeaf) holds(e *evaluation) verdict {
	n := Stars(e.t.Fields)
	if n == 0 {
		return verdict{state: unfit}
	}
	return truth(n >= l.least && n <= l.most)
}

func (l *ratingLeaf) explain(e *evaluation, v verdict) lang.Text {
	if v.state == unfit {
		return "this callback carries no rating"
	}
	return lang.Say("%d of %d stars", Stars(e.t.Fields), maxStars)
}

func (l *ratingLeaf) implies(other leaf) bool {
	b, ok := other.(*ratingLeaf)
	return ok && l.least >= b.least && l.most <= b.most
}

func (l *ratingLeaf) excludes(other leaf) lang.Text {
	if b, ok := other.(*ratingLeaf); ok && l.least > b.most {
		return lang.Say("no rating is both within %s and %s", l.words(), b.words())
	}
	return ""
}

func (l *ratingLeaf) words() lang.Text { return lang.Say("%s to %s", itoa(l.least), itoa(l.most)) }

func (l *ratingLeaf) need(p *Policy) { p.rates = true }

// Rates says that some rule asks for ratings: only then is a callback a turn for its rating alone.
func (p *Policy) Rates() bool { return p.rates }

// checkRatingAction complains about what a rule may not do that acts in every phase.
func (l *loader) checkRatingAction(r *rule, then *yaml.Node) {
	for _, pair := range l.pairs(then) {
		if r.rates && !slices.Contains([]string{"notify", "tag"}, pair[0].Value) {
			l.fail(pair[0], lang.Say("make two rules of it, or take %s out", pair[0].Value), "a rule that holds by `rating` may only notify and tag: the customer may be with an agent, or gone")
			return
		}
	}
}
