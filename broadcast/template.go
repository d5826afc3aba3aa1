package broadcast

import (
	"errors"
	"fmt"
	"time"
)

// Template is a standing order (mẫu trực sẵn) approved in advance by two
// officers: content and limits, no time. One officer activates it in his own area, or
// whoever has the key to a node's box fires it there, if the two allowed that.
type Template struct {
	ID       ID        `json:"id"`
	Revision Revision  `json:"revision"`
	Class    Class     `json:"class"`
	Title    string    `json:"title"`
	Areas    []ID      `json:"areas"`
	Versions []Version `json:"versions"`
	// Expires is the last moment at which it may be activated.
	Expires Instant `json:"expires"`
	// Local says which key switches may fire it on the spot; nil for none.
	Local *OnSite `json:"local,omitempty"`
}

// TemplateRef names the template that an announcement activates.
type TemplateRef struct {
	ID       ID       `json:"id"`
	Revision Revision `json:"revision"`
}

// MaxTemplateLife is how long after its issue a template may be activated.
const MaxTemplateLife = 400 * 24 * time.Hour

// Validate says whether the template is complete and inside every limit.
func (t Template) Validate() error {
	a := Announcement{ID: t.ID, Revision: t.Revision, Class: t.Class, Title: t.Title, Areas: t.Areas,
		Versions: t.Versions, Timing: Timing{Mode: ModeStart, Start: 1}, Meta: Sum(nil)}
	if err := a.validate(); err != nil {
		return err
	}
	for _, v := range t.Versions {
		if v.Live != nil && !v.Spoken() {
			return errors.New("versions: a template holds recorded content, or what is spoken at the box")
		}
	}
	if a.Spoken() && len(t.Versions) > 1 {
		return errors.New("versions: what is spoken at the box is the only one")
	}
	if speech := t.Local != nil && t.Local.Speech != nil; a.Spoken() != speech {
		return errors.New("local: speech belongs to what is spoken at the box, and that needs it")
	}
	if t.Expires <= t.Revision.IssuedAt() || t.Expires.Sub(t.Revision.IssuedAt()) > MaxTemplateLife {
		return errors.New("expires: must lie after the issue and at most 400 days later")
	}
	return firstOf(check{"local", t.Local.validate()})
}

// Digest names what people sign: everything but the moment of issue, which the
// first signature sets.
func (t Template) Digest() (Digest, error) {
	t.Revision = 0
	b, err := Encode(t)
	if err != nil {
		return "", fmt.Errorf("digest of template %s: %w", t.ID, err)
	}
	return Sum(b), nil
}

func maybeRef(r *TemplateRef) error {
	if r == nil {
		return nil
	}
	return firstOf(check{"id", r.ID.Validate()}, check{"revision", r.Revision.Validate()})
}
