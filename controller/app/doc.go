// Package app puts the controller together and keeps it running.
//
// It promises an order: the database is open and the house is believed before
// anything listens; the broker is ready before nodes are told of it; and when
// one part fails, all end, because half a controller would promise what it
// cannot keep. After any end, whatever was accepted is in the database and
// nothing else is needed to go on.
package app
