// Package power knows what feeds the board, and for whom it suffices.
//
// It promises that what is kept for a class is spent on no lower one: on battery
// normal items stop at a first level, priority items at a second, and what
// carries the reserved soundings of emergencies is left for them. A level is
// reached at once and left only well above it, so nothing flaps. A voltage that
// the amplifier does not survive switches it off, whoever is speaking; a sensor
// that cannot be read is a fault and silences nobody.
//
// How: a Gauge reads the sensors of the board's profile again and again, feeds a
// model of the battery (battery.go) and tells what changed. It decides nothing
// about announcements: that is the plan's.
package power
