package desk

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	sampleKey = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"
	stored    = "eAEAsgBN-3siVExTLnZlciI6IjIuMCIsIlRMUy5pZGVudGlmaWVyIjoiYWRtaW5pc3RyYXRvciIsIlRMUy5zZGthcHBpZCI6MTQwMDAwMDAwMCwiVExTLmV4cGlyZSI6MTU1NTIwMDAsIlRMUy50aW1lIjoxNzAwMDAwMDAwLCJUTFMuc2lnIjoiSkN6eGFuRjhOVFRYYXU0bSsyaDl3djdnWUpueU5rc20weG0xTkVYVTI3ND0ifQoBAAD--4MfNLE_"
	deflated  = "eJyqVgrxCdZLrSjILEpVsjI0NTU1MjAw0AGLZqak5pVkpmWmFilZKSWm5GbmZRaXFCWW5BcpQRQUp2QnFhRkpihZGZoYQAFUJjNdyUrJy7mqIjHPzcIvJCQisdQkV9sow7K8zDw90iuv0i*7ONegItfQzzUi1MjcxBZqZElmLsgd5qjGlYGdYKRnoFQLCAAA---zEjSn"
)

var (
	sampleTime     = time.Unix(1700000000, 0)
	sampleIdentity = Identity{SDKAppID: 1400000000, Identifier: "administrator", Key: sampleKey}
)

const sampleValidity = 15552000 * time.Second

func TestUserSig_knownAnswers(t *testing.T) {
	tests := []struct{ identifier, sig, mac string }{
		{"administrator", "JCzxanF8NTTXau4m+2h9wv7gYJnyNksm0xm1NEXU274=", "242cf16a717c3534d76aee26fb687dc2fee06099f2364b26d319b53445d4dbbe"},
		{"xiaojun", "LvA7d/Iw7gSsnskvVzBDPOCCDbuNCw4GHwTC0bip+B4=", "2ef03b77f230ee04ac9ec92f5730433ce0820dbb8d0b0e061f04c2d1b8a9f81e"},
	}
	for _, tt := range tests {
		id := sampleIdentity
		id.Identifier = tt.identifier
		sig, err := UserSig(id, sampleTime, sampleValidity)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := openSig(sig.Reveal())
		if err != nil || doc.Sig != tt.sig {
			t.Errorf("%s: %q, %v", tt.identifier, doc.Sig, err)
		}
		if mac := hex.EncodeToString(sigMAC(id, 1700000000, 15552000)); mac != tt.mac {
			t.Errorf("%s: HMAC %s", tt.identifier, mac)
		}
	}
}

func TestUserSig_isWhatTencentsLibraryGives(t *testing.T) {
	sig, err := UserSig(sampleIdentity, sampleTime, sampleValidity)
	if err != nil {
		t.Fatal(err)
	}
	ours, _ := inflate(unpack(t, sig.Reveal()))
	theirs, err := inflate(unpack(t, stored))
	if err != nil || !bytes.Equal(ours, theirs) {
		t.Errorf("got %s, want %s (%v)", ours, theirs, err)
	}
}

func unpack(t *testing.T, sig string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(fromSig.Replace(sig))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pack is the usual encoding of any document, for signatures that are wrong.
func pack(doc string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write([]byte(doc))
	_ = w.Close()
	return toSig.Replace(base64.StdEncoding.EncodeToString(b.Bytes()))
}

func TestVerifyUserSig_tellsWhatIsWrong(t *testing.T) {
	other := func(change func(*Identity)) Identity {
		id := sampleIdentity
		change(&id)
		return id
	}
	last := sampleTime.Add(sampleValidity)
	tests := []struct {
		name, sig string
		id        Identity
		now       time.Time
		want      int
	}{
		{"stored", stored, sampleIdentity, sampleTime, 0},
		{"deflated", deflated, sampleIdentity, sampleTime, 0},
		{"in its last second", stored, sampleIdentity, last, 0},
		{"expired", stored, sampleIdentity, last.Add(time.Second), 70001},
		{"empty", "", sampleIdentity, sampleTime, 70002},
		{"cut", stored[:100], sampleIdentity, sampleTime, 70003},
		{"no base64", "!", sampleIdentity, sampleTime, 70003},
		{"no JSON", pack("x"), sampleIdentity, sampleTime, 70003},
		{"no MAC", pack(`{"TLS.ver":"2.0","TLS.sig":"!"}`), sampleIdentity, sampleTime, 70003},
		{"empty object", pack(`{}`), sampleIdentity, sampleTime, 70003},
		{"absurd expiry", pack(`{"TLS.ver":"2.0","TLS.sig":"","TLS.time":1,"TLS.expire":9223372036854775807}`), sampleIdentity, sampleTime, 70003},
		{"bomb", pack(strings.Repeat(" ", 1<<20)), sampleIdentity, sampleTime, 70003},
		{"other key", stored, other(func(id *Identity) { id.Key = "another" }), sampleTime, 70009},
		{"other identifier", stored, other(func(id *Identity) { id.Identifier = "xiaojun" }), sampleTime, 70013},
		{"other app", stored, other(func(id *Identity) { id.SDKAppID++ }), sampleTime, 70014},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := VerifyUserSig(tt.sig, tt.id, tt.now)
			var bad *SigError
			if code := 0; errors.As(err, &bad) {
				code = bad.Code
				if code != tt.want {
					t.Errorf("code %d (%v), want %d", code, err, tt.want)
				}
			} else if tt.want != 0 {
				t.Errorf("accepted, want %d", tt.want)
			}
		})
	}
}

func TestUserSig_whatCannotBeSigned_isRefused(t *testing.T) {
	tests := map[string]func(*Identity, *time.Time, *time.Duration){
		"no app":          func(id *Identity, _ *time.Time, _ *time.Duration) { id.SDKAppID = 0 },
		"no key":          func(id *Identity, _ *time.Time, _ *time.Duration) { id.Key = "" },
		"no identifier":   func(id *Identity, _ *time.Time, _ *time.Duration) { id.Identifier = "" },
		"long identifier": func(id *Identity, _ *time.Time, _ *time.Duration) { id.Identifier = strings.Repeat("a", 33) },
		"odd identifier":  func(id *Identity, _ *time.Time, _ *time.Duration) { id.Identifier = "a\nb" },
		"no validity":     func(_ *Identity, _ *time.Time, d *time.Duration) { *d = 0 },
		"before 1970":     func(_ *Identity, at *time.Time, _ *time.Duration) { *at = time.Unix(-1, 0) },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			id, at, validity := sampleIdentity, sampleTime, sampleValidity
			spoil(&id, &at, &validity)
			if sig, err := UserSig(id, at, validity); err == nil || sig != "" {
				t.Errorf("signed")
			}
		})
	}
}

func TestSigner_renewsAtHalfLife(t *testing.T) {
	now := sampleTime
	s, err := NewSigner(sampleIdentity, 48*time.Hour, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	first := s.Signature()
	now = now.Add(24*time.Hour - time.Second)
	if s.Signature() != first {
		t.Error("renewed before half of its life")
	}
	now = now.Add(time.Second)
	second := s.Signature()
	if second == first {
		t.Error("not renewed at half of its life")
	}
	now = sampleTime
	if s.Signature() == second {
		t.Error("kept a signature from the future after the clock was set back")
	}
}

func TestSigner_invalidatedByMany_renewsOnce(t *testing.T) {
	s, err := NewSigner(sampleIdentity, 48*time.Hour, func() time.Time { return sampleTime })
	if err != nil {
		t.Fatal(err)
	}
	refused := s.Signature()
	var wg sync.WaitGroup
	got := make([]Secret, 20)
	for i := range got {
		wg.Go(func() {
			s.Invalidate(refused)
			got[i] = s.Signature()
		})
	}
	wg.Wait()
	for _, sig := range got {
		if sig == refused || sig != got[0] {
			t.Fatal("not one new signature")
		}
	}
	if err := VerifyUserSig(got[0].Reveal(), sampleIdentity, sampleTime); err != nil {
		t.Error(err)
	}
}

func TestSigner_shortValidity_isRefused(t *testing.T) {
	if _, err := NewSigner(sampleIdentity, 23*time.Hour, nil); err == nil {
		t.Error("accepted")
	}
}

func TestSigner_cachedSignature_allocatesNothing(t *testing.T) {
	s, err := NewSigner(sampleIdentity, 48*time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { s.Signature() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzVerifyUserSig(f *testing.F) {
	f.Add(stored)
	f.Add(deflated)
	f.Add(pack(`{"TLS.ver":"2.0","TLS.identifier":"administrator","TLS.sdkappid":1400000000,"TLS.time":0,"TLS.expire":1,"TLS.sig":""}`))
	want, _ := openSig(stored)
	f.Fuzz(func(t *testing.T, sig string) {
		if VerifyUserSig(sig, sampleIdentity, sampleTime) != nil {
			return
		}
		if doc, _ := openSig(sig); doc.Sig != want.Sig {
			t.Errorf("accepted %q", sig)
		}
	})
}

func FuzzUserSig(f *testing.F) {
	f.Add("administrator", "key", int64(1700000000), int64(86400))
	f.Fuzz(func(t *testing.T, identifier, key string, at, seconds int64) {
		if seconds > 1<<31 {
			return
		}
		id := Identity{SDKAppID: 1, Identifier: identifier, Key: Secret(key)}
		sig, err := UserSig(id, time.Unix(at, 0), time.Duration(seconds)*time.Second)
		if err != nil {
			return
		}
		if err := VerifyUserSig(sig.Reveal(), id, time.Unix(at+seconds, 0)); err != nil {
			t.Error(err)
		}
		if strings.Trim(sig.Reveal(), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-_") != "" {
			t.Errorf("%q is not safe in a query", sig.Reveal())
		}
	})
}

func BenchmarkUserSig(b *testing.B) {
	b.Run("sign", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = UserSig(sampleIdentity, sampleTime, sampleValidity)
		}
	})
	b.Run("verify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = VerifyUserSig(stored, sampleIdentity, sampleTime)
		}
	})
}
