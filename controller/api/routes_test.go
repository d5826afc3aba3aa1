package api_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/people"
)

// access is the permission that every route needs, written down a second time
// so that a change of the table is seen. Public ones need none.
var access = map[string]people.Permission{
	"GET /recording/{sha256}":                     "a node's secret",
	"PATCH /recording/{sha256}":                   "a node's secret",
	"DELETE /recording/{sha256}":                  "a node's secret",
	"GET /api/v1/nodes/{id}/recordings/{sha256}":  people.DeliveryRead,
	"POST /api/v1/nodes/{id}/recordings/{sha256}": people.NodeCarry,

	"DELETE /api/v1/areas/{id}/lexicon":             people.AnnouncementWrite,
	"DELETE /api/v1/me/passkeys/{id}":               people.AreaRead,
	"DELETE /api/v1/programmes/{id}":                people.AnnouncementWrite,
	"DELETE /api/v1/session":                        people.AreaRead,
	"DELETE /api/v1/sessions/{sha256}":              people.AreaRead,
	"GET /api/openapi.json":                         "",
	"GET /api/v1/announcements":                     people.AnnouncementRead,
	"GET /api/v1/announcements/{id}":                people.AnnouncementRead,
	"GET /api/v1/announcements/{id}/answers":        people.AnnouncementRead,
	"GET /api/v1/announcements/{id}/deliveries":     people.DeliveryRead,
	"GET /api/v1/announcements/{id}/difference":     people.AnnouncementRead,
	"GET /api/v1/announcements/{id}/forecast":       people.AnnouncementRead,
	"GET /api/v1/areas":                             people.AreaRead,
	"GET /api/v1/areas/{id}/policy":                 people.AreaRead,
	"PUT /api/v1/areas/{id}/policy":                 people.PolicyWrite,
	"POST /api/v1/areas/{id}/policy/sign":           people.PolicyWrite,
	"GET /api/v1/areas/{id}/policy/difference":      people.PlanRead,
	"GET /api/v1/areas/{id}/ahead":                  people.PlanRead,
	"GET /api/v1/areas/{id}/collisions":             people.AnnouncementRead,
	"GET /api/v1/areas/{id}/diary":                  people.DeliveryRead,
	"GET /api/v1/areas/{id}/diary/{day}":            people.DeliveryRead,
	"GET /api/v1/areas/{id}/diary/{day}/{form}":     people.DeliveryRead,
	"GET /api/v1/areas/{id}/lexicon":                people.AnnouncementRead,
	"GET /api/v1/areas/{id}/offers":                 people.AnnouncementRead,
	"GET /api/v1/areas/{id}/reports/{month}":        people.DeliveryRead,
	"GET /api/v1/areas/{id}/reports/{month}/{form}": people.DeliveryRead,
	"GET /api/v1/areas/{id}/slots":                  people.AnnouncementRead,
	"GET /api/v1/areas/{id}/station":                people.AnnouncementRead,
	"GET /api/v1/organisation":                      people.AreaRead,
	"POST /api/v1/organisation/weigh":               people.AreaManage,
	"POST /api/v1/organisation/plans":               people.AreaManage,
	"DELETE /api/v1/organisation/plans/{sha256}":    people.AreaManage,
	"GET /api/v1/organisation/moves":                people.NodeConfirm,
	"POST /api/v1/organisation/moves":               people.NodeConfirm,
	"GET /api/v1/audit":                             people.AuditRead,
	"GET /api/v1/audit/verification":                people.AuditRead,
	"GET /api/v1/restoration":                       people.HouseRestore,
	"POST /api/v1/restoration/accept":               people.HouseRestore,
	"GET /api/v1/calendar":                          people.AnnouncementRead,
	"GET /api/v1/contents/{sha256}":                 people.AnnouncementRead,
	"GET /api/v1/contents/{sha256}/text":            people.AnnouncementRead,
	"GET /api/v1/events":                            people.EventsRead,
	"GET /api/v1/faults":                            people.NodeRead,
	"GET /api/v1/feedback":                          people.DeliveryRead,
	"GET /api/v1/feedback/{id}":                     people.DeliveryRead,
	"GET /api/v1/nodes/{id}/trim":                   people.NodeRead,
	"POST /api/v1/feedback":                         people.FeedbackWrite,
	"POST /api/v1/feedback/{id}/assign":             people.FeedbackWrite,
	"POST /api/v1/feedback/{id}/close":              people.FeedbackWrite,
	"POST /api/v1/nodes/{id}/trim":                  people.NodeConfirm,
	"POST /api/v1/public/feedback":                  "",
	"GET /api/v1/firings":                           people.DeliveryRead,
	"GET /api/v1/me":                                people.AreaRead,
	"GET /api/v1/me/passkeys":                       people.AreaRead,
	"GET /api/v1/messages":                          people.AreaRead,
	"GET /api/v1/nodes":                             people.NodeRead,
	"GET /api/v1/nodes/{id}/ahead":                  people.PlanRead,
	"GET /api/v1/nodes/{id}/pack":                   people.NodeCarry,
	"GET /api/v1/nodes/{id}/plan":                   people.PlanRead,
	"GET /api/v1/persons":                           people.PersonManage,
	"GET /api/v1/persons/{id}/handover":             people.PersonManage,
	"GET /api/v1/phone":                             "",
	"GET /api/v1/phones":                            people.PersonManage,
	"GET /api/v1/programmes":                        people.AnnouncementRead,
	"GET /api/v1/programmes/{id}":                   people.AnnouncementRead,
	"GET /api/v1/sessions":                          people.AreaRead,
	"GET /api/v1/speeches":                          people.AnnouncementRead,
	"GET /api/v1/speeches/{id}":                     people.AnnouncementRead,
	"GET /api/v1/status":                            "",
	"GET /api/v1/subscriptions":                     people.AreaRead,
	"GET /api/v1/templates":                         people.AnnouncementRead,
	"GET /api/v1/templates/{id}":                    people.AnnouncementRead,
	"GET /api/v1/voices":                            people.AnnouncementRead,
	"GET /content/{sha256}":                         people.AnnouncementRead,
	"GET /document/{sha256}":                        people.AnnouncementRead,
	"GET /live/{station}/{session}":                 people.AnnouncementRead,
	"GET /api/v1/stations":                          people.AnnouncementRead,
	"GET /{$}":                                      "",
	"POST /api/v1/announcements":                    people.AnnouncementWrite,
	"POST /api/v1/announcements/{id}/approve":       people.AnnouncementApprove,
	"POST /api/v1/announcements/{id}/submit":        people.AnnouncementWrite,
	"POST /api/v1/announcements/{id}/revisions":     people.AnnouncementWrite,
	"POST /api/v1/announcements/{id}/withdraw":      people.AnnouncementWrite,
	"POST /api/v1/approvals":                        people.AnnouncementApprove,
	"POST /api/v1/areas/{id}/diary/{day}/entries":   people.AnnouncementWrite,
	"POST /api/v1/areas/{id}/placement":             people.AnnouncementApprove,
	"POST /api/v1/areas/{id}/placement/weigh":       people.AnnouncementApprove,
	"POST /api/v1/areas/{id}/programmes/copy":       people.AnnouncementWrite,
	"POST /api/v1/contents":                         people.ContentUpload,
	"POST /api/v1/contents/{sha256}/listened":       people.AnnouncementWrite,
	"POST /api/v1/demo/enrolment-tokens":            "",
	"POST /api/v1/enrolment-tokens":                 people.NodeEnrol,
	"POST /api/v1/enrolments":                       "",
	"POST /api/v1/me/passkeys":                      people.AreaRead,
	"POST /api/v1/me/passkeys/options":              people.AreaRead,
	"POST /api/v1/nodes/{id}/confirm":               people.NodeConfirm,
	"POST /api/v1/nodes/{id}/receipts":              people.NodeCarry,
	"POST /api/v1/nodes/{id}/revoke":                people.NodeConfirm,
	"POST /api/v1/papers":                           people.AnnouncementWrite,
	"POST /api/v1/persons":                          people.PersonManage,
	"POST /api/v1/persons/{id}/code":                people.PersonManage,
	"POST /api/v1/persons/{id}/handover":            people.AnnouncementApprove,
	"POST /api/v1/persons/{id}/dismiss":             people.PersonManage,
	"POST /api/v1/phone":                            "",
	"POST /api/v1/phones":                           people.PersonManage,
	"POST /api/v1/phones/{id}/revoke":               people.PersonManage,
	"POST /api/v1/programmes":                       people.AnnouncementWrite,
	"POST /api/v1/programmes/{id}/draft":            people.AnnouncementWrite,
	"POST /api/v1/programmes/{id}/undo":             people.AnnouncementWrite,
	"POST /api/v1/session":                          "",
	"POST /api/v1/session/first":                    "",
	"POST /api/v1/session/passkey":                  "",
	"POST /api/v1/session/passkey/options":          "",
	"POST /api/v1/session/pin":                      "",
	"POST /api/v1/slots/{id}/end":                   people.AnnouncementApprove,
	"POST /api/v1/speech/preview":                   people.AnnouncementWrite,
	"POST /api/v1/speeches":                         people.AnnouncementWrite,
	"POST /api/v1/speeches/{id}/retry":              people.AnnouncementWrite,
	"POST /api/v1/subscriptions":                    people.AreaRead,
	"POST /api/v1/subscriptions/{id}/end":           people.AreaRead,
	"POST /api/v1/subscriptions/{id}/try":           people.AreaRead,
	"POST /api/v1/templates/{id}/activate":          people.AnnouncementApprove,
	"POST /api/v1/templates/{id}/renew":             people.AnnouncementWrite,
	"POST /api/v1/templates/{id}/sign":              people.AnnouncementApprove,
	"POST /api/v1/templates/{id}/withdraw":          people.AnnouncementWithdraw,
	"PUT /api/v1/areas/{id}/lexicon":                people.AnnouncementWrite,
	"PUT /api/v1/areas/{id}/station":                people.AnnouncementWrite,
	"PUT /api/v1/me/passkeys/{id}":                  people.AreaRead,
	"PUT /api/v1/me/passphrase":                     people.AreaRead,
	"PUT /api/v1/me/password":                       people.AreaRead,
	"PUT /api/v1/me/pin":                            people.AreaRead,
	"PUT /api/v1/programmes/{id}":                   people.AnnouncementWrite,
	"PUT /api/v1/slots/{id}":                        people.AnnouncementApprove,
	"PUT /api/v1/speeches/{id}/sentence":            people.AnnouncementWrite,
	"PUT /api/v1/templates/{id}":                    people.AnnouncementWrite,
}

// contract is what the tests need of openapi.json.
type contract struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		OperationID string
		Description string
		Security    []map[string][]string
		Responses   map[string]struct{ Content map[string]any }
		RequestBody struct {
			Content map[string]struct{ Schema map[string]any }
		}
	}
	Components struct{ Schemas map[string]map[string]any }
}

// routesOf lists what the served contract says, as "METHOD /path".
func routesOf(t *testing.T, h *apitest.House) (contract, []string) {
	t.Helper()
	var c contract
	h.Do(apitest.Call{Method: "GET", Path: "/api/openapi.json"}).Into(t, &c)
	var out []string
	for path, methods := range c.Paths {
		for method := range methods {
			out = append(out, strings.ToUpper(method)+" "+path)
		}
	}
	return c, out
}

// path fills the parameters of a route with something well-formed.
func path(route string) string {
	_, p, _ := strings.Cut(route, " ")
	return strings.NewReplacer("{sha256}", string(broadcast.Sum([]byte("x"))), "{id}", "nothing", "{$}", "",
		"{day}", "2026-11-22", "{month}", "2026-11", "{form}", "csv").Replace(p)
}

func TestEveryRouteHasARowThatSaysWhatItNeeds(t *testing.T) {
	h := apitest.New(t)
	c, served := routesOf(t, h)
	if !strings.HasPrefix(c.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %s", c.OpenAPI)
	}
	slices.Sort(served)
	if want := slices.Sorted(maps.Keys(access)); !slices.Equal(served, want) {
		t.Errorf("served %q\nrows   %q", served, want)
	}
	for _, route := range served {
		method, p, _ := strings.Cut(route, " ")
		op := c.Paths[p][strings.ToLower(method)]
		if need := access[route]; need != "" && (len(op.Security) == 0 || !strings.Contains(op.Description, string(need))) {
			t.Errorf("%s: the contract does not name %s", route, need)
		}
		if op.Responses["default"].Content["application/problem+json"] == nil {
			t.Errorf("%s: the contract does not name its problems", route)
		}
	}
}

// TestNoRouteAnswersWithoutACredential tries everything without a token, with
// nonsense, with a token that was revoked, and with a node's secret.
func TestNoRouteAnswersWithoutACredential(t *testing.T) {
	h := apitest.New(t)
	revoked := h.Named("duyet-1")
	b, err := h.Office.Bearer(t.Context(), revoked.Token)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Office.Revoke(t.Context(), revoked.Person, b.Token); err != nil {
		t.Fatal(err)
	}
	h.Node("tan-lap-1", "tan-lap")
	credentials := map[string]map[string]string{
		"nothing": {}, "nonsense": {"Authorization": "Bearer lx_nonsense"}, "a revoked token": {"Authorization": "Bearer " + revoked.Token},
		"an empty token": {"Authorization": "Bearer "}, "another scheme": {"Authorization": "Token " + revoked.Token},
		"a wrong secret": {"Authorization": "Basic " + basic("tan-lap-1", "wrong")},
	}
	_, served := routesOf(t, h)
	for _, route := range served {
		method, _, _ := strings.Cut(route, " ")
		for name, header := range credentials {
			got := h.Do(apitest.Call{Method: method, Path: path(route), Body: []byte("{}"), Header: header})
			open := got.Status != http.StatusUnauthorized
			if open != (access[route] == "") {
				t.Errorf("%s with %s: %d %s", route, name, got.Status, got.Body)
			}
			if !open && (got.Problem(t).Code != "credential" || got.Header.Get("WWW-Authenticate") == "") {
				t.Errorf("%s with %s: %s", route, name, got.Body)
			}
		}
	}
}

// TestEveryRoleGetsWhatItsPermissionsSay tries every route as every role.
func TestEveryRoleGetsWhatItsPermissionsSay(t *testing.T) {
	h := apitest.New(t)
	_, served := routesOf(t, h)
	for _, role := range people.Roles() {
		area := broadcast.BacQuang
		if role == people.CommuneOfficial {
			area = h.Tree().Children(broadcast.BacQuang, h.Now())[0]
		}
		if role == people.VillageHead {
			area = "tan-lap"
		}
		token := h.Token(t, string(role), area)
		for _, route := range served {
			method, _, _ := strings.Cut(route, " ")
			if route == "GET /api/v1/events" {
				continue // it does not end; it has a test of its own
			}
			got := h.Do(apitest.Call{Method: method, Path: path(route), Token: token, Body: []byte("{}")})
			need := access[route]
			may := need == "" || slices.Contains(role.Permissions(), need)
			if forbidden := got.Status == http.StatusForbidden && got.Problem(t).Code == "forbidden"; forbidden == may {
				t.Errorf("%s as %s: %d %s", route, role, got.Status, got.Body)
			}
		}
	}
}
