package main

import (
	"runtime/debug"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// version names the program by the revision that it was built from: all programs
// of one build say the same.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := setting(info, "vcs.revision")
	if len(v) > 12 {
		v = v[:12]
	}
	switch {
	case v == "" && info.Main.Version == "(devel)":
		return "dev"
	case v == "":
		return info.Main.Version
	case setting(info, "vcs.modified") == "true":
		return v + "+"
	}
	return v
}

// built is the date of the source that the program was made of: no clock that
// shows an earlier one is right.
func built() broadcast.Instant {
	first := broadcast.InstantOf(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return first
	}
	if at, err := time.Parse(time.RFC3339, setting(info, "vcs.time")); err == nil {
		return max(first, broadcast.InstantOf(at))
	}
	return first
}

func setting(info *debug.BuildInfo, key string) string {
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}
