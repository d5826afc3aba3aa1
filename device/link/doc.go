// Package link is the node's way to its controllers: MQTT for what is told, HTTP
// for what is fetched.
//
// The promise: the other side is lossy and hostile, and nothing it sends or
// withholds can crash the node, fill its memory, hold it up, or make it believe
// that something was delivered. A Link comes back by itself, after at most a
// minute of silence each time, and tries one broker after the other. A Fetcher
// hands out only bytes whose SHA-256 is the one asked for, resumes what was
// interrupted, and lets an urgent fetch go first: that one waits for no connection
// that has fallen silent. Nothing here proves anything: an acknowledgement is a
// sealed document, never a broker's word.
//
// A Link wraps the Eclipse Paho client, which has one connection's life: every
// connection gets a new client, a new random id and a guard in front of it that
// reads each packet before Paho does. All callbacks come from one goroutine.
package link
