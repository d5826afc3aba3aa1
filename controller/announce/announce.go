package announce

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/remote"
)

// Exit codes.
const (
	AllEnded   = 0 // every expected node sounded to its end, or nobody watched
	Failed     = 1
	SomeSilent = 2 // at least one expected node did not
	Nowhere    = 3 // nothing was published, because nothing of it would sound
)

// run is one announcement on its way.
type run struct {
	opt Options
	c   *remote.Client
	key string
}

// Run makes the announcement and returns the exit code of the program. An error
// says what to do next; its code is Failed.
func Run(ctx context.Context, opt Options) (int, error) {
	if err := opt.check(); err != nil {
		return Failed, err
	}
	r := &run{opt: opt, key: rand.Text()}
	r.c = &remote.Client{Base: opt.Controller, HTTP: opt.Client, After: opt.after, Waiting: func(err error, pause time.Duration) {
		r.say("%v; trying again in %s", err, pause)
	}}
	a, err := r.publish(ctx)
	if err != nil {
		return codeOf(err), explain(err)
	}
	return r.follow(ctx, a)
}

// say writes a line of progress.
func (r *run) say(format string, args ...any) {
	_, _ = fmt.Fprintf(r.opt.Err, format+"\n", args...) // nobody is left to tell
}

// publish takes the file all the way to a published announcement.
func (r *run) publish(ctx context.Context) (api.Announcement, error) {
	if r.opt.Start != "" {
		r.say("to start at %s", moment(r.opt.Start))
	}
	content, err := r.upload(ctx)
	if err != nil {
		return api.Announcement{}, err
	}
	body := api.NewAnnouncement{Title: r.opt.Title, Class: r.opt.Class, Areas: r.opt.Areas, Reason: r.opt.Reason,
		Versions: []api.NewVersion{{Language: r.opt.Language, Content: content.SHA256}},
		Timing:   api.NewTiming{Start: r.opt.Start, Repeat: int64(r.opt.Repeat / time.Second)}}
	var a api.Announcement
	if err := r.c.Post(ctx, r.opt.Token, r.key, "/api/v1/announcements", body, &a); err != nil {
		return a, err
	}
	r.say("draft %s, digest %.8s", a.ID, a.Digest)
	r.foretell(a.Forecast)
	named := map[string]any{"digest": a.Digest}
	if len(r.opt.AcceptSilence) > 0 {
		named["accept_silence"] = r.opt.AcceptSilence
	}
	if err := r.c.Post(ctx, r.opt.Token, "", r.path(a, "/submit"), named, &a); err != nil {
		return a, err
	}
	if err := r.approve(ctx, &a, map[string]any{"digest": a.Digest, "accept_difference": r.opt.AcceptDifference}); err != nil {
		return a, err
	}
	return a, nil
}

func (r *run) upload(ctx context.Context) (api.Content, error) {
	name := filepath.Base(r.opt.File)
	shown := -1
	content, err := upload(ctx, r.c, r.opt.Token, r.key, r.opt.File, func(done, all int64) {
		percent := int(done * 100 / max(all, 1))
		if r.opt.Live && percent != shown {
			shown = percent
			_, _ = fmt.Fprintf(r.opt.Err, "\r%s: %3d %% of %.1f MB sent ", name, percent, float64(all)/1e6)
		}
	})
	if r.opt.Live && shown >= 0 {
		r.say("")
	}
	if err != nil {
		return content, err
	}
	r.say("%s: %.1f s of sound, %.1f LUFS, content %.8s", name, float64(content.Millis)/1000, content.LUFS, content.SHA256)
	for _, remark := range content.Remarks {
		r.say("note: %s", remark.Detail)
	}
	return content, nil
}

func (r *run) path(a api.Announcement, step string) string {
	return "/api/v1/announcements/" + a.ID + step
}

// approve signs as the second person, or as the first if there is no other.
func (r *run) approve(ctx context.Context, a *api.Announcement, named map[string]any) error {
	token := r.opt.Token
	if r.opt.ApproveToken != "" {
		token = r.opt.ApproveToken
	}
	if a.State == "submitted" {
		if err := r.c.Post(ctx, token, "", r.path(*a, "/approve"), named, a); err != nil {
			return err
		}
	}
	if a.State == "submitted" {
		alone := ""
		if a.Class == string(broadcast.Emergency) && r.opt.Reason == "" {
			alone = ", or with --reason where the policy lets one officer raise an alarm alone"
		}
		return fmt.Errorf("announcement %s has %d of %d signatures and is not published: run again with --approve-token of a second officer%s, or let another officer approve it (digest %s)",
			a.ID, len(a.Signatures), a.Needed, alone, a.Digest)
	}
	r.say("published %s: starts %s in %s", a.ID, moment(a.Timing.Start), strings.Join(a.Areas, ", "))
	return nil
}

// nowhere is the problem of what would sound nowhere.
const nowhere = "sounds-nowhere"

// codeOf is the exit code of an announcement that was not published.
func codeOf(err error) int {
	var p *api.Problem
	if errors.As(err, &p) && p.Code == nowhere {
		return Nowhere
	}
	return Failed
}

// explain adds to a problem what a person at a terminal can do about it.
func explain(err error) error {
	var p *api.Problem
	if !errors.As(err, &p) {
		return err
	}
	hints := map[string]string{
		"second-person": "pass --approve-token of another officer, or --reason",
		"start-needed":  "pass --start HH:MM, or --reason where the policy lets one officer speak alone",
		"credential":    "loaxa-controller admin token --data DIR --role officer prints a new token",
		"cannot-sign":   "use the token of an officer for --token or --approve-token",
		"forbidden":     "use the token of somebody who may, or --approve-token for the approval",
		"area-unknown":  "the areas are listed at /api/v1/areas",
		"others-change": "pass another --start, or --accept-difference",
		nowhere:         "pass another --start, or --accept-silence with the reasons",
	}
	detail := p.Detail
	if p.Status == http.StatusForbidden && p.Code == "forbidden" || hints[p.Code] != "" {
		detail += " (" + hints[p.Code] + ")"
	}
	if p.DetailVI != "" {
		detail += "\n  " + p.DetailVI
	}
	return errors.New(detail)
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
