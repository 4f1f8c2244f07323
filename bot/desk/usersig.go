package desk

import (
	"bytes"
	"compress/zlib"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/adler32"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxIdentifier = 32      // bytes, by Tencent's library
	maxSigJSON    = 4096    // a signature's JSON is some 180 bytes; the bound stops inflate bombs
	maxSigTime    = 1 << 40 // seconds; keeps sums of times far from overflow
)

// Identity is who signs: one app, one admin account of it, and the app's key.
type Identity struct {
	SDKAppID   uint64
	Identifier string
	Key        Secret
}

// Check returns an error when the identity cannot sign anything valid.
func (id Identity) Check() error {
	switch {
	case id.SDKAppID == 0:
		return errors.New("the SDKAppID is missing")
	case id.Key == "":
		return errors.New("the secret key is missing")
	case id.Identifier == "":
		return errors.New("the identifier is missing")
	case len(id.Identifier) > maxIdentifier:
		return errors.New("the identifier is longer than 32 bytes")
	}
	for i := range len(id.Identifier) {
		if !isWordByte(id.Identifier[i]) {
			return errors.New("the identifier may hold letters, digits, _ and - only")
		}
	}
	return nil
}

// UserSig makes a signature that is valid from issued for the given time
// (whole seconds). It works out everything anew; a Signer caches.
func UserSig(id Identity, issued time.Time, validity time.Duration) (Secret, error) {
	if err := id.Check(); err != nil {
		return "", err
	}
	at, expire := issued.Unix(), int64(validity/time.Second)
	switch {
	case at < 0 || at > maxSigTime:
		return "", errors.New("the time of issue is out of range")
	case expire <= 0:
		return "", errors.New("the validity is shorter than a second")
	}
	// Nothing here needs escaping: the identifier's characters were checked.
	var b bytes.Buffer
	b.WriteString(`{"TLS.ver":"2.0","TLS.identifier":"`)
	b.WriteString(id.Identifier)
	b.WriteString(`","TLS.sdkappid":`)
	b.WriteString(strconv.FormatUint(id.SDKAppID, 10))
	b.WriteString(`,"TLS.expire":`)
	b.WriteString(strconv.FormatInt(expire, 10))
	b.WriteString(`,"TLS.time":`)
	b.WriteString(strconv.FormatInt(at, 10))
	b.WriteString(`,"TLS.sig":"`)
	mac := sigMAC(id, at, expire)
	b.WriteString(base64.StdEncoding.EncodeToString(mac))
	b.WriteString("\"}\n")
	return Secret(toSig.Replace(base64.StdEncoding.EncodeToString(store(b.Bytes())))), nil
}

// Tencent's alphabet is not RFC 4648's URL-safe one: '/' becomes '-' here.
var (
	toSig   = strings.NewReplacer("+", "*", "/", "-", "=", "_")
	fromSig = strings.NewReplacer("*", "+", "-", "/", "_", "=")
)

// sigMAC is the HMAC over the four lines. The key is the text that the console
// shows, not its hex decoded.
func sigMAC(id Identity, at, expire int64) []byte {
	var room [256]byte
	b := append(room[:0], "TLS.identifier:"...)
	b = append(b, id.Identifier...)
	b = append(b, "\nTLS.sdkappid:"...)
	b = strconv.AppendUint(b, id.SDKAppID, 10)
	b = append(b, "\nTLS.time:"...)
	b = strconv.AppendInt(b, at, 10)
	b = append(b, "\nTLS.expire:"...)
	b = strconv.AppendInt(b, expire, 10)
	b = append(b, '\n')
	mac := hmac.New(sha256.New, []byte(id.Key))
	mac.Write(b)
	return mac.Sum(nil)
}

// store wraps data in zlib as one stored block, as Tencent's library does by
// default. A zlib.Writer would cost 700 KB of garbage for these 200 bytes. The
// data must be shorter than 64 KiB.
func store(data []byte) []byte {
	n := uint16(len(data))
	b := make([]byte, 0, len(data)+11)
	b = append(b, 0x78, 0x01, 0x01) // zlib header; last block, stored
	b = binary.LittleEndian.AppendUint16(b, n)
	b = binary.LittleEndian.AppendUint16(b, ^n)
	b = append(b, data...)
	return binary.BigEndian.AppendUint32(b, adler32.Checksum(data))
}

// SigError says what is wrong with a UserSig.
type SigError struct {
	Code   int // Tencent's code: 70001, 70002, 70003, 70009, 70013 or 70014
	Reason string
}

func (e *SigError) Error() string { return "usersig: " + e.Reason }

var (
	errSigExpired    = &SigError{70001, "expired"}
	errSigEmpty      = &SigError{70002, "empty"}
	errSigMalformed  = &SigError{70003, "malformed"}
	errSigKey        = &SigError{70009, "made with another key"}
	errSigIdentifier = &SigError{70013, "made for another identifier"}
	errSigApp        = &SigError{70014, "made for another SDKAppID"}
)

// VerifyUserSig checks a signature for an identity and returns nil or a
// *SigError with the code that Tencent answers in that case. It is what the
// emulator asks; nothing in the service itself verifies a UserSig.
func VerifyUserSig(sig string, id Identity, now time.Time) error {
	if sig == "" {
		return errSigEmpty
	}
	doc, err := openSig(sig)
	if err != nil {
		return errSigMalformed
	}
	mac, err := base64.StdEncoding.DecodeString(doc.Sig)
	if err != nil || doc.Version != "2.0" || doc.Time < 0 || doc.Time > maxSigTime ||
		doc.Expire <= 0 || doc.Expire > maxSigTime {
		return errSigMalformed
	}
	claimed := Identity{SDKAppID: doc.SDKAppID, Identifier: doc.Identifier, Key: id.Key}
	switch {
	case doc.SDKAppID != id.SDKAppID:
		return errSigApp
	case doc.Identifier != id.Identifier:
		return errSigIdentifier
	case !hmac.Equal(mac, sigMAC(claimed, doc.Time, doc.Expire)):
		return errSigKey
	case now.Unix() > doc.Time+doc.Expire:
		return errSigExpired
	}
	return nil
}

type sigDoc struct {
	Version    string `json:"TLS.ver"`
	Identifier string `json:"TLS.identifier"`
	SDKAppID   uint64 `json:"TLS.sdkappid"`
	Expire     int64  `json:"TLS.expire"`
	Time       int64  `json:"TLS.time"`
	Sig        string `json:"TLS.sig"`
}

var inflaters = sync.Pool{}

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
	src := bytes.NewReader(packed)
	r, ok := inflaters.Get().(io.ReadCloser)
	var err error
	if ok {
		err = r.(zlib.Resetter).Reset(src, nil)
	} else {
		r, err = zlib.NewReader(src)
	}
	if err != nil {
		return nil, err
	}
	defer inflaters.Put(r)
	data, err := io.ReadAll(io.LimitReader(r, maxSigJSON+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSigJSON {
		return nil, errors.New("too long")
	}
	return data, nil
}
