// Package notify tells people what they ought to know while they look at no
// screen: by e-mail, webhook, or a command such as an SMS modem.
//
// It promises: what a subscription asks for and its person may see is told, its
// coming and its end, each once, grouped by cause: fifteen loudspeakers behind
// one dead line are one sentence. A message is in the database before anything
// is sent and stays there, with what came of it, so that neither a crash nor a
// dead mail server loses one. What was taken by a mail server just before a
// crash is sent again under the same Message-ID: told twice is better than not
// at all. Nobody gets more than some messages an hour, and in quiet hours none
// but the urgent ones: an emergency that waits for approval is always urgent.
//
// Notices are computed from what is true now, never gathered from events, so
// that nothing is missed while the controller was down.
package notify
