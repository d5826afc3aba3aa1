package people

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// Role is what somebody does in the house.
type Role string

// The roles.
const (
	Administrator   Role = "administrator"    // quản trị
	Editor          Role = "editor"           // biên tập
	Approver        Role = "approver"         // duyệt
	CommuneOfficial Role = "commune-official" // cán bộ xã
	VillageHead     Role = "village-head"     // trưởng thôn
	Technician      Role = "technician"       // kỹ thuật
	Auditor         Role = "auditor"          // kiểm tra
)

// rights is what a role gives: acts on nodes, permissions on the controller.
type rights struct {
	role Role
	// acts are those of the certificate; a role without acts has no key.
	acts    []broadcast.Act
	classes []broadcast.Class
	may     []Permission
	// highest is the highest level at which the role's areas may lie; empty for
	// any. What belongs to a commune is not for a district to hold.
	highest broadcast.Level
	// longest is how long one announcement of the role may sound, inside the windows
	// of the law; 0 bounds neither.
	longest time.Duration
}

// roleTable is the one table of roles. An administrator has every act of
// people, because nobody can delegate an act that he lacks. A policy takes two
// people with that act, so approvers have it too.
func roleTable() []rights {
	speak := []broadcast.Act{broadcast.ActAnnounce, broadcast.ActApprove, broadcast.ActSilence, broadcast.ActWithdraw}
	read := []Permission{AreaRead, AnnouncementRead, NodeRead, PlanRead, DeliveryRead, EventsRead}
	desk := []Permission{ContentUpload, AnnouncementWrite, AnnouncementApprove, AnnouncementWithdraw, FeedbackWrite}
	return []rights{
		{role: Administrator, classes: broadcast.Classes(), may: Permissions(),
			acts: slices.Concat(speak, []broadcast.Act{broadcast.ActPolicy, broadcast.ActAssign, broadcast.ActCommand, broadcast.ActDelegate})},
		{role: Editor, classes: broadcast.Classes(), may: slices.Concat(read, []Permission{ContentUpload, AnnouncementWrite, FeedbackWrite}),
			acts: []broadcast.Act{broadcast.ActAnnounce}},
		{role: Approver, classes: broadcast.Classes(), may: slices.Concat(read, desk, []Permission{PolicyWrite, NodeCarry}),
			acts: slices.Concat(speak, []broadcast.Act{broadcast.ActPolicy})},
		{role: CommuneOfficial, classes: broadcast.Classes(), may: slices.Concat(read, desk), acts: speak, highest: broadcast.Commune},
		{role: VillageHead, classes: []broadcast.Class{broadcast.Normal, broadcast.Priority}, may: slices.Concat(read, desk), highest: broadcast.Village,
			acts: []broadcast.Act{broadcast.ActAnnounce, broadcast.ActApprove, broadcast.ActWithdraw}, longest: 5 * time.Minute},
		{role: Technician, may: slices.Concat(read, []Permission{NodeEnrol, NodeConfirm, NodeCommand, NodeCarry, FeedbackWrite}),
			acts: []broadcast.Act{broadcast.ActAssign, broadcast.ActCommand}},
		{role: Auditor, may: slices.Concat(read, []Permission{AuditRead})},
	}
}

// Roles returns every role.
func Roles() []Role {
	var out []Role
	for _, r := range roleTable() {
		out = append(out, r.role)
	}
	return out
}

// ParseRole reads a role's name or one of its short names: admin, officer (who
// may publish alone where policy allows it: an approver) and official.
func ParseRole(s string) (Role, error) {
	if long, ok := map[string]Role{"admin": Administrator, "officer": Approver, "official": CommuneOfficial}[s]; ok {
		return long, nil
	}
	if slices.Contains(Roles(), Role(s)) {
		return Role(s), nil
	}
	var names []string
	for _, r := range Roles() {
		names = append(names, string(r))
	}
	return "", fmt.Errorf("role %q does not exist; use officer, %s", s, strings.Join(names, ", "))
}

// rights returns the row of a role; an unknown role has an empty one.
func (r Role) rights() rights {
	for _, row := range roleTable() {
		if row.role == r {
			return row
		}
	}
	return rights{role: r}
}

// Acts returns what certificates of the role allow on nodes, none if the role
// has no key.
func (r Role) Acts() []broadcast.Act { return r.rights().acts }

// Longest returns how long an announcement of the role may sound, once, and
// inside the windows of the law; 0 is no such bound. No certificate can say it,
// so the desk holds it: nodes know the role's areas, classes and acts.
func (r Role) Longest() time.Duration { return r.rights().longest }

// Permissions returns what the role allows on the controller.
func (r Role) Permissions() []Permission { return r.rights().may }
