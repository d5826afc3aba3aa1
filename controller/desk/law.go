package desk

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
)

// rule is what the policies of all target areas ask for together.
type rule struct {
	// officers is how many different people have to sign.
	officers int
	// alone says that one officer may speak because of the signed reason.
	alone   bool
	custody broadcast.Custody
	// laws are those of the target areas.
	laws []broadcast.Law
}

// rule asks the law of every target area, which is that of all areas above it
// too, and keeps the strictest answer.
func (d *Desk) rule(ctx context.Context, ring *seal.Keyring, a broadcast.Announcement) (rule, error) {
	policies, err := d.policies(ctx, ring)
	if err != nil {
		return rule{}, err
	}
	out := rule{officers: 1, alone: a.Reason != "", custody: broadcast.CustodyController}
	listed := a.Corrects != nil
	for _, area := range a.Areas {
		chain, err := d.cfg.Tree().Chain(area, d.now())
		if err != nil {
			return rule{}, refuse(AreaUnknown, "areas", string(area))
		}
		all := held(policies, chain)
		for _, policy := range all {
			out.alone = out.alone && slices.Contains(policy.OneOfficer, a.Class)
		}
		law := broadcast.LawOf(all...)
		listed = listed && law.Corrects(a.Versions)
		out.laws = append(out.laws, law)
		n, may := law.Threshold(a.Class, a.Reason)
		if !may {
			return rule{}, refuse(NoPolicy, "class", classWord(a.Class), area)
		}
		out.officers, out.alone = max(out.officers, n), out.alone && law.Known()
		if c := law.Custody(a.Class); c.Rank() > out.custody.Rank() {
			out.custody = c
		}
	}
	if a.Template != nil { // two people approved the words before
		out.officers, out.alone = 1, true
	}
	if listed { // the policy approved the words before
		out.officers, out.alone = 1, true
	}
	return out, nil
}

// Law is what the policies of an area and of all above it allow together.
func (d *Desk) Law(ctx context.Context, area broadcast.ID) (broadcast.Law, error) {
	ring, err := d.cfg.Keys.Ring(ctx)
	if err != nil {
		return broadcast.Law{}, err
	}
	policies, err := d.policies(ctx, ring)
	if err != nil {
		return broadcast.Law{}, err
	}
	chain, err := d.cfg.Tree().Chain(area, d.now())
	if err != nil {
		return broadcast.Law{}, err
	}
	return broadcast.LawOf(held(policies, chain)...), nil
}

// held are the policies of the areas of a chain.
func held(policies map[broadcast.ID]broadcast.Policy, chain []broadcast.Place) []broadcast.Policy {
	var out []broadcast.Policy
	for _, p := range chain {
		if policy, ok := policies[p.Area]; ok {
			out = append(out, policy)
		}
	}
	return out
}

// suits refuses what is beyond a person's role although the certificate, which
// has neither minutes nor hours, would allow it.
func (r rule) suits(role people.Role, a broadcast.Announcement) error {
	longest := role.Longest()
	if longest == 0 {
		return nil
	}
	var length time.Duration
	for _, v := range a.Versions {
		length += v.Duration()
	}
	if length > longest {
		return refuse(RoleLength, "versions", longest/time.Minute, length.Round(time.Second))
	}
	if a.Timing.Recurrence != nil || a.Timing.Repeat != 0 {
		return refuse(RoleOnce, "timing.recurrence")
	}
	from := a.Timing.Start
	for _, law := range r.laws {
		if to := from.Add(length); !law.InWindow(from, to) {
			return refuse(RoleWindow, "timing.start", local(from), local(to))
		}
	}
	return nil
}

// policies opens the listed policies. One that the house does not believe is
// left out, because nodes leave it out too.
func (d *Desk) policies(ctx context.Context, ring *seal.Keyring) (map[broadcast.ID]broadcast.Policy, error) {
	listed, err := d.cfg.DB.ListingsOf(ctx, broadcast.KindPolicy, d.now())
	if err != nil {
		return nil, err
	}
	out := map[broadcast.ID]broadcast.Policy{}
	for _, l := range listed {
		doc, err := d.cfg.DB.Document(ctx, l.SHA256)
		if err != nil {
			return nil, err
		}
		p, _, err := seal.Open[broadcast.Policy](ring, broadcast.KindPolicy, doc.Raw, seal.Context{Places: d.places(), Listed: true})
		if err != nil {
			d.cfg.Log.Warn("policy is not believed", "area", l.Area, "error", err)
			continue
		}
		out[p.Area] = p
	}
	return out, nil
}

// checkSize refuses an announcement that would not fit into its envelope with
// all its signatures, before anybody signs.
func checkSize(a broadcast.Announcement, officers int) error {
	payload, err := broadcast.Encode(a)
	if err != nil {
		return err
	}
	header, err := broadcast.Encode(broadcast.Protected{Alg: "EdDSA", KID: broadcast.Sum(nil), Typ: broadcast.KindAnnouncement.Typ()})
	if err != nil {
		return err
	}
	env := broadcast.Envelope{Payload: base64.RawURLEncoding.EncodeToString(payload)}
	for range officers {
		env.Signatures = append(env.Signatures, broadcast.Signature{
			Protected: base64.RawURLEncoding.EncodeToString(header), Signature: strings.Repeat("A", base64.RawURLEncoding.EncodedLen(64))})
	}
	raw, err := broadcast.Encode(env)
	if err != nil {
		return err
	}
	if limit := broadcast.KindAnnouncement.Limit(); len(raw) > limit {
		return refuse(TooLarge, "title", len(raw), limit)
	}
	return nil
}

// A manifest holds so many documents; the last places are kept for emergencies,
// and the very last for withdrawals, silences and what the house itself lists.
const (
	roomForAll         = broadcast.MaxManifestEntries - 100
	roomForEmergencies = broadcast.MaxManifestEntries - 30
)

// checkRoom refuses an announcement that would leave a manifest without room.
func (d *Desk) checkRoom(ctx context.Context, a broadcast.Announcement) error {
	listed, err := d.cfg.DB.Listings(ctx, a.Areas, d.now())
	if err != nil {
		return err
	}
	room := roomForAll
	if a.Class == broadcast.Emergency {
		room = roomForEmergencies
	}
	held := map[broadcast.ID]int{}
	for _, l := range listed {
		if held[l.Area]++; held[l.Area] >= room {
			return refuse(AreaFull, "areas", string(l.Area), held[l.Area])
		}
	}
	return nil
}

// checkClass refuses a class that none of the person's own certificates has.
// People without a certificate can write, but others sign for them.
func (d *Desk) checkClass(ring *seal.Keyring, person broadcast.ID, a broadcast.Announcement) error {
	envs, _ := ring.Certificates()
	found := false
	for _, env := range envs {
		payload, err := env.PayloadBytes()
		if err != nil {
			return err
		}
		cert, _ := ring.Certificate(broadcast.Sum(payload))
		now := d.now()
		if cert.Person != person || now < cert.From || now > cert.Until {
			continue
		}
		if slices.Contains(cert.Classes, a.Class) {
			return nil
		}
		found = true
	}
	if found {
		return refuse(ClassRight, "class", person, classWord(a.Class))
	}
	return nil
}
