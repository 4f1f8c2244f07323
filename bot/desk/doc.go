// Package desk speaks Tencent Cloud Desk's protocol: it decodes callbacks,
// verifies their signature, signs and makes REST calls, and knows what every
// error code means. PROTOCOL.md is what it follows.
//
// What always holds:
//
//   - No input makes it panic, hang or use memory out of proportion: depth and
//     form are checked before a body is read, and what a peer answers is bounded.
//   - A body is read once and not copied. The short strings of an Event are its
//     own; Text, CloudCustomData and what Field returns may alias the body.
//   - Decode is lenient about everything that Tencent's pages leave open, and
//     strict about nothing but JSON.
//   - The key and signatures never show in an error or a printed value (Secret).
//   - What an answer leaves out is unknown (nil, absent), never 0.
//   - Client never repeats a call that a host may have acted on. Error.Verdict
//     says what the caller has to do; the code table says why.
//
// The package knows nothing of rules, conversations and storage, and logs
// nothing. Its entry points are Decode, Verifier and Client; the emulator to
// test against is package desktest.
package desk
