// Package relay brings stations of others to the nodes that relay them.
//
// What always holds: only stations that the file relays.toml of the data folder
// names are fetched, over HTTP alone and, unless the file says so, from no private
// address, whatever a name or a redirect leads to; what they send meets only a
// boxed child that knows one container and no network; however many nodes listen,
// a station is fetched once, and only while somebody listens; every 100 ms of it
// are signed with a key that lives as long as the fetching does; and what is slow,
// silent or gone says so and holds nobody up. It never decides what sounds: nodes
// relay what officers signed, for as long as they signed.
//
// How: a pull (pull.go) is one station from its address through ffmpeg to signed
// blocks, of which the newest are kept (ring.go). Each listener gets a session,
// sealed with the service key, and then the blocks.
package relay
