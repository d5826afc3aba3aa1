// Package seal decides whether sealed documents may be believed.
//
// It promises: a document is opened only as the one kind that the caller asked
// for; only if its bytes have a single reading; only if every signature on it
// is valid and made by a different person with a different key; and only if
// each of those people had, at the moment of issue, the right to the area,
// class and act. One bad signature voids the whole envelope. Certificates are
// looked up among those that the holder already has and never fetched.
//
// Envelopes are JWS (RFC 7515) in general JSON serialisation with Ed25519
// (RFC 8037), read by a strict parser of our own: general-purpose libraries
// accept unprotected headers and "any one of the signatures".
//
// Nothing here reads a clock. Validity is judged at the document's own moment
// of issue; whether that moment is believable is asked with Floors.Admit.
package seal
