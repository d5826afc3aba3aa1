package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// FaultSource tells of what is wrong with loudspeakers and the controller, as
// the vigil keeps it: a cause has silenced its consequences there. What costs
// nothing yet is told on screens alone.
type FaultSource struct{ DB *store.DB }

func (FaultSource) topic() Topic { return Faults }

// How many faults are read at once, and how often at a look. What is not read
// would be told to be over.
const (
	maxFaults = 5000
	maxPages  = 20
)

// open are all open faults.
func (s FaultSource) open(ctx context.Context) ([]store.Fault, error) {
	var all []store.Fault
	q := store.FaultQuery{Open: true, Limit: maxFaults}
	for range maxPages {
		page, err := s.DB.Faults(ctx, q)
		if all = append(all, page...); err != nil || len(page) < maxFaults {
			return all, err
		}
		q.Before = page[len(page)-1].ID
	}
	return nil, fmt.Errorf("more than %d faults are open", len(all))
}

// Notices returns the open faults.
func (s FaultSource) Notices(ctx context.Context) ([]Notice, error) {
	faults, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	nodes, err := s.DB.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	areas := map[broadcast.ID]broadcast.ID{}
	for _, n := range nodes {
		areas[n.ID] = n.Area
	}
	var out []Notice
	for _, f := range faults {
		row, ok := broadcast.FaultOf(f.Code)
		if !ok || row.Gravity == broadcast.Notice {
			continue
		}
		out = append(out, Notice{Name: "fault:" + string(f.ID), Topic: Faults, Cause: string(f.Code), Area: areas[f.Node],
			Urgent: row.Gravity == broadcast.Grave, Subject: string(f.Node),
			Words: Words{VI: row.VI, EN: row.EN, DoVI: row.DoVI, DoEN: row.DoEN}, Since: f.Since})
	}
	return out, nil
}

// Desk is where announcements are worked on.
type Desk interface {
	Announcements(ctx context.Context, before broadcast.ID, state store.AnnouncementState, limit int) ([]desk.Announcement, error)
	Deliveries(ctx context.Context, id broadcast.ID) (desk.Deliveries, error)
}

// ApprovalSource tells of what waits for a signature, once for each area of it.
type ApprovalSource struct{ Desk Desk }

func (ApprovalSource) topic() Topic { return Approvals }

// maxWaiting bounds how many announcements are read at a look.
const maxWaiting = 500

// Notices returns what waits.
func (s ApprovalSource) Notices(ctx context.Context) ([]Notice, error) {
	var out []Notice
	var before broadcast.ID
	for range maxWaiting / desk.MaxPage {
		page, err := s.Desk.Announcements(ctx, before, store.Submitted, desk.MaxPage)
		if err != nil {
			return nil, err
		}
		for _, a := range page {
			out = append(out, waiting(a)...)
			before = a.ID
		}
		if len(page) < desk.MaxPage {
			break
		}
	}
	return out, nil
}

func waiting(a desk.Announcement) []Notice {
	title := oneLine(a.Document.Title)
	w := Words{VI: fmt.Sprintf("bản tin “%s” chờ ký duyệt", title), EN: fmt.Sprintf("“%s” waits for a signature", title),
		DoVI: "Mở bản tin, nghe và ký hoặc từ chối.", DoEN: "Open it, listen, and sign or refuse it."}
	urgent := a.Document.Class == broadcast.Emergency
	if urgent {
		w.VI, w.EN = "KHẨN CẤP: "+w.VI, "EMERGENCY: "+w.EN
	}
	var out []Notice
	for _, area := range a.Document.Areas {
		out = append(out, Notice{Name: fmt.Sprintf("approval:%s:%s", a.ID, area), Topic: Approvals, Cause: string(a.ID),
			Area: area, Urgent: urgent, Words: w, Since: a.Submitted})
	}
	return out
}

// EndingSource tells of rights and standing orders that end within 30 days, and
// again within 7.
type EndingSource struct {
	DB     *store.DB
	Office Office
	Now    func() time.Time
}

// Office knows people and until when they can sign.
type Office interface {
	Persons(ctx context.Context) ([]people.Person, error)
	SignsUntil(ctx context.Context, p people.Person) (broadcast.Instant, error)
}

func (EndingSource) topic() Topic { return Endings }

// warnings are how many days ahead people are warned.
func warnings() []int64 { return []int64{30, 7} }

const day = 24 * time.Hour

// Notices returns what ends soon.
func (s EndingSource) Notices(ctx context.Context) ([]Notice, error) {
	persons, err := s.Office.Persons(ctx)
	if err != nil {
		return nil, err
	}
	var out []Notice
	for _, p := range persons {
		until, err := s.Office.SignsUntil(ctx, p)
		if err != nil {
			return nil, err
		}
		if p.Left != 0 || until == 0 || len(p.Areas) == 0 {
			continue
		}
		out = append(out, s.ending("right:"+string(p.ID), Notice{Area: p.Areas[0], Person: p.ID, Subject: p.Name, Words: Words{
			VI: "quyền ký sắp hết hạn", EN: "the right to sign ends",
			DoVI: "Người quản trị gia hạn chứng thư.", DoEN: "An administrator renews the certificate."}}, until)...)
	}
	templates, err := s.DB.ListingsOf(ctx, broadcast.KindTemplate, s.now())
	if err != nil {
		return nil, err
	}
	for _, l := range templates {
		out = append(out, s.ending(fmt.Sprintf("template:%s:%s", l.ID, l.Area), Notice{Area: l.Area, Subject: string(l.ID), Words: Words{
			VI: "mẫu trực sẵn sắp hết hạn", EN: "a template ends",
			DoVI: "Hai cán bộ ký lại mẫu.", DoEN: "Two officers sign it again."}}, l.Until)...)
	}
	return out, nil
}

// ending returns the nearest warning that is due before a moment.
func (s EndingSource) ending(name string, n Notice, until broadcast.Instant) []Notice {
	var out []Notice
	left := until.Sub(s.now())
	for _, days := range warnings() {
		if left > time.Duration(days)*day || left < 0 {
			continue
		}
		n.Name, n.Topic, n.Passing = fmt.Sprintf("ends:%s:%d:%d", name, until, days), Endings, true
		n.Cause, n.Since = fmt.Sprintf("ends:%d:%s", days, n.Words.EN), until.Add(-time.Duration(days)*day)
		out = []Notice{n}
		out[0].Words.VI = fmt.Sprintf("%s ngày %s", n.Words.VI, until.Time().In(broadcast.Local()).Format("02/01/2006"))
		out[0].Words.EN = fmt.Sprintf("%s on %s", n.Words.EN, until.Time().In(broadcast.Local()).Format("02/01/2006"))
	}
	return out
}

func (s EndingSource) now() broadcast.Instant { return broadcast.InstantOf(s.Now()) }
