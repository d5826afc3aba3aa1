package node

import (
	"errors"
	"io/fs"
	"slices"
	"syscall"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// askCardAgain is how long a card is left alone that does not give a recording.
const askCardAgain = 5 * time.Second

// unanswered are the soundings that wait for their card. An error of the card
// is no verdict on the bytes, so it costs no attempt: the card is asked again
// while the window is open, or the sounding not too late.
type unanswered map[occurrence]broadcast.Instant

func (u *unanswered) rest(o occurrence, now broadcast.Instant) {
	if *u == nil {
		*u = unanswered{}
	}
	(*u)[o] = now.Add(askCardAgain)
}

// unanswer has a sounding wait for its card before anything of it was heard.
func (n *Node) unanswer(r *run, err error) {
	n.card(partContents, err)
	n.stage.unanswered.rest(r.name, n.now())
	n.recheck(r.name.document)
}

// over forgets those that waited long enough, and says whether there are any.
func (u unanswered) over(now broadcast.Instant) (some bool) {
	for o, until := range u {
		if until <= now {
			delete(u, o)
			some = true
		}
	}
	return some
}

func (u unanswered) rests(o occurrence, now broadcast.Instant) bool { return u[o] > now }

// next is when the next of them is asked for again, 0 if none waits.
func (u unanswered) next(now broadcast.Instant) (at broadcast.Instant) {
	for _, until := range u {
		if until > now {
			at = earlier(at, until)
		}
	}
	return at
}

// unanswers says that an error is one of a card that gives no bytes.
func unanswers(err error) bool {
	return slices.ContainsFunc([]error{syscall.EIO, syscall.ENODEV, syscall.ENXIO, syscall.ESTALE, fs.ErrNotExist},
		func(e error) bool { return errors.Is(err, e) })
}
