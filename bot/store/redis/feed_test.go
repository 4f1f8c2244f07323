package redis

import (
	"bytes"
	"fmt"
	"testing"

	"escalator/bot/store/redis/redistest"
)

func TestFeed_isReadInOrder_capped_andForgets(t *testing.T) {
	server := redistest.Start(t)
	a, b := join(t, server, 1), join(t, server, 1)
	for n := range 30 {
		var batch [][]byte
		for i := range 10 {
			batch = append(batch, fmt.Appendf(nil, "%03d", n*10+i))
		}
		if err := a.AppendFeed(t.Context(), "f", 100, batch); err != nil {
			t.Fatal(err)
		}
	}
	read := func(after string, most int) (entries [][]byte, next string) {
		entries, next, err := b.ReadFeed(t.Context(), "f", after, most)
		if err != nil {
			t.Fatal(err)
		}
		return entries, next
	}
	all, end := read("", 1000)
	if n := len(all); n < 100 || n > 250 || string(all[n-1]) != "299" {
		t.Errorf("%d are kept, the last is %s", n, all[n-1])
	}
	first, next := read("", 3)
	second, _ := read(next, 3)
	if string(bytes.Join(append(first, second...), nil)) != string(bytes.Join(all[:6], nil)) {
		t.Errorf("%s, then %s", first, second)
	}
	if more, still := read(end, 3); len(more) != 0 || still != end {
		t.Errorf("behind the end: %s", more)
	}
	if err := b.ForgetFeed(t.Context(), "f", func(e []byte) bool { return e[2] == '9' }); err != nil {
		t.Fatal(err)
	}
	left, _ := read("", 1000)
	for _, e := range left {
		if e[2] == '9' {
			t.Errorf("%s is still there", e)
		}
	}
	if len(left) < len(all)*8/10 {
		t.Errorf("%d of %d are left", len(left), len(all))
	}
}
