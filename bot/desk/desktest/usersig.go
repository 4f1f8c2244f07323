package desktest

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"escalator/bot/desk"
)

// maxSigJSON bounds a signature's JSON, which is some 180 bytes: it stops
// inflate bombs.
const maxSigJSON = 4096

// badSig says what is wrong with a UserSig.
type badSig struct {
	code   int // Tencent's
	reason string
}

var (
	errSigExpired    = &badSig{70001, "expired"}
	errSigEmpty      = &badSig{70002, "empty"}
	errSigMalformed  = &badSig{70003, "malformed"}
	errSigKey        = &badSig{70009, "made with another key"}
	errSigIdentifier = &badSig{70013, "made for another identifier"}
	errSigApp        = &badSig{70014, "made for another SDKAppID"}
)

// verifyUserSig checks a signature for an identity and returns nil or what
// Tencent answers in that case. A signature is right when the product makes the
// same one; that the product's are right is shown beside it, by Tencent's own.
func verifyUserSig(sig string, id desk.Identity, now time.Time) *badSig {
	if sig == "" {
		return errSigEmpty
	}
	doc, err := openSig(sig)
	if err != nil || doc.Version != "2.0" || doc.Expire > maxSigValidity {
		return errSigMalformed
	}
	_, err = base64.StdEncoding.DecodeString(doc.Sig)
	switch {
	case err != nil:
		return errSigMalformed
	case doc.SDKAppID != id.SDKAppID:
		return errSigApp
	case doc.Identifier != id.Identifier:
		return errSigIdentifier
	}
	issued, validity := time.Unix(doc.Time, 0), time.Duration(doc.Expire)*time.Second
	ours, err := desk.UserSig(id, issued, validity)
	if err != nil {
		return errSigMalformed
	}
	want, err := openSig(ours.Reveal())
	switch {
	case err != nil || doc.Sig != want.Sig:
		return errSigKey
	case now.Unix() > doc.Time+doc.Expire:
		return errSigExpired
	}
	return nil
}

// maxSigValidity is in seconds, some 68 years; it keeps durations from
// overflowing.
const maxSigValidity = 1 << 31

// sigDoc is the document in a signature.
type sigDoc struct {
	Version    string `json:"TLS.ver"`
	Identifier string `json:"TLS.identifier"`
	SDKAppID   uint64 `json:"TLS.sdkappid"`
	Expire     int64  `json:"TLS.expire"`
	Time       int64  `json:"TLS.time"`
	Sig        string `json:"TLS.sig"`
}

// Tencent's alphabet is not RFC 4648's URL-safe one.
var fromSig = strings.NewReplacer("*", "+", "-", "/", "_", "=")

func openSig(sig string) (doc sigDoc, err error) {
	packed, err := base64.StdEncoding.DecodeString(fromSig.Replace(sig))
	if err != nil {
		return doc, err
	}
	data, err := inflate(packed)
	if err != nil {
		return doc, err
	}
	return doc, json.Unmarshal(data, &doc)
}

func inflate(packed []byte) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, maxSigJSON+1))
	if err == nil && len(data) > maxSigJSON {
		err = errors.New("too long")
	}
	return data, err
}
