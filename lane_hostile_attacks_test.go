package loaxa

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// attacks is the table of what the broker does with the tape.
func attacks() []attack {
	const soon, days, weeks = 5 * time.Minute, 46 * time.Hour, 20 * 24 * time.Hour
	list := []attack{
		{name: "one byte altered", card: present, after: soon, stream: altered, converges: true},
		{name: "one byte altered, then whole", after: soon, stream: joined(altered, whole), converges: true},
		{name: "truncated", card: present, after: soon, stream: truncated, converges: true},
		{name: "re-signed by a clerk", card: present, after: soon, stream: signedAnew(clerk), converges: true},
		{name: "re-signed by another commune", card: present, after: soon, stream: signedAnew(commune), converges: true},
		{name: "re-signed by a stranger", card: present, after: soon, stream: signedAnew(stranger), converges: true},
		{name: "swapped targets", card: present, after: soon, stream: retargeted, converges: true},
		{name: "on every other topic", card: present, after: soon, stream: misdirected, converges: true},
		{name: "emptied", card: present, after: soon, stream: emptied, converges: true},
		{name: "swapped audio", after: soon, stream: whole, file: swapped},
		{name: "no files", after: soon, stream: whole, file: nothing},
		{name: "replayed after minutes", card: present, after: soon, stream: whole, converges: true},
		{name: "replayed after reboots", card: present, after: soon, stream: whole, reboots: 2, lasts: 2 * time.Hour, converges: true},
		{name: "replayed to an empty card", after: soon, stream: whole, converges: true},
		{name: "replayed to an old card", card: old, after: soon, stream: whole, converges: true},
		{name: "replayed to an old card after days", card: old, after: days, stream: whole},
		{name: "replayed to an old card without a clock", card: old, after: days, unset: true, stream: whole},
		{name: "replayed to an old card in minutes without a clock", card: old, after: soon, unset: true, stream: whole},
		{name: "replayed after days", card: present, after: days, stream: whole, reboots: 1},
		{name: "replayed after weeks", card: present, after: weeks, stream: whole},
		{name: "replayed to an empty card after weeks", after: weeks, stream: whole},
		{name: "replayed without a clock", card: present, after: weeks, unset: true, stream: whole},
	}
	for range 3 {
		list = append(list, attack{name: "reordered", after: soon, stream: shuffled, converges: true})
	}
	// The lane must be able to fail: a node that the root itself told to believe
	// two strangers does what they say.
	return append(list,
		attack{name: "strangers are trusted and speak", card: present, after: soon, stream: betrayed((*tape).spoken), caught: "unbidden"},
		attack{name: "strangers are trusted and stop", card: present, after: soon, stream: betrayed((*tape).stopped), caught: "silent", converges: true})
}

type stream = func(*tape, *rand.Rand) []carried

func whole(r *tape, _ *rand.Rand) []carried { return r.down() }

func joined(all ...stream) stream {
	return func(r *tape, random *rand.Rand) (out []carried) {
		for _, s := range all {
			out = append(out, s(r, random)...)
		}
		return out
	}
}

func shuffled(r *tape, random *rand.Rand) []carried {
	list := r.down()
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// each makes some messages of every one that was said to the node.
func (r *tape) each(change func(carried) []carried) (out []carried) {
	for _, m := range r.down() {
		if len(m.payload) > 0 {
			out = append(out, change(m)...)
		}
	}
	return out
}

// altered has every message with one bit of one byte turned, at places drawn.
func altered(r *tape, random *rand.Rand) []carried {
	return r.each(func(m carried) (out []carried) {
		for range 4 {
			bad := bytes.Clone(m.payload)
			bad[random.IntN(len(bad))] ^= 1 << random.IntN(8)
			out = append(out, carried{topic: m.topic, payload: bad})
		}
		return out
	})
}

func truncated(r *tape, random *rand.Rand) []carried {
	return r.each(func(m carried) []carried {
		return []carried{{topic: m.topic, payload: m.payload[:random.IntN(len(m.payload))]}, {topic: m.topic, payload: m.payload[:len(m.payload)-1]}}
	})
}

func emptied(r *tape, _ *rand.Rand) []carried {
	return r.each(func(m carried) []carried { return []carried{{topic: m.topic}, {topic: m.topic, payload: []byte{}}} })
}

// misdirected has every message, the node's own too, on every topic of the
// layout that belongs to this node, its areas, and a commune nearby.
func misdirected(r *tape, _ *rand.Rand) (out []carried) {
	var topics []string
	for _, c := range wire.Channels() {
		switch c.Scope {
		case "area":
			topics = append(topics, wire.Area(nodetest.Top, c.Name), wire.Area(nodetest.Area, c.Name), wire.Area("viet-quang", c.Name))
		case "node":
			topics = append(topics, wire.Node(nodetest.NodeID, c.Name), wire.Node("viet-quang-1", c.Name))
		default:
			topics = append(topics, wire.ControllerTopic)
		}
	}
	seen := map[broadcast.Digest]bool{}
	for _, m := range r.said {
		sum := broadcast.Sum(m.payload)
		if seen[sum] {
			continue
		}
		seen[sum] = true
		for _, topic := range topics {
			if topic != m.topic {
				out = append(out, carried{topic: topic, payload: m.payload})
			}
		}
	}
	return out
}

// swaps are what a target is swapped for.
func swaps() map[string]string {
	return map[string]string{quoted(nodetest.NodeID): `"viet-quang-1"`, quoted(nodetest.Area): `"viet-quang"`, quoted(nodetest.Top): quoted(nodetest.Area)}
}

func quoted(id broadcast.ID) string { return `"` + string(id) + `"` }

// retargeted has every message with its areas and its node swapped in what was
// signed, under the old signatures and under those of the other commune, which
// may say much of it at home.
func retargeted(r *tape, _ *rand.Rand) []carried {
	return r.each(func(m carried) (out []carried) {
		for old, other := range swaps() {
			payload, signatures, typ := opened(m.payload)
			payload = bytes.ReplaceAll(payload, []byte(old), []byte(other))
			out = append(out, carried{topic: m.topic, payload: envelope(payload, signatures...)},
				carried{topic: m.topic, payload: envelope(payload, signatureOf(payload, typ, r.elsewhere), signatureOf(payload, typ, r.second))})
		}
		return out
	})
}

// opened takes a message apart.
func opened(raw []byte) (payload []byte, signatures []broadcast.Signature, typ string) {
	var env broadcast.Envelope
	var head broadcast.Protected
	if json.Unmarshal(raw, &env) != nil || len(env.Signatures) == 0 {
		return raw, nil, "" // a hint
	}
	payload, _ = env.PayloadBytes()
	protected, _ := base64.RawURLEncoding.DecodeString(env.Signatures[0].Protected)
	_ = json.Unmarshal(protected, &head) // sealed by the office
	return payload, env.Signatures, head.Typ
}

// signatureOf is somebody's good signature over any bytes.
func signatureOf(payload []byte, typ string, by seal.Signer) broadcast.Signature {
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA","kid":"` + string(by.KID) + `","typ":"` + typ + `"}`))
	text := base64.RawURLEncoding.EncodeToString(payload)
	return broadcast.Signature{Protected: head, Signature: base64.RawURLEncoding.EncodeToString(ed25519.Sign(by.Key, []byte(head+"."+text)))}
}

func envelope(payload []byte, signatures ...broadcast.Signature) []byte {
	raw, err := broadcast.Encode(broadcast.Envelope{Payload: base64.RawURLEncoding.EncodeToString(payload), Signatures: signatures})
	if err != nil {
		return nil
	}
	return raw
}

// Those who sign what is not theirs to sign.
func clerk(r *tape) []seal.Signer   { return []seal.Signer{r.clerk} }
func commune(r *tape) []seal.Signer { return []seal.Signer{r.elsewhere, r.second} }
func stranger(*tape) []seal.Signer  { return []seal.Signer{sealtest.Bare("stranger")} }

// signedAnew has every message under other good signatures, and orders of their
// own that the same people signed.
func signedAnew(who func(*tape) []seal.Signer) stream {
	return func(r *tape, _ *rand.Rand) []carried {
		out := r.each(func(m carried) []carried {
			payload, signatures, typ := opened(m.payload)
			if signatures == nil {
				return nil
			}
			var all []broadcast.Signature
			for _, by := range who(r) {
				all = append(all, signatureOf(payload, typ, by))
			}
			return []carried{{topic: m.topic, payload: envelope(payload, all...)}, {topic: m.topic, payload: envelope(payload, append(all, signatures[0])...)}}
		})
		return slices.Concat(out, r.spoken(who(r)...), r.stopped(who(r)...))
	}
}

// spoken are orders made up by some people: a lax policy, an emergency at once,
// and a list that names it.
func (r *tape) spoken(by ...seal.Signer) []carried {
	now := broadcast.InstantOf(time.Now())
	rev, loud := broadcast.Revision(now), r.meant[1]
	loud.ID, loud.Revision, loud.Timing.Start = "forged", rev, now.Add(30*time.Second)
	policy := broadcast.Policy{Area: nodetest.Top, Revision: rev, OneOfficer: broadcast.Classes()}
	for _, c := range broadcast.Classes() {
		policy.Thresholds = append(policy.Thresholds, broadcast.Threshold{Class: c, Officers: 1})
	}
	raw := sealtest.Sealed(broadcast.KindAnnouncement, loud, by...)
	list := broadcast.Manifest{Area: nodetest.Top, Revision: rev, Documents: []broadcast.Entry{
		{Kind: broadcast.KindAnnouncement, ID: loud.ID, Revision: rev, SHA256: broadcast.Sum(raw)}}}
	return []carried{pushed(sealtest.Sealed(broadcast.KindPolicy, policy, by...)), pushed(raw), pushed(sealtest.Sealed(broadcast.KindManifest, list, by...))}
}

// stopped are orders made up by some people against what the office means.
func (r *tape) stopped(by ...seal.Signer) []carried {
	now, siren := broadcast.InstantOf(time.Now()), r.meant[2]
	rev, areas := broadcast.Revision(now), []broadcast.ID{nodetest.Top}
	silence := broadcast.Silence{ID: "s-forged", Revision: rev, Areas: areas, Classes: broadcast.Classes(), Until: now.Add(time.Hour)}
	withdrawal := broadcast.Withdrawal{ID: "w-forged", Revision: rev, Announcement: siren.ID, Upto: siren.Revision, Class: siren.Class, Areas: areas}
	return []carried{pushed(sealtest.Sealed(broadcast.KindSilence, silence, by...)), pushed(sealtest.Sealed(broadcast.KindWithdrawal, withdrawal, by...))}
}

func pushed(raw []byte) carried {
	return carried{topic: wire.Node(nodetest.NodeID, "document"), payload: raw}
}

// swapped has other bytes under every name.
func swapped(r *tape, sum broadcast.Digest) []byte {
	other := bytes.Clone(r.file(sum))
	if len(other) > 0 {
		other[len(other)/2] ^= 1
	}
	return other
}

// betrayed has the root's word for two strangers, and then theirs.
func betrayed(orders func(*tape, ...seal.Signer) []carried) stream {
	return func(r *tape, _ *rand.Rand) []carried {
		now := broadcast.InstantOf(time.Now())
		h := sealtest.NewHouse(nodetest.Top, now, false)
		one, two := h.Officer("stranger", broadcast.District, nodetest.Top), h.Officer("other", broadcast.District, nodetest.Top)
		doc := broadcast.Authority{Area: nodetest.Top, Revision: broadcast.Revision(now), Roots: []broadcast.Envelope{h.Root}, Certificates: h.Certs}
		return append([]carried{pushed(sealtest.Sealed(broadcast.KindAuthority, doc, h.RootKey))}, orders(r, one, two)...)
	}
}

func nothing(*tape, broadcast.Digest) []byte { return nil }
