package desk_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"escalator/bot/desk"
)

const (
	sampleKey = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"
	stored    = "eAEAsgBN-3siVExTLnZlciI6IjIuMCIsIlRMUy5pZGVudGlmaWVyIjoiYWRtaW5pc3RyYXRvciIsIlRMUy5zZGthcHBpZCI6MTQwMDAwMDAwMCwiVExTLmV4cGlyZSI6MTU1NTIwMDAsIlRMUy50aW1lIjoxNzAwMDAwMDAwLCJUTFMuc2lnIjoiSkN6eGFuRjhOVFRYYXU0bSsyaDl3djdnWUpueU5rc20weG0xTkVYVTI3ND0ifQoBAAD--4MfNLE_"
)

var (
	sampleTime     = time.Unix(1700000000, 0)
	sampleIdentity = desk.Identity{SDKAppID: 1400000000, Identifier: "administrator", Key: sampleKey}
)

const sampleValidity = 15552000 * time.Second

func TestUserSig_knownAnswers(t *testing.T) {
	tests := []struct{ identifier, sig string }{
		{"administrator", "JCzxanF8NTTXau4m+2h9wv7gYJnyNksm0xm1NEXU274="},
		{"xiaojun", "LvA7d/Iw7gSsnskvVzBDPOCCDbuNCw4GHwTC0bip+B4="},
	}
	for _, tt := range tests {
		id := sampleIdentity
		id.Identifier = tt.identifier
		sig, err := desk.UserSig(id, sampleTime, sampleValidity)
		if err != nil {
			t.Fatal(err)
		}
		if doc := document(t, sig.Reveal()); !strings.Contains(doc, `"TLS.sig":"`+tt.sig+`"`) {
			t.Errorf("%s: %s", tt.identifier, doc)
		}
	}
}

func TestUserSig_isWhatTencentsLibraryGives(t *testing.T) {
	sig, err := desk.UserSig(sampleIdentity, sampleTime, sampleValidity)
	if err != nil {
		t.Fatal(err)
	}
	if ours, theirs := document(t, sig.Reveal()), document(t, stored); ours != theirs {
		t.Errorf("got %s, want %s", ours, theirs)
	}
}

// document is what is in a signature.
func document(t *testing.T, sig string) string {
	t.Helper()
	packed, err := base64.StdEncoding.DecodeString(strings.NewReplacer("*", "+", "-", "/", "_", "=").Replace(sig))
	if err != nil {
		t.Fatal(err)
	}
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

// resign signs again with the times of a signature, which gives the same one if
// it was made for that identity.
func resign(t *testing.T, id desk.Identity, sig string) (issued time.Time, again desk.Secret) {
	t.Helper()
	var doc struct {
		Time   int64 `json:"TLS.time"`
		Expire int64 `json:"TLS.expire"`
	}
	if err := json.Unmarshal([]byte(document(t, sig)), &doc); err != nil {
		t.Fatal(err)
	}
	issued = time.Unix(doc.Time, 0)
	again, err := desk.UserSig(id, issued, time.Duration(doc.Expire)*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return issued, again
}

func TestUserSig_whatCannotBeSigned_isRefused(t *testing.T) {
	tests := map[string]func(*desk.Identity, *time.Time, *time.Duration){
		"no app":          func(id *desk.Identity, _ *time.Time, _ *time.Duration) { id.SDKAppID = 0 },
		"no key":          func(id *desk.Identity, _ *time.Time, _ *time.Duration) { id.Key = "" },
		"no identifier":   func(id *desk.Identity, _ *time.Time, _ *time.Duration) { id.Identifier = "" },
		"long identifier": func(id *desk.Identity, _ *time.Time, _ *time.Duration) { id.Identifier = strings.Repeat("a", 33) },
		"odd identifier":  func(id *desk.Identity, _ *time.Time, _ *time.Duration) { id.Identifier = "a\nb" },
		"no validity":     func(_ *desk.Identity, _ *time.Time, d *time.Duration) { *d = 0 },
		"before 1970":     func(_ *desk.Identity, at *time.Time, _ *time.Duration) { *at = time.Unix(-1, 0) },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			id, at, validity := sampleIdentity, sampleTime, sampleValidity
			spoil(&id, &at, &validity)
			if sig, err := desk.UserSig(id, at, validity); err == nil || sig != "" {
				t.Errorf("signed")
			}
		})
	}
}

func TestSigner_renewsAtHalfLife(t *testing.T) {
	now := sampleTime
	s, err := desk.NewSigner(sampleIdentity, 48*time.Hour, func() time.Time { return now })
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
	s, err := desk.NewSigner(sampleIdentity, 48*time.Hour, func() time.Time { return sampleTime })
	if err != nil {
		t.Fatal(err)
	}
	refused := s.Signature()
	var wg sync.WaitGroup
	got := make([]desk.Secret, 20)
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
	if _, want := resign(t, sampleIdentity, got[0].Reveal()); got[0] != want {
		t.Error("the new signature is wrong")
	}
}

func TestSigner_shortValidity_isRefused(t *testing.T) {
	if _, err := desk.NewSigner(sampleIdentity, 23*time.Hour, nil); err == nil {
		t.Error("accepted")
	}
}

func TestSigner_cachedSignature_allocatesNothing(t *testing.T) {
	s, err := desk.NewSigner(sampleIdentity, 48*time.Hour, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { s.Signature() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzUserSig(f *testing.F) {
	f.Add("administrator", "key", int64(1700000000), int64(86400))
	f.Fuzz(func(t *testing.T, identifier, key string, at, seconds int64) {
		if seconds > 1<<31 {
			return
		}
		id := desk.Identity{SDKAppID: 1, Identifier: identifier, Key: desk.Secret(key)}
		sig, err := desk.UserSig(id, time.Unix(at, 0), time.Duration(seconds)*time.Second)
		if err != nil {
			return
		}
		if issued, again := resign(t, id, sig.Reveal()); again != sig || issued.Unix() != at {
			t.Errorf("the signature of %d says it is of %d", at, issued.Unix())
		}
		if strings.Trim(sig.Reveal(), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-_") != "" {
			t.Errorf("%q is not safe in a query", sig.Reveal())
		}
	})
}

func BenchmarkUserSig(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, _ = desk.UserSig(sampleIdentity, sampleTime, sampleValidity)
	}
}
