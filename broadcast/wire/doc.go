// Package wire is what travels between controller and nodes: the topics of
// MQTT 3.1.1 with the message that each carries, and the bodies of enrolment.
//
// It promises that a message has one encoding on the way out and is bounded on
// the way in. Sealed documents are opened by package seal and by nothing else.
// Presence, state, health and the controller's state are hints: unknown fields
// in them are ignored, so that old and new programs talk, and nothing sounds
// because of them.
package wire
