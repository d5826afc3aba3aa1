package desk

import (
	"context"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
)

// ResignTemplate has what stands signed anew, word by word: by one person now, and
// by others until it has as many as it takes. What stands goes on until then. A
// draft of other words is refused: it is signed or given up first.
func (d *Desk) ResignTemplate(ctx context.Context, by people.Person, cred people.Credential, id broadcast.ID) (Template, error) {
	was, err := d.Template(ctx, id)
	if err != nil {
		return was, err
	}
	if was.Standing == nil || was.Withdrawn != 0 {
		return was, refuse(NoTemplate, "", string(id))
	}
	next := *was.Standing
	// Signatures go with a name of their words; a millisecond less gives the same
	// words another one, and allows nobody more than before.
	next.Revision, next.Expires = 0, next.Expires.Add(-time.Millisecond)
	digest, err := next.Digest()
	if err != nil {
		return was, err
	}
	if was.Draft != nil && was.Digest != digest {
		return was, refuse(OtherDraft, "", string(id), string(was.Author))
	}
	if err := d.cfg.Rights.Authorise(by, people.AnnouncementApprove, next.Areas...); err != nil {
		return was, err
	}
	if err := d.mayReplace(ctx, was); err != nil { // or a draft would lie there that nobody can sign yet
		return was, err
	}
	if was.Draft == nil {
		if _, err := d.keepTemplate(ctx, by, was.Version, next); err != nil {
			return was, err
		}
	}
	return d.SignTemplate(ctx, by, cred, id, digest)
}

// ResignPolicy has what stands signed anew, word by word, by one person now and by
// a second one; what stands goes on until then. A draft of another policy is
// refused: it is signed or given up first.
func (d *Desk) ResignPolicy(ctx context.Context, by people.Person, cred people.Credential, area broadcast.ID) (Regulation, error) {
	was, err := d.Regulation(ctx, area)
	if err != nil {
		return was, err
	}
	if was.Standing == nil {
		return was, refuse(NoPolicy, "", "", string(area))
	}
	if was.Draft != nil && len(was.Changes) > 0 {
		return was, refuse(OtherDraft, "", string(area), string(was.Author))
	}
	if was.Draft == nil {
		if was, err = d.ProposePolicy(ctx, by, was.Version, *was.Standing); err != nil {
			return was, err
		}
	}
	return d.SignPolicy(ctx, by, cred, area, was.Digest)
}
