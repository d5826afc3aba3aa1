package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/records"
	"github.com/loaxa/loaxa/controller/store"
)

// Records keeps diaries and reports.
type Records interface {
	Diary(ctx context.Context, area broadcast.ID, day string) (records.Diary, error)
	Write(ctx context.Context, by, area broadcast.ID, day, text string, kept func(store.Tx) error) error
	Verify(ctx context.Context, area broadcast.ID) (records.DiaryVerdict, error)
	Report(ctx context.Context, area broadcast.ID, month string) (records.Report, error)
}

type diaryPath struct {
	ID  string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Day string `path:"day" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"A local day, such as 2026-11-22"`
}

type monthPath struct {
	ID    string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Month string `path:"month" pattern:"^[0-9]{4}-[0-9]{2}$" doc:"A local month, such as 2026-11"`
}

type diaryFormPath struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Day  string `path:"day" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"`
	Form string `path:"form" enum:"html,xlsx,csv"`
}

type monthFormPath struct {
	ID    string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Month string `path:"month" pattern:"^[0-9]{4}-[0-9]{2}$"`
	Form  string `path:"form" enum:"html,xlsx,csv"`
}

type diaryEntryInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Day  string `path:"day" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"`
	Key  string `header:"Idempotency-Key" maxLength:"100" doc:"The same key and text are written once, also after a restart; the answer is the day as it is then"`
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"1000"`
	}
}

type diaryAnswer struct{ Body records.Diary }

type reportAnswer struct{ Body records.Report }

type diaryVerdictAnswer struct{ Body records.DiaryVerdict }

func (s *server) records(r *registry) {
	on(r, "get-diary", s.diary)
	on(r, "write-diary", s.writeDiary)
	on(r, "verify-diary", s.verifyDiary)
	on(r, "get-report", s.report)
	download(r, "download-diary", func(ctx context.Context, in *diaryFormPath) (file, error) {
		d, err := s.diary(ctx, &diaryPath{ID: in.ID, Day: in.Day})
		if err != nil {
			return file{}, err
		}
		return written("nhat-ky-"+in.ID+"-"+in.Day, in.Form, d.Body)
	})
	download(r, "download-report", func(ctx context.Context, in *monthFormPath) (file, error) {
		d, err := s.report(ctx, &monthPath{ID: in.ID, Month: in.Month})
		if err != nil {
			return file{}, err
		}
		return written("bao-cao-"+in.ID+"-"+in.Month, in.Form, d.Body)
	})
}

// recorded refuses records of areas that are not the caller's. One that nobody
// knows is not there.
func (s *server) recorded(ctx context.Context, need people.Permission, id string) (broadcast.ID, error) {
	area := broadcast.ID(id)
	if _, known := s.cfg.Tree().Find(area); !known {
		return area, fmt.Errorf("area %s: %w", area, store.ErrNotFound)
	}
	return area, s.cfg.Office.Authorise(callerOf(ctx).Person, need, area)
}

func (s *server) diary(ctx context.Context, in *diaryPath) (*diaryAnswer, error) {
	area, err := s.recorded(ctx, people.DeliveryRead, in.ID)
	if err != nil {
		return nil, err
	}
	d, err := s.cfg.Records.Diary(ctx, area, in.Day)
	return &diaryAnswer{Body: d}, err
}

func (s *server) writeDiary(ctx context.Context, in *diaryEntryInput) (*diaryAnswer, error) {
	area, err := s.recorded(ctx, people.AnnouncementWrite, in.ID)
	if err != nil {
		return nil, err
	}
	name := once{person: callerOf(ctx).Person.ID, scope: "diary", key: in.Key}
	request := broadcast.Sum([]byte(in.ID + " " + in.Day + " " + in.Body.Text))
	old, found, err := s.answered(ctx, name)
	if err == nil && !found {
		err = s.cfg.Records.Write(ctx, name.person, area, in.Day, in.Body.Text, func(tx store.Tx) error {
			return s.remember(ctx, tx, name, request, http.StatusCreated, []byte("{}"))
		})
		if errors.Is(err, store.ErrConflict) && in.Key != "" { // another request with this key was quicker
			old, found, err = s.answered(ctx, name)
		}
	}
	if err == nil && found {
		_, _, err = replay(old, request)
	}
	if err != nil {
		return nil, err
	}
	d, err := s.cfg.Records.Diary(ctx, area, in.Day)
	return &diaryAnswer{Body: d}, err
}

func (s *server) verifyDiary(ctx context.Context, in *idInput) (*diaryVerdictAnswer, error) {
	area, err := s.recorded(ctx, people.DeliveryRead, in.ID)
	if err != nil {
		return nil, err
	}
	v, err := s.cfg.Records.Verify(ctx, area)
	return &diaryVerdictAnswer{Body: v}, err
}

func (s *server) report(ctx context.Context, in *monthPath) (*reportAnswer, error) {
	area, err := s.recorded(ctx, people.DeliveryRead, in.ID)
	if err != nil {
		return nil, err
	}
	out, err := s.cfg.Records.Report(ctx, area, in.Month)
	return &reportAnswer{Body: out}, err
}

// file is what is downloaded under a name.
type file struct {
	name, media string
	bytes       []byte
}

// forms are how a record is written.
var forms = map[string]struct {
	media string
	write func(printable) ([]byte, error)
}{
	"html": {"text/html; charset=utf-8", func(p printable) ([]byte, error) { return p.Page() }},
	"csv":  {"text/csv; charset=utf-8; header=present", func(p printable) ([]byte, error) { return records.CSV(p.Tables()) }},
	"xlsx": {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", func(p printable) ([]byte, error) { return records.Workbook(p.Tables()) }},
}

// printable is a diary or a report.
type printable interface {
	Tables() []records.Table
	Page() ([]byte, error)
}

func written(name, form string, p printable) (file, error) {
	row := forms[form]
	b, err := row.write(p)
	return file{name: name + "." + form, media: row.media, bytes: b}, err
}

// download registers a handler that makes a file. A page is shown, the others
// are saved; none is kept by a cache.
func download[I any](r *registry, id string, f func(context.Context, *I) (file, error)) {
	op := r.operation(id)
	op.Responses["200"] = &huma.Response{Description: "The file", Content: map[string]*huma.MediaType{}}
	for _, row := range forms {
		op.Responses["200"].Content[row.media] = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	}
	huma.Register(r.api, op, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		made, err := f(ctx, in)
		if err != nil {
			return nil, r.server.problem(id, err)
		}
		return &huma.StreamResponse{Body: func(hctx huma.Context) {
			_, w := humago.Unwrap(hctx)
			h := w.Header()
			h.Set("Content-Type", made.media)
			h.Set("Cache-Control", "no-store")
			if made.media != forms["html"].media {
				h.Set("Content-Disposition", `attachment; filename="`+made.name+`"`)
			}
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write(made.bytes)
		}}, nil
	})
}
