package text

import (
	"syscall"
	"testing"
)

func cpuNow() int64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

func BenchmarkCPU(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		phrases := benchPhrases(n)
		m := benchMatcher(b, phrases)
		all := benchMessages(phrases)
		sets := map[string][]string{"mixed": all, "en": {all[1], all[3], all[5], all[7]}, "zh": {all[0], all[2], all[4], all[6], all[8]}, "nohit": all[:9], "th": {"ขอคุยกับเจ้าหน้าที่หน่อยครับ ไม่อยากคุยกับบอท"}, "ru": {"Здравствуйте, я хочу поговорить с живым оператором, пожалуйста"}}
		for _, k := range []string{"mixed", "en", "zh", "nohit", "th", "ru"} {
			msgs := sets[k]
			for _, find := range []bool{false, true} {
				name := "reset"
				if find {
					name = "find"
				}
				b.Run(k+"/"+name+"/"+string(rune('0'+len(phrases)/1000)), func(b *testing.B) {
					var msg Message
					var hits []Hit
					start := cpuNow()
					i := 0
					for b.Loop() {
						msg.Reset(msgs[i%len(msgs)])
						if find {
							hits = m.Find(&msg, hits[:0])
						}
						i++
					}
					b.ReportMetric(float64(cpuNow()-start)/float64(i), "cpu-ns/op")
				})
			}
		}
	}
}
