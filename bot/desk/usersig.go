package desk

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/adler32"
	"strconv"
	"strings"
	"time"

	"escalator/rules/lang"
)

const (
	maxIdentifier = 32      // bytes, by Tencent's library
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
		return lang.Errorf("the SDKAppID is missing")
	case id.Key == "":
		return lang.Errorf("the secret key is missing")
	case id.Identifier == "":
		return lang.Errorf("the identifier is missing")
	case len(id.Identifier) > maxIdentifier:
		return lang.Errorf("the identifier is longer than 32 bytes")
	}
	for i := range len(id.Identifier) {
		if !isWordByte(id.Identifier[i]) {
			return lang.Errorf("the identifier may hold letters, digits, _ and - only")
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
var toSig = strings.NewReplacer("+", "*", "/", "-", "=", "_")

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
