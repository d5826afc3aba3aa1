// Package api is the controller's HTTP interface: what people, programs and
// nodes may ask, and nothing else.
//
// It promises: every route stands in one table with the permission that it
// needs, a route outside of the table does not exist, and one without a public
// row answers nobody who shows no credential. What a person may do is decided by
// people.Authorise alone; that an area is theirs is decided there too, by the
// desk. A create with an Idempotency-Key is done once, also across a restart.
// Errors are problem documents (RFC 9457) with a stable code and a sentence in
// English and Vietnamese that says what to do next. Bodies, uploads, watchers
// and pages are bounded; uploads are streamed and never held in memory.
//
// The contract is openapi.json beside this file, generated from these types; a
// test fails when the two differ (go test -run TestOpenAPI -update renews it).
package api
