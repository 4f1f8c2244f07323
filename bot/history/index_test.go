package history

import (
	"maps"
	"runtime"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestIndex_equalsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, model := new(index), map[uint64]position{}
		name := rapid.Custom(func(t *rapid.T) uint64 { return nameHash(strconv.Itoa(rapid.IntRange(0, 99).Draw(t, "name"))) })
		segment := rapid.Uint32Range(1, 9)
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				n, pos := name.Draw(t, "which"), at(segment.Draw(t, "segment"), 7)
				x.set(n, pos)
				model[n] = pos
			},
			"set all": func(t *rapid.T) {
				n, pos, other := name.Draw(t, "which"), at(segment.Draw(t, "segment"), 8), new(index)
				other.set(n, pos)
				x.setAll(other)
				model[n] = pos
			},
			"delete": func(t *rapid.T) {
				n := name.Draw(t, "which")
				x.delete(n)
				delete(model, n)
			},
			"delete up to": func(t *rapid.T) {
				last := segment.Draw(t, "last")
				x.deleteUpTo(last)
				maps.DeleteFunc(model, func(_ uint64, pos position) bool { return pos.segment() <= last })
			},
			"": func(t *rapid.T) {
				for i := range 100 {
					if n := nameHash(strconv.Itoa(i)); x.get(n) != model[n] {
						t.Fatalf("%d: %x, want %x", i, x.get(n), model[n])
					}
				}
				if x.len() != len(model) {
					t.Fatalf("%d names, want %d", x.len(), len(model))
				}
			},
		})
	})
}

func TestIndex_ofAMillion_isSmall(t *testing.T) {
	const million = 1_000_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	x := new(index)
	for n := range uint64(million) {
		x.set(nameHash(strconv.FormatUint(n, 10)), at(1, int64(n)))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := float64(after.HeapAlloc-before.HeapAlloc) / million; each > 26 {
		t.Errorf("a name takes %.1f bytes", each)
	} else {
		t.Logf("a name takes %.1f bytes", each)
	}
	runtime.KeepAlive(x)
}
