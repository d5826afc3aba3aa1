// Package preview says what a node will sound, before it does.
//
// It promises to call the very function that the node calls, with what the node
// holds: the listed documents, opened as the node opens them, and the node's own
// receipts as its past. What the controller cannot know it assumes in the node's
// favour: contact until the end of the window, a proved clock, power. A node
// that never gave a receipt is planned without history, and the plan says so.
//
// A forecast does the same for one announcement, published or not, and every
// place in which nodes stand. It takes no longer than its caller waits, never
// fails, and says what it did not look at.
package preview
