package stick

import (
	"context"
	"errors"
	"io"

	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/device/node"
)

// Taken counts what became of the entries of a pack.
type Taken struct {
	// Documents are held now, or were held before; Waiting cannot be judged yet.
	Documents int `json:"documents"`
	Waiting   int `json:"waiting"`
	// Recordings and running orders were stored; Unneeded are on board already,
	// or named by nothing that the node believes.
	Recordings int `json:"recordings"`
	Unneeded   int `json:"unneeded"`
	// Refused is what was not believed, or could not be stored.
	Refused int `json:"refused"`
}

// maxRefused bounds what a pack can make the node judge in vain.
const maxRefused = 2000

// errLies ends a pack of which nothing is believed.
var errLies = errors.New("too much of it is not believed")

// Hand gives one document to a node and counts what became of it. Its error is
// why the node refused it.
func (t *Taken) Hand(ctx context.Context, n Node, raw []byte) error {
	err := n.Offer(ctx, raw)
	switch {
	case err == nil:
		t.Documents++
	case errors.Is(err, node.ErrWaits):
		t.Waiting++
		return nil
	default:
		t.Refused++
	}
	return err
}

// Unpack hands everything in a pack to a node. refused is told of what was not
// taken, and why. An error ends the pack: what came before stays taken.
func Unpack(ctx context.Context, n Node, file *io.SectionReader, refused func(what string, err error)) (t Taken, err error) {
	r := pack.NewReader(file)
	for {
		e, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return t, nil
		case err != nil:
			return t, err
		case t.Refused > maxRefused:
			return t, errLies
		case e.Sort == pack.Document:
			var raw []byte
			if raw, err = io.ReadAll(r); err != nil {
				return t, err
			}
			err = t.Hand(ctx, n, raw)
		default:
			err = t.store(ctx, n, file, e)
		}
		if err != nil {
			refused(string(e.Sort)+" "+e.Sum.Short(), err)
		}
		if err := ctx.Err(); err != nil {
			return t, err
		}
	}
}

// store hands over what a document names. The archive's reader stands at its
// first byte and finds its own way on from there.
func (t *Taken) store(ctx context.Context, n Node, file *io.SectionReader, e pack.Entry) error {
	at, err := file.Seek(0, io.SeekCurrent)
	if err == nil {
		err = n.Take(ctx, e.Sum, e.Size, io.NewSectionReader(file, at, e.Size))
	}
	switch {
	case err == nil:
		t.Recordings++
	case errors.Is(err, node.ErrUnwanted):
		t.Unneeded++
		return nil
	default:
		t.Refused++
	}
	return err
}
