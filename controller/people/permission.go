package people

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
)

// Permission is something that the controller does for some roles only.
type Permission string

// The permissions.
const (
	AreaRead             Permission = "area.read"
	ContentUpload        Permission = "content.upload"
	AnnouncementRead     Permission = "announcement.read"
	AnnouncementWrite    Permission = "announcement.write"
	AnnouncementApprove  Permission = "announcement.approve"
	AnnouncementWithdraw Permission = "announcement.withdraw"
	PolicyWrite          Permission = "policy.write"
	DeliveryRead         Permission = "delivery.read"
	PlanRead             Permission = "plan.read"
	NodeRead             Permission = "node.read"
	NodeEnrol            Permission = "node.enrol"
	NodeConfirm          Permission = "node.confirm"
	NodeCommand          Permission = "node.command"
	NodeCarry            Permission = "node.carry"
	EventsRead           Permission = "events.read"
	PersonManage         Permission = "person.manage"
	AuditRead            Permission = "audit.read"
	FeedbackWrite        Permission = "feedback.write"
	AreaManage           Permission = "area.manage"
	HouseRestore         Permission = "house.restore"
)

// Permissions returns every permission.
func Permissions() []Permission {
	return []Permission{AreaRead, ContentUpload, AnnouncementRead, AnnouncementWrite, AnnouncementApprove, AnnouncementWithdraw, PolicyWrite,
		DeliveryRead, PlanRead, NodeRead, NodeEnrol, NodeConfirm, NodeCommand, NodeCarry, EventsRead, PersonManage, AuditRead, FeedbackWrite, AreaManage, HouseRestore}
}

// ErrForbidden means that somebody known asked for what is not theirs.
var ErrForbidden = errors.New("not allowed")

// Authorise says whether a person may do something in every one of the areas,
// as the organisation tree is now. Without areas only the role is asked. The
// error wraps ErrForbidden and says who could do it.
func (o *Office) Authorise(p Person, need Permission, areas ...broadcast.ID) error {
	if p.Left != 0 {
		return fmt.Errorf("%w: %s left on %s", ErrForbidden, p.ID, p.Left)
	}
	if !slices.Contains(p.Role.Permissions(), need) {
		return fmt.Errorf("%w: %s is %s and has no %s; roles that have it: %s", ErrForbidden, p.ID, p.Role, need, strings.Join(rolesWith(need), ", "))
	}
	now := broadcast.InstantOf(o.now())
	for _, area := range areas {
		if _, known := o.tree().Find(area); !known {
			return fmt.Errorf("%w: area %q is not in the organisation tree", ErrForbidden, string(area))
		}
		if !p.covers(area, o.placesAt(now)) {
			return fmt.Errorf("%w: %s acts in %s and below, not in %s", ErrForbidden, p.ID, joined(p.Areas), area)
		}
	}
	return nil
}

// rolesWith names the roles that have a permission.
func rolesWith(need Permission) []string {
	var out []string
	for _, r := range roleTable() {
		if slices.Contains(r.may, need) {
			out = append(out, string(r.role))
		}
	}
	return out
}

func joined(ids []broadcast.ID) string {
	var out []string
	for _, id := range ids {
		out = append(out, string(id))
	}
	return strings.Join(out, ", ")
}
