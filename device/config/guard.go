package config

// Guard says where the relay's guard listens.
type Guard struct {
	// Socket is its unix socket.
	Socket string `toml:"socket"`
}

func defaultGuard() Guard { return Guard{Socket: "/run/loaxa/guard.sock"} }
