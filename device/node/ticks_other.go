//go:build !linux

package node

// synced is not known on a developer's machine; the wall clock then only tunes
// within what an answer leaves in doubt.
func synced() bool { return false }
