// Package accounts lets people in, and out again.
//
// It promises: there is no password but the one that its owner chose, with a
// one-time code that an administrator gave out and that works once, for three
// days. A session opens no key: whoever steals its cookie reads what its owner
// may read, and signs nothing. Cookies, codes and passwords are stored as digests
// only. What a session may do is asked anew at every request, so it ends at once
// with its person, with its password, or when its owner or an administrator ends
// it.
//
// Wrong passwords slow down whoever sends them: the same name from the same
// network, except in a browser that this person has signed in with before, which
// is counted by itself. No number of guesses at one name, or from one network,
// keeps another person out, nor the same person at the usual browser. Whether a
// name exists shows neither in the answer nor in its time.
//
// A passkey (W3C Web Authentication) lets in like a password and opens no key either.
// Its device must have recognised its owner; an answer is good once, for five
// minutes, in the session that asked for it. To add one takes the password, so that
// a stolen session cannot make itself at home; a new one-time code drops them all.
//
// An Accounts is safe for concurrent use, also by several processes on one
// database; wrong passwords are remembered by each process alone.
package accounts
