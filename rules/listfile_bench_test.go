package rules

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// csvOf is a CSV of so many phrases, half in Chinese and half of made-up words.
func csvOf(phrases int) string {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for i := range phrases {
		if i%2 == 0 {
			for range 4 + r.IntN(3) {
				b.WriteRune(rune(0x4E00 + r.IntN(3000)))
			}
		} else {
			for range 2 + r.IntN(2) {
				for range 4 + r.IntN(5) {
					b.WriteByte(byte('a' + r.IntN(26)))
				}
				b.WriteByte(' ')
			}
		}
		b.WriteString(",1\n")
	}
	return b.String()
}

func fromCSV(b *testing.B, phrases int) *Policy {
	b.Helper()
	f := folderOf{"rules.yaml": fileHead + "lists: {refund: {file: a.csv}}\n" + oneRule, "a.csv": csvOf(phrases)}
	p, r := f.collected().Load(time.Now())
	if p == nil {
		b.Fatal(told(r.Errors))
	}
	return p
}

// A load checks too; a reload is a load.
func BenchmarkLoad_listFile(b *testing.B) {
	for _, phrases := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprint(phrases), func(b *testing.B) {
			for b.Loop() {
				fromCSV(b, phrases)
			}
		})
	}
}

// What a list costs a message in which none of it stands.
func BenchmarkDecide_listFile(b *testing.B) {
	for _, phrases := range []int{100, 10_000, 100_000} {
		p := fromCSV(b, phrases)
		b.Run(fmt.Sprint(phrases), func(b *testing.B) {
			var c Conversation
			at := start
			for b.Loop() {
				for _, turn := range quiet {
					at = at.Add(11 * time.Minute)
					turn.At = at
					p.Decide(&c, turn)
				}
			}
		})
	}
}
