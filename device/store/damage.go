package store

import "fmt"

// Damage is something the card lost or spoiled, found by a Journal.
type Damage struct {
	// File is the base name of the segment, of the first one for what is Unread.
	File string
	// From and To are the first and last sequence number that cannot be read
	// any more; both are 0 for a Torn tail, where nobody was told that
	// anything was kept, unless a rotten last record looks the same.
	From, To uint64
	// Torn says that the last bytes of the journal were an unfinished write,
	// as a power cut leaves it. It is expected after a cut and a fault otherwise.
	Torn bool
	// Unread says that the card gave no answer: From to To are the numbers that
	// may be there. Nothing of it is given up, and the next opening reads again.
	Unread bool
	// Bytes is how much of the file holds nothing readable.
	Bytes int64
}

// String says it in one line for the log.
func (d Damage) String() string {
	if d.Torn {
		return fmt.Sprintf("%s: unfinished write of %d bytes set aside", d.File, d.Bytes)
	}
	if d.Unread {
		return fmt.Sprintf("%s: the card does not give records %d to %d, they are kept for the next reading", d.File, d.From, d.To)
	}
	return fmt.Sprintf("%s: records %d to %d cannot be read", d.File, d.From, d.To)
}

// maxDamage bounds the list a Journal keeps; a card that bad needs replacing,
// not a longer list.
const maxDamage = 64
