package rules

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever the hashes are, also crowded in one place, double or many, the set is what sorting finds.
func TestPairSet_isSortedAndDistinct(t *testing.T) {
	var set pairSet
	rapid.Check(t, func(r *rapid.T) {
		most := rapid.SampledFrom([]uint32{3, 1 << 10, 1 << 31}).Draw(r, "spread")
		base := rapid.SampledFrom([]uint32{0, 1<<32 - 1 - 1<<31}).Draw(r, "base")
		hashes := rapid.SliceOfN(rapid.Uint32Range(base, base+most), 0, 250).Draw(r, "hashes")
		want := slices.Compact(slices.Sorted(slices.Values(hashes)))
		if set.of(slices.Clone(hashes)); set.count != len(want) {
			r.Fatalf("%d different, want %d", set.count, len(want))
		}
		n := min(len(want), maxHashes)
		got := set.appendSmallest(nil, n)
		if len(got) != 2*n {
			r.Fatalf("%d bytes, want %d", len(got), 2*n)
		}
		for i, h := range want[:n] {
			if upper := binary.LittleEndian.Uint16(got[2*i:]); upper != uint16(h>>16) {
				r.Fatalf("hash %d is %x, want %x", i, upper, h>>16)
			}
		}
	})
}

// The table's last places hold what is crowded at its end.
func TestPairSet_allInTheLastPlace(t *testing.T) {
	var set pairSet
	hashes := make([]uint32, maxTabled)
	for i := range hashes {
		hashes[i] = 1<<32 - 1 - uint32(i)
	}
	if set.of(hashes).count != maxTabled {
		t.Errorf("%d", set.count)
	}
}

// A fingerprint takes memory while some window may reach it: also one of a file that is taken later, whose counts go on
// where those of the file before it ended (RULES.md 6).
func TestRepeats_keepsWhatALongerWindowMayReach(t *testing.T) {
	file := func(within string) *Policy {
		return load(t, `
rules: [{id: again, when: {repeats: {times: 3, within: `+within+`}}, then: {keep: true}}]`)
	}
	k := newTalk(t, file("1m"))
	for range 2 {
		k.user("怎么改收货地址")
		k.wait(20 * time.Minute)
	}
	k.p = file("2h")
	if d := k.user("怎么改收货地址"); d.Outcome != OutcomeKeep {
		t.Errorf("the third time within two hours: %s", d.Outcome)
	}
	k.wait(90 * time.Minute) // session_ttl is 2h: the first one is beyond it
	k.user("怎么改收货地址")
	if got := k.c.prints.count(); got != 3 {
		t.Errorf("%d are kept, want 3", got)
	}
}

// What a store holds must be read by the program before this one, and the other way round.
func TestConversation_encoding_isStable(t *testing.T) {
	const want = "050301027a68a0d29abef16600a0d29abef1660000c0fd96bef166030080d48fbef166000380d48fbef166e0d403e0d4030380d48fbef1660505" +
		"06e0a893bef166423052c0fd96bef1660707088209f03bcd627cb571d90b0484059d070f112813fb179b18792224281d30ca319b3a3b3bb43cda3f9e" +
		"473f48ea4d3750a450b051c953225be85e01610e627a628c6c787369760a77b7788f79a87bbc8141845b867f8d799192934a9a4a9ac39b7c9ee99e29" +
		"a08ea8a7aa8209f03bcd6237897cb596bb71d90280d48fbef166e0d403000001e9c8586b4856ab7ec0fd96bef16606060201710080d48fbef1660001" +
		"0000010005737475636b00c0fd96bef1660000000002010000000000000000000000000000000000000000"
	k := newTalk(t, busyPolicy(t))
	for _, s := range []string{"怎么改地址呢", quiet[1].Text, "骗子，怎么改地址呢"} {
		k.user(s)
		k.miss()
		k.wait(30 * time.Second)
	}
	k.observe(EventWithHuman)
	data, _ := k.c.MarshalBinary()
	if got := hex.EncodeToString(data); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
