package desktest

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"escalator/bot/desk"
)

const (
	sampleKey = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"
	stored    = "eAEAsgBN-3siVExTLnZlciI6IjIuMCIsIlRMUy5pZGVudGlmaWVyIjoiYWRtaW5pc3RyYXRvciIsIlRMUy5zZGthcHBpZCI6MTQwMDAwMDAwMCwiVExTLmV4cGlyZSI6MTU1NTIwMDAsIlRMUy50aW1lIjoxNzAwMDAwMDAwLCJUTFMuc2lnIjoiSkN6eGFuRjhOVFRYYXU0bSsyaDl3djdnWUpueU5rc20weG0xTkVYVTI3ND0ifQoBAAD--4MfNLE_"
	deflated  = "eJyqVgrxCdZLrSjILEpVsjI0NTU1MjAw0AGLZqak5pVkpmWmFilZKSWm5GbmZRaXFCWW5BcpQRQUp2QnFhRkpihZGZoYQAFUJjNdyUrJy7mqIjHPzcIvJCQisdQkV9sow7K8zDw90iuv0i*7ONegItfQzzUi1MjcxBZqZElmLsgd5qjGlYGdYKRnoFQLCAAA---zEjSn"
)

var (
	sampleTime     = time.Unix(1700000000, 0)
	sampleIdentity = desk.Identity{SDKAppID: 1400000000, Identifier: "administrator", Key: sampleKey}
)

const sampleValidity = 15552000 * time.Second

var toSig = strings.NewReplacer("+", "*", "/", "-", "=", "_")

// pack is the usual encoding of any document, for signatures that are wrong.
func pack(doc string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write([]byte(doc))
	_ = w.Close()
	return toSig.Replace(base64.StdEncoding.EncodeToString(b.Bytes()))
}

func TestVerifyUserSig_tellsWhatIsWrong(t *testing.T) {
	other := func(change func(*desk.Identity)) desk.Identity {
		id := sampleIdentity
		change(&id)
		return id
	}
	last := sampleTime.Add(sampleValidity)
	tests := []struct {
		name, sig string
		id        desk.Identity
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
		{"other key", stored, other(func(id *desk.Identity) { id.Key = "another" }), sampleTime, 70009},
		{"other identifier", stored, other(func(id *desk.Identity) { id.Identifier = "xiaojun" }), sampleTime, 70013},
		{"other app", stored, other(func(id *desk.Identity) { id.SDKAppID++ }), sampleTime, 70014},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := 0
			if bad := verifyUserSig(tt.sig, tt.id, tt.now); bad != nil {
				got = bad.code
			}
			if got != tt.want {
				t.Errorf("code %d, want %d", got, tt.want)
			}
		})
	}
}

func FuzzVerifyUserSig(f *testing.F) {
	f.Add(stored)
	f.Add(deflated)
	f.Add(pack(`{"TLS.ver":"2.0","TLS.identifier":"administrator","TLS.sdkappid":1400000000,"TLS.time":0,"TLS.expire":1,"TLS.sig":""}`))
	want, _ := openSig(stored)
	f.Fuzz(func(t *testing.T, sig string) {
		if verifyUserSig(sig, sampleIdentity, sampleTime) != nil {
			return
		}
		if doc, _ := openSig(sig); doc.Sig != want.Sig {
			t.Errorf("accepted %q", sig)
		}
	})
}
