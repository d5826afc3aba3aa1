// Package plan says, for one node and one stretch of time, what will sound and,
// for everything that will not, why.
//
// It promises one answer to one question: Compute is a pure function, the order
// in which documents are handed in changes nothing, and equal plans have equal
// digests. The node, the preview in the console and the reports all call it, so
// nobody is promised what another part would refuse. Every occurrence that falls
// into the window has exactly one entry with exactly one verdict. No two
// soundings overlap, nothing begins after its deadline, no normal or priority
// item touches quiet hours or exceeds a day's minutes, and an emergency yields
// only to a withdrawal, a valid silence, its window and the board's own limits.
//
// How: every document becomes a bulletin that the standing rules judge once
// (rules.go). Its occurrences are laid out in time (occurrences.go,
// recurrence.go), matched with what the journal tells of the past (past.go) and
// judged at their moment. What remains queues for the one amplifier
// (arrange.go): the highest class first, and only a higher class cuts a sounding.
// Milliseconds are the unit of everything that is not a time.Duration.
package plan
