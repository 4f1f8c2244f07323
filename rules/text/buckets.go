package text

import "math/bits"

// buckets is a set of buckets of phrases.
type buckets uint64

const (
	nBuckets    = 64
	everyBucket = ^buckets(0)
)

// A pass over a message looks for some of the phrases: first for those that mean something by themselves in it, and only
// if there is one, or if phrases may fill the message, for all (see Meaning). The phrases of a pass are in buckets of
// their own, so that a pass is a set of buckets too.
type pass int

const (
	passBot      pass = iota // those that mean something by themselves in a message of the bot
	passCustomer             // in one of a customer
	passAll
	passes
)

// firstPass is the one that looks whether a message means anything.
func (m *Message) firstPass() pass {
	if m.own {
		return passCustomer
	}
	return passBot
}

// passSet is a set of passes other than the one over all.
type passSet uint8

const everyPass = passSet(1<<passAll - 1)

func (s passSet) has(p pass) bool { return s>>p&1 != 0 }

// A sort of phrases has buckets of its own. Phrases with a frequent anchor are one sort, the others another: else each
// frequent word would open the way to a part of everything.
type sort uint8

const (
	frequentAnchor = 50 // weight
	sorts          = 2 << passAll
)

func newSort(tells passSet, weight int64) sort {
	if weight >= frequentAnchor {
		return sort(tells)<<1 | 1
	}
	return sort(tells) << 1
}

func (s sort) tells() passSet { return passSet(s >> 1) }

// sharing says which buckets each sort has.
type sharing [sorts]span

// newSharing shares the buckets out by how many phrases of each sort there are. Those that are looked for in few messages
// get a quarter of what others do.
func newSharing(counts [sorts]int) (out sharing) {
	weights, all, used := [sorts]int{}, 0, 0
	for k, n := range counts {
		if weights[k] = n; sort(k).tells() != 0 {
			weights[k] *= 4
		}
		if all += weights[k]; n > 0 {
			used++
		}
	}
	from := int32(0)
	for k, w := range weights {
		to := from
		if w > 0 {
			to += int32(1 + w*(nBuckets-used)/all)
		}
		out[k], from = span{from, to}, to
	}
	return out
}

// bucket is that of the phrases of a sort with an anchor.
func (s *sharing) bucket(of sort, anchor uint64) buckets {
	high, _ := bits.Mul64(anchor*hashPrime, uint64(s[of].to-s[of].from))
	return 1 << (uint64(s[of].from) + high)
}

// of is the buckets of a pass.
func (s *sharing) of(p pass) (all buckets) {
	for k, of := range s {
		if p == passAll || sort(k).tells().has(p) {
			all |= 1<<of.to - 1<<of.from
		}
	}
	return all
}

// fillBuckets puts each phrase into a bucket, and notes it with its anchors. Phrases that begin their anchors with the
// same one share a bucket: then an anchor has few.
func (c *compiler) fillBuckets(phrases []*phrase) sharing {
	of, counts := make([]sort, len(phrases)), [sorts]int{}
	for id, ph := range phrases {
		if ph.searched() {
			of[id] = newSort(c.tells[id], c.lex.rarest(&ph.seq).weight)
			counts[of[id]]++
		}
	}
	shared := newSharing(counts)
	for id, ph := range phrases {
		if ph.searched() {
			c.buckets[id] = shared.bucket(of[id], c.lex.firstAnchor(&ph.seq))
			c.mark(&ph.seq, c.buckets[id])
		}
	}
	return shared
}

// firstAnchor is the first of the anchors of a sequence, hashed.
func (l *lexicon) firstAnchor(seq *sequence) uint64 {
	a := l.rarest(seq)
	switch it := &seq.items[a.at]; {
	case a.weight >= unfounded:
		return 0
	case a.pairs:
		left, right := l.beside(seq, int(a.at))
		return wordPair(l.words[left[0]].hash, l.words[right[0]].hash)
	case it.kind == itemToken:
		return l.entry(it).hash
	default:
		return l.firstAnchor(&it.group.alts[0])
	}
}

// mark notes the bucket of a phrase with the anchors of a sequence of it.
func (c *compiler) mark(seq *sequence, bucket buckets) {
	a := c.lex.rarest(seq)
	switch {
	case a.weight >= unfounded: // each item may be left out, but not all of them
		for i := range seq.items {
			c.markItem(&seq.items[i], bucket)
		}
	case a.pairs:
		left, right := c.lex.beside(seq, int(a.at))
		for _, a := range left {
			for _, b := range right {
				c.pairs[wordPair(c.lex.words[a].hash, c.lex.words[b].hash)] |= bucket
			}
		}
	default:
		c.markItem(&seq.items[a.at], bucket)
	}
}

func (c *compiler) markItem(it *item, bucket buckets) {
	switch {
	case it.kind == itemToken:
		c.lex.entry(it).buckets |= bucket
	case it.kind == itemGroup && c.marked[it.group]&bucket == 0:
		c.marked[it.group] |= bucket
		for i := range it.group.alts {
			c.mark(&it.group.alts[i], bucket)
		}
	}
}
