package seal

import "github.com/loaxa/loaxa/broadcast"

// Claim is what a document asks its signers' rights for.
type Claim struct {
	ID       broadcast.ID
	Revision broadcast.Revision
	// Class is empty for documents that concern no class.
	Class broadcast.Class
	// Classes has every class that the document touches.
	Classes []broadcast.Class
	// Areas is empty for documents that concern a node or the whole service.
	Areas  []broadcast.ID
	Reason string
	// Activates names the template that stands in for a second officer.
	Activates *broadcast.TemplateRef
}

// ClaimOf returns the claim of a decoded document, and false for values that
// are no sealed document of officers or services.
func ClaimOf(doc any) (Claim, bool) {
	switch d := doc.(type) {
	case broadcast.Announcement:
		return Claim{ID: d.ID, Revision: d.Revision, Class: d.Class, Classes: []broadcast.Class{d.Class}, Areas: d.Areas,
			Reason: d.Reason, Activates: d.Template}, true
	case broadcast.Template:
		return Claim{ID: d.ID, Revision: d.Revision, Class: d.Class, Classes: []broadcast.Class{d.Class}, Areas: d.Areas}, true
	case broadcast.Withdrawal:
		return Claim{ID: d.ID, Revision: d.Revision, Class: d.Class, Classes: []broadcast.Class{d.Class}, Areas: d.Areas, Reason: d.Reason}, true
	case broadcast.Silence:
		return Claim{ID: d.ID, Revision: d.Revision, Classes: d.Classes, Areas: d.Areas, Reason: d.Reason}, true
	case broadcast.Policy:
		return Claim{ID: d.Area, Revision: d.Revision, Areas: []broadcast.ID{d.Area}}, true
	case broadcast.Placement:
		return Claim{ID: d.ID, Revision: d.Revision, Areas: d.Areas}, true
	case broadcast.Slot:
		return Claim{ID: d.ID, Revision: d.Revision, Areas: d.Areas}, true
	case broadcast.Assignment:
		return Claim{ID: d.Node, Revision: d.Revision, Areas: []broadcast.ID{d.Chain[len(d.Chain)-1].Area}}, true
	case broadcast.Command:
		return Claim{ID: d.ID, Revision: d.Revision}, true
	case broadcast.Manifest:
		return Claim{ID: d.Area, Revision: d.Revision, Areas: []broadcast.ID{d.Area}}, true
	case broadcast.Authority:
		return Claim{ID: d.Area, Revision: d.Revision, Areas: []broadcast.ID{d.Area}}, true
	case broadcast.TimeAnswer:
		return Claim{ID: d.Node, Revision: broadcast.Revision(d.At)}, true
	case broadcast.ReceiptAck:
		return Claim{ID: d.Node, Revision: broadcast.Revision(d.At)}, true
	case broadcast.Session:
		return Claim{ID: d.Station, Revision: broadcast.Revision(d.At)}, true
	case broadcast.Rebase:
		return Claim{ID: d.Node, Revision: d.Revision}, true
	}
	return Claim{}, false
}
