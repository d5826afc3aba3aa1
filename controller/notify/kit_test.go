package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// pile is a source that says what a test says.
type pile struct {
	list   []Notice
	broken error
}

func (p *pile) topic() Topic { return Faults }

func (p *pile) Notices(context.Context) ([]Notice, error) { return p.list, p.broken }

// box takes messages, or refuses them as a test says.
type box struct {
	took []store.Message
	err  error
}

func (b *box) Send(_ context.Context, m store.Message) error {
	if b.err == nil {
		b.took = append(b.took, m)
	}
	return b.err
}

// rig is a post over a house with one source and a box for mail.
type rig struct {
	*desktest.House
	t    *testing.T
	post *Post
	pile *pile
	box  *box
	// sound is some content.
	sound broadcast.Digest
}

func newRig(t *testing.T, sources ...Source) *rig {
	t.Helper()
	r := &rig{House: desktest.New(t), t: t, pile: &pile{}, box: &box{}}
	r.sound = r.Content(20 * time.Second)
	r.start(append([]Source{r.pile}, sources...)...)
	return r
}

// start makes the post anew, as after a restart.
func (r *rig) start(sources ...Source) {
	r.post = New(Config{DB: r.DB, Rights: r.Office, Persons: r.Office, Tree: r.Tree, Sources: sources, Now: r.Clock.Now, Log: slog.New(slog.DiscardHandler),
		Settings: Settings{Mail: &MailSettings{Server: "127.0.0.1:25", From: "loa@example.vn", Security: "none"}}})
	r.post.ways[Mail] = r.box
}

// wish subscribes one of the people of the demo.
func (r *rig) wish(who broadcast.ID, change func(*Wish)) store.Subscription {
	r.t.Helper()
	w := Wish{Way: Mail, Address: string(who) + "@example.vn", Areas: []broadcast.ID{"bac-quang"}, Topics: []Topic{Faults}, Language: "vi"}
	if change != nil {
		change(&w)
	}
	s, err := r.post.Subscribe(r.t.Context(), r.Named(who).Person, w)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// turn lets some time pass, with a look and a delivery every few seconds.
func (r *rig) turn(d time.Duration) {
	r.t.Helper()
	for end := r.Clock.Now().Add(d); r.Clock.Now().Before(end); r.Clock.Add(lookEvery) {
		r.look()
	}
	r.look()
}

func (r *rig) look() {
	r.t.Helper()
	if err := errors.Join(r.post.Look(r.t.Context()), r.post.Deliver(r.t.Context(), Mail)); err != nil {
		r.t.Fatal(err)
	}
}

// dead is a notice of a node that is gone.
func dead(node, area broadcast.ID) Notice {
	return Notice{Name: "fault:" + string(node), Topic: Faults, Cause: "node-gone", Area: area, Subject: string(node), Since: 1,
		Words: Words{VI: "mất liên lạc", EN: "is not heard of", DoVI: "Xem nguồn và mạng.", DoEN: "Look at power and line."}}
}

// many are dead nodes of one area.
func many(n int, area broadcast.ID) []Notice {
	var out []Notice
	for i := range n {
		out = append(out, dead(broadcast.ID(fmt.Sprintf("%s-%02d", area, i)), area))
	}
	return out
}

func (b *box) subjects() []string {
	var out []string
	for _, m := range b.took {
		out = append(out, m.Subject)
	}
	return slices.Clip(out)
}

// foreign is an area in which somebody may see nothing.
func (r *rig) foreign(who broadcast.ID) broadcast.ID {
	r.t.Helper()
	for _, a := range r.Tree().Areas() {
		if r.Office.Authorise(r.Named(who).Person, people.NodeRead, a.ID) != nil {
			return a.ID
		}
	}
	r.t.Fatalf("%s may see everything", who)
	return ""
}
