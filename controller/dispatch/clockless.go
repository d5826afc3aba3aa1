package dispatch

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/store"
)

// A node that has no time, and is kept from every answer, may sound only what a
// manifest lists that was surely made after its own boot: one that carries a
// nonce of that boot. So while an emergency is listed, and only then, manifests
// carry the questions of the nodes that are still without the time.
const (
	// questionLife is how long a node can recognise a question as its own: it
	// keeps the last four, which are five minutes apart at most.
	questionLife = 20 * time.Minute
	// answerLead is how long the plain answer may take before the manifest gives one.
	answerLead = 5 * time.Second
	// nonceEvery is the shortest pause between two manifests that differ in
	// their nonces alone.
	nonceEvery = 10 * time.Second
	// mostNonces are carried by one manifest, the newest questions first: 12 KB.
	mostNonces = 500
)

// question is what a node asked last.
type question struct {
	boot  broadcast.ID
	nonce string
	at    broadcast.Instant
}

// asker is a node without the time.
type asker struct {
	question
	node broadcast.ID
	// held are the manifests that it said it holds, since the boot that asks.
	held map[broadcast.ID]broadcast.Revision
}

// told is the first manifest since the entries changed that answered a boot.
type told struct {
	boot     broadcast.ID
	revision broadcast.Revision
}

// remember keeps the newest question of a node.
func (d *Dispatch) remember(node broadcast.ID, q question) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.questions[node] = q
}

// asking returns the nodes without the time, by every area on their chain that
// lists an emergency, in order of their questions, the newest first.
func (d *Dispatch) asking(standings []fleet.Standing, urgent map[broadcast.ID]bool) map[broadcast.ID][]asker {
	now := d.now()
	d.mu.Lock()
	maps.DeleteFunc(d.questions, func(_ broadcast.ID, q question) bool { return now.Sub(q.at) > questionLife })
	questions := maps.Clone(d.questions)
	d.mu.Unlock()
	out := map[broadcast.ID][]asker{}
	if len(urgent) == 0 || len(questions) == 0 {
		return out
	}
	for _, s := range standings {
		q, asked := questions[s.Node.ID]
		if !asked || s.Node.Status != store.Confirmed || now.Sub(q.at) < answerLead || timed(s.State, q) {
			continue
		}
		a := asker{question: q, node: s.Node.ID}
		if s.State != nil && s.State.Boot == q.boot {
			a.held = s.State.Manifests
		}
		for _, p := range s.Chain {
			if urgent[p.Area] {
				out[p.Area] = append(out[p.Area], a)
			}
		}
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b asker) int {
			return cmp.Or(-cmp.Compare(a.at, b.at), cmp.Compare(a.node, b.node))
		})
	}
	return out
}

// timed says that the boot which asked has the time, by its own word.
func timed(s *wire.State, q question) bool {
	return s != nil && s.Boot == q.boot && s.Clock != broadcast.ClockUnset
}

// unanswered are the askers who do not hold an answer yet, as far as is known,
// and as many as a manifest takes.
func (a *area) unanswered(id broadcast.ID, askers []asker) []asker {
	var out []asker
	for _, q := range askers {
		t, ok := a.told[q.node]
		if held, known := q.held[id]; ok && known && t.boot == q.boot && held >= t.revision {
			continue
		}
		if out = append(out, q); len(out) == mostNonces {
			break
		}
	}
	return out
}

// unlisted says whether the manifest in force lacks a question, and is old
// enough to be replaced for that alone.
func (a *area) unlisted(askers []asker, now broadcast.Instant) bool {
	lacks := func(q asker) bool { return !slices.Contains(a.manifest.Nonces, q.nonce) }
	return now.Sub(a.manifest.Revision.IssuedAt()) >= nonceEvery && slices.ContainsFunc(askers, lacks)
}

// answered notes whose questions the new manifest carries.
func (a *area) answered(askers []asker, revision broadcast.Revision) {
	before := a.told
	a.told = map[broadcast.ID]told{}
	for _, q := range askers {
		t, ok := before[q.node]
		if !ok || t.boot != q.boot {
			t = told{q.boot, revision}
		}
		a.told[q.node] = t
	}
}

// noncesOf are the questions in the order of their text, each once.
func noncesOf(askers []asker) []string {
	var out []string
	for _, q := range askers {
		out = append(out, q.nonce)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// urgent returns the areas that list an emergency. What an announcement is was
// read once from the document itself; one that cannot be read counts as an
// emergency, because a few nonces too many harm nobody.
func (d *Dispatch) urgent(ctx context.Context, wanted map[broadcast.ID][]store.Listing) map[broadcast.ID]bool {
	known := map[broadcast.Digest]bool{}
	out := map[broadcast.ID]bool{}
	for id, rows := range wanted {
		for _, l := range rows {
			if l.Kind != broadcast.KindAnnouncement {
				continue
			}
			emergency, read := d.emergencies[l.SHA256]
			if !read {
				doc, err := d.cfg.DB.Document(ctx, l.SHA256)
				a, bad := payloadOf[broadcast.Announcement](broadcast.KindAnnouncement, doc.Raw)
				emergency = err != nil || bad != nil || a.Class == broadcast.Emergency
			}
			known[l.SHA256] = emergency
			out[id] = out[id] || emergency
		}
	}
	d.emergencies = known
	maps.DeleteFunc(out, func(_ broadcast.ID, emergency bool) bool { return !emergency })
	return out
}
