// Package feedback keeps what people report of loudspeakers: too loud, not heard,
// broken, or something else; and what was done about it.
//
// It promises that what somebody reported is never changed or forgotten, and that
// it stays open until a person answered it by name. How loud a node was set before
// and after comes from its signed place, never from what anybody says. Two people
// who work on one entry are told of each other: the second gets both versions.
//
// Strangers may report, too. They are slowed down by their network, and only so
// many a day are taken in an area and in all, so that nobody can fill the register;
// what they sent twice is kept once. What staff write down is bounded by none of
// this.
package feedback
