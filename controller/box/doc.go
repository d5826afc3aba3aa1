// Package box runs programs of others on the bytes of strangers.
//
// It promises of every child: it starts in an empty folder of its own that is
// removed afterwards, writes no file, opens few, has no network where the kernel
// allows that, dumps no core, runs behind everything else, and ends, with all
// that it started, when its time, its processor time or its memory is used up,
// when its reader has enough, when its context ends or when this process does.
// What it says on standard error is counted and its end kept, and is never
// believed. No shell ever sees an argument or a byte of the input as its own text.
//
// The bounds are set by a shell before the program exists, so there is no moment
// without them.
package box
