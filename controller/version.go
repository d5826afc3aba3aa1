package main

import "runtime/debug"

// version names the program by the revision that it was built from: all programs
// of one build say the same.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	v := set["vcs.revision"]
	if len(v) > 12 {
		v = v[:12]
	}
	switch {
	case v == "" && info.Main.Version == "(devel)":
		return "dev"
	case v == "":
		return info.Main.Version
	case set["vcs.modified"] == "true":
		return v + "+"
	}
	return v
}
