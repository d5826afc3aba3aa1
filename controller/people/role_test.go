package people_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
)

// allowed is the whole table of roles and permissions, written a second time:
// a change of one is a change of both.
var allowed = map[people.Permission]string{ // administrator editor approver commune-official village-head technician auditor
	people.AreaRead:             "yyyyyyy",
	people.ContentUpload:        "yyyyy--",
	people.AnnouncementRead:     "yyyyyyy",
	people.AnnouncementWrite:    "yyyyy--",
	people.AnnouncementApprove:  "y-yyy--",
	people.AnnouncementWithdraw: "y-yyy--",
	people.DeliveryRead:         "yyyyyyy",
	people.PlanRead:             "yyyyyyy",
	people.NodeRead:             "yyyyyyy",
	people.NodeEnrol:            "y----y-",
	people.NodeConfirm:          "y----y-",
	people.NodeCommand:          "y----y-",
	people.NodeCarry:            "y-y--y-",
	people.EventsRead:           "yyyyyyy",
	people.PolicyWrite:          "y-y----",
	people.PersonManage:         "y------",
	people.AuditRead:            "y-----y",
	people.FeedbackWrite:        "yyyyyy-",
	people.AreaManage:           "y------",
	people.HouseRestore:         "y------",
}

func TestEveryRoleHasExactlyItsPermissions(t *testing.T) {
	h := peopletest.Demo(t, newClock().now)
	if len(allowed) != len(people.Permissions()) {
		t.Fatalf("%d permissions in the table, %d in the product", len(allowed), len(people.Permissions()))
	}
	for need, row := range allowed {
		if len(row) != len(people.Roles()) {
			t.Fatalf("%s: %d roles in the table, %d in the product", need, len(row), len(people.Roles()))
		}
		for i, role := range people.Roles() {
			p := people.Person{ID: "lan", Role: role, Areas: []broadcast.ID{"bac-quang"}}
			err := h.Office.Authorise(p, need, "tan-lap")
			if want := row[i] == 'y'; (err == nil) != want || err != nil && !errors.Is(err, people.ErrForbidden) {
				t.Errorf("%s for %s: %v", need, role, err)
			}
		}
	}
}

func TestPermissionsEndAtTheEdgeOfTheArea(t *testing.T) {
	h := peopletest.Demo(t, newClock().now)
	commune := people.Person{ID: "ha", Role: people.CommuneOfficial, Areas: []broadcast.ID{"xa-dong-tam", "xa-tan-quang"}}
	for _, c := range []struct {
		areas []broadcast.ID
		ok    bool
	}{
		{nil, true},
		{[]broadcast.ID{"xa-dong-tam"}, true},
		{[]broadcast.ID{"dong-tam", "tan-lap"}, true},
		{[]broadcast.ID{"dong-tam", "viet-quang"}, false},
		{[]broadcast.ID{"bac-quang"}, false},
		{[]broadcast.ID{"nowhere"}, false},
	} {
		if err := h.Office.Authorise(commune, people.AnnouncementApprove, c.areas...); (err == nil) != c.ok {
			t.Errorf("%v: %v", c.areas, err)
		}
	}
	left := commune
	left.Left = 1
	complains(t, h.Office.Authorise(left, people.AreaRead), "left")
}

func TestARefusalSaysWhoMay(t *testing.T) {
	h := peopletest.Demo(t, newClock().now)
	editor := people.Person{ID: "bien-tap", Role: people.Editor, Areas: []broadcast.ID{"bac-quang"}}
	complains(t, h.Office.Authorise(editor, people.AnnouncementApprove, "tan-lap"), "bien-tap", "editor", "announcement.approve", "administrator, approver, commune-official, village-head")
	complains(t, h.Office.Authorise(people.Person{ID: "x", Role: "king"}, people.AreaRead), "king")
}

func TestActsOfEveryRole(t *testing.T) {
	want := map[people.Role][]broadcast.Act{
		people.Administrator:   {"announce", "approve", "silence", "withdraw", "policy", "assign", "command", "delegate"},
		people.Editor:          {"announce"},
		people.Approver:        {"announce", "approve", "silence", "withdraw", "policy"},
		people.CommuneOfficial: {"announce", "approve", "silence", "withdraw"},
		people.VillageHead:     {"announce", "approve", "withdraw"},
		people.Technician:      {"assign", "command"},
		people.Auditor:         nil,
	}
	for _, role := range people.Roles() {
		if !slices.Equal(role.Acts(), want[role]) {
			t.Errorf("%s: %v", role, role.Acts())
		}
		for _, service := range broadcast.ServiceActs() {
			if slices.Contains(role.Acts(), service) {
				t.Errorf("%s may do what only the controller may: %s", role, service)
			}
		}
		for _, act := range role.Acts() { // an administrator delegates only what he has
			if !slices.Contains(people.Administrator.Acts(), act) {
				t.Errorf("no administrator could make a %s: %s", role, act)
			}
		}
	}
}

// TestAVillageHeadSpeaksOnlyInTheOwnVillageAndNeverAnEmergency: nodes hold it,
// because the certificate says it.
func TestAVillageHeadSpeaksOnlyInTheOwnVillageAndNeverAnEmergency(t *testing.T) {
	c := newClock()
	h := peopletest.Demo(t, c.now)
	wide := people.NewPerson{ID: "xa", Name: "Xá", Role: people.VillageHead, Areas: []broadcast.ID{"xa-tan-quang"}, Passphrase: "đường lên Tân Quang"}
	_, err := h.Office.AddPerson(t.Context(), people.Credential{Token: h.Token(t, "admin", "")}, wide)
	complains(t, err, "village-head is a role of the village")
	token := h.Token(t, "village-head", "tan-lap")
	cert := must[[]broadcast.Certificate](t)(certificates(t, h, token))[0]
	if cert.Level != broadcast.Village || !slices.Equal(cert.Areas, []broadcast.ID{"tan-lap"}) || !slices.Equal(cert.Classes, []broadcast.Class{broadcast.Normal, broadcast.Priority}) {
		t.Errorf("%+v", cert)
	}
	if _, err := speaks(h, c, "tan-lap", people.Credential{Token: token}); !errors.Is(err, seal.ErrRight) {
		t.Errorf("an emergency: %v", err)
	}
	if people.VillageHead.Longest() != 5*time.Minute || people.Approver.Longest() != 0 {
		t.Error("another bound than five minutes for village heads, or one for others")
	}
}

// certificates returns that of a token's key.
func certificates(t *testing.T, h peopletest.House, token string) (out []broadcast.Certificate, err error) {
	err = h.Office.With(t.Context(), people.Credential{Token: token}, func(s seal.Signer) error {
		cert, _ := must[*seal.Keyring](t)(h.Office.Ring(t.Context())).Certificate(s.KID)
		out = append(out, cert)
		return nil
	})
	return out, err
}

func TestRolesAreReadByNameAndShortName(t *testing.T) {
	for text, want := range map[string]people.Role{"officer": people.Approver, "admin": people.Administrator, "official": people.CommuneOfficial,
		"technician": people.Technician, "auditor": people.Auditor, "editor": people.Editor} {
		if got, err := people.ParseRole(text); err != nil || got != want {
			t.Errorf("%s: %s %v", text, got, err)
		}
	}
	_, err := people.ParseRole("mayor")
	complains(t, err, "mayor", "officer", "technician")
}
