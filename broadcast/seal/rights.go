package seal

import "github.com/loaxa/loaxa/broadcast"

// Right is what a kind of document asks of whoever seals it.
type Right struct {
	Kind broadcast.Kind
	// Acts: every signer needs at least one of these.
	Acts []broadcast.Act
	// Also: at least one signer needs this one; empty for none.
	Also broadcast.Act
	// Officers is how many different people must sign; 0 leaves it to policy.
	Officers int
	// RootToo: the root may seal it instead of officers.
	RootToo bool
	// RootOnly, NodeOnly: nobody else may.
	RootOnly, NodeOnly bool
	// Highest is the highest level whose signature counts; empty for any. What
	// belongs to a commune is not for a district to sign.
	Highest broadcast.Level
}

// Rights returns the one table of rights: a row for every kind.
func Rights() []Right {
	speak := []broadcast.Act{broadcast.ActAnnounce, broadcast.ActApprove}
	return []Right{
		{Kind: broadcast.KindAnnouncement, Acts: speak, Also: broadcast.ActApprove},
		{Kind: broadcast.KindDrill, Acts: speak, Also: broadcast.ActApprove},
		{Kind: broadcast.KindTemplate, Acts: speak, Also: broadcast.ActApprove, Officers: 2},
		{Kind: broadcast.KindWithdrawal, Acts: []broadcast.Act{broadcast.ActWithdraw}, Officers: 1},
		{Kind: broadcast.KindSilence, Acts: []broadcast.Act{broadcast.ActSilence}, Officers: 1},
		{Kind: broadcast.KindPolicy, Acts: []broadcast.Act{broadcast.ActPolicy}, Officers: 2},
		{Kind: broadcast.KindPlacement, Acts: []broadcast.Act{broadcast.ActApprove}, Officers: 1, Highest: broadcast.Commune},
		{Kind: broadcast.KindSlot, Acts: []broadcast.Act{broadcast.ActApprove}, Officers: 1, Highest: broadcast.Commune},
		{Kind: broadcast.KindAssignment, Acts: []broadcast.Act{broadcast.ActAssign}, Officers: 1, RootToo: true},
		{Kind: broadcast.KindCommand, Acts: []broadcast.Act{broadcast.ActCommand}, Officers: 1},
		{Kind: broadcast.KindManifest, Acts: []broadcast.Act{broadcast.ActManifest}, Officers: 1},
		{Kind: broadcast.KindTime, Acts: []broadcast.Act{broadcast.ActTime}, Officers: 1},
		{Kind: broadcast.KindAck, Acts: []broadcast.Act{broadcast.ActManifest}, Officers: 1},
		{Kind: broadcast.KindSession, Acts: []broadcast.Act{broadcast.ActRelay}, Officers: 1},
		{Kind: broadcast.KindAuthority, Acts: []broadcast.Act{broadcast.ActDelegate}, Officers: 1, RootToo: true},
		{Kind: broadcast.KindCertificate, RootOnly: true},
		{Kind: broadcast.KindRoot, RootOnly: true},
		{Kind: broadcast.KindRebase, RootOnly: true},
		{Kind: broadcast.KindReceipts, NodeOnly: true},
	}
}

// RightFor returns the row of a kind and whether there is one.
func RightFor(kind broadcast.Kind) (Right, bool) {
	for _, r := range Rights() {
		if r.Kind == kind {
			return r, true
		}
	}
	return Right{}, false
}
