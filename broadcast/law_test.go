package broadcast_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

// ruling is everything that a law says of one class and one stretch of time.
type ruling struct {
	quiet, window, bounded, may, mayAlone, chime bool
	budget, offline                              time.Duration
	ceiling                                      int64
	officers, alone, custody                     int
	session                                      time.Duration // an hour and more without a bound
	speakers                                     int           // how many levels may speak
}

func rule(l broadcast.Law, c broadcast.Class, from, to broadcast.Instant) ruling {
	var r ruling
	_, r.quiet = l.Quiet(from, to)
	r.window = l.InWindow(from, to)
	r.budget, r.bounded = l.Budget(c, from)
	r.ceiling, r.offline, r.chime = l.Ceiling(from, to), l.OfflineLimit(), l.Chime(c)
	r.officers, r.may = l.Threshold(c, "")
	r.alone, r.mayAlone = l.Threshold(c, "nước lên nhanh")
	r.custody = l.Custody(c).Rank()
	r.session = 24 * time.Hour
	if limit, bound := l.Session(c); bound {
		r.session = limit
	}
	for _, level := range levels() {
		if l.MaySpeak(c, level) {
			r.speakers |= 1 << level.Rank()
		}
	}
	return r
}

// looser names a rule by which r allows what s does not.
func (r ruling) looser(s ruling) string {
	for name, is := range map[string]bool{
		"quiet hours": s.quiet && !r.quiet, "windows": r.window && !s.window, "no budget": s.bounded && !r.bounded,
		"budget": s.bounded && r.budget > s.budget, "ceiling": r.ceiling > s.ceiling, "officers": r.officers < s.officers,
		"one officer": r.alone < s.alone, "custody": r.custody < s.custody, "offline limit": r.offline > s.offline,
		"session": r.session > s.session, "speakers": r.speakers&^s.speakers != 0,
		"chime": s.chime && !r.chime, "class": r.may && !s.may || r.mayAlone && !s.mayAlone,
	} {
		if is {
			return name
		}
	}
	return ""
}

// everyLevel has the bit of each level.
const everyLevel = 1<<1 | 1<<2 | 1<<3 | 1<<4

func stretches(t *rapid.T) (from, to broadcast.Instant) {
	from = local(22, 0, 0) + broadcast.Instant(rapid.Int64Range(0, 7*24*60-1).Draw(t, "from"))*minute
	return from, from + broadcast.Instant(rapid.Int64Range(1, 600).Draw(t, "seconds"))*1000
}

func TestLowerPolicyCanOnlyTighten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		upper := rapid.SliceOfN(policies(), 1, 3).Draw(t, "upper")
		lower := policies().Draw(t, "lower")
		from, to := stretches(t)
		before, after := broadcast.LawOf(upper...), broadcast.LawOf(append(slices.Clone(upper), lower)...)
		for _, c := range broadcast.Classes() {
			if name := rule(after, c, from, to).looser(rule(before, c, from, to)); name != "" {
				t.Fatalf("a lower policy loosened: %s of %s", name, c)
			}
		}
	})
}

func TestLawDoesNotDependOnTheOrderOfPolicies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(policies(), 2, 4).Draw(t, "policies")
		law, other := broadcast.LawOf(list...), broadcast.LawOf(rapid.Permutation(list).Draw(t, "shuffled")...)
		again := broadcast.LawOf(append(slices.Clone(list), list[0])...)
		from, to := stretches(t)
		for _, c := range broadcast.Classes() {
			want := rule(law, c, from, to)
			if got := rule(other, c, from, to); got != want {
				t.Fatalf("%s: %+v, in another order %+v", c, want, got)
			}
			if got := rule(again, c, from, to); got != want {
				t.Fatalf("%s: %+v, with one policy twice %+v", c, want, got)
			}
		}
	})
}

func TestACorrectionIsListedByEveryPolicy(t *testing.T) {
	one, two := broadcast.Sum([]byte("one")), broadcast.Sum([]byte("two"))
	says := func(list ...broadcast.Digest) (out []broadcast.Version) {
		for _, sha := range list {
			out = append(out, broadcast.Version{Language: "vi", Content: &broadcast.Content{SHA256: sha}})
		}
		return out
	}
	upper, lower := broadcast.Policy{Corrections: []broadcast.Digest{one, two}}, broadcast.Policy{Corrections: []broadcast.Digest{two}}
	for name, c := range map[string]struct {
		law      broadcast.Law
		versions []broadcast.Version
		want     bool
	}{
		"listed":                  {broadcast.LawOf(upper), says(one, two), true},
		"in both":                 {broadcast.LawOf(upper, lower), says(two), true},
		"in one of both":          {broadcast.LawOf(upper, lower), says(one), false},
		"in the lower only":       {broadcast.LawOf(broadcast.Policy{}, lower), says(two), false},
		"one of two":              {broadcast.LawOf(upper), says(one, broadcast.Sum(nil)), false},
		"nothing":                 {broadcast.LawOf(upper), nil, false},
		"no recording":            {broadcast.LawOf(upper), []broadcast.Version{{Live: &broadcast.Live{}}}, false},
		"where no policy is held": {broadcast.Law{}, says(one), false},
	} {
		if got := c.law.Corrects(c.versions); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestLawIsTheStrictestOfItsPolicies is the model: each number is the least or
// the most of what single policies say.
func TestLawIsTheStrictestOfItsPolicies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(policies(), 1, 4).Draw(t, "policies")
		law := broadcast.LawOf(list...)
		from, to := stretches(t)
		for i, c := range broadcast.Classes() {
			want := ruling{window: true, may: true, mayAlone: true, budget: 24 * time.Hour, ceiling: 100, offline: 35 * 24 * time.Hour, custody: 1,
				session: 24 * time.Hour, speakers: everyLevel}
			alone := true
			for _, p := range list {
				one := rule(broadcast.LawOf(p), c, from, to)
				want.quiet, want.window, want.chime = want.quiet || one.quiet, want.window && one.window, want.chime || slices.Contains(p.Chimes, c)
				want.session, want.speakers = min(want.session, one.session), want.speakers&one.speakers
				want.ceiling, want.offline = min(want.ceiling, one.ceiling), min(want.offline, one.offline)
				want.officers, want.custody = max(want.officers, int(p.Thresholds[i].Officers)), max(want.custody, one.custody)
				if one.bounded {
					want.bounded, want.budget = true, min(want.budget, one.budget)
				}
				alone = alone && slices.Contains(p.OneOfficer, c)
			}
			if want.alone = want.officers; alone {
				want.alone = 1
			}
			if !want.bounded {
				want.budget = 0
			}
			if got := rule(law, c, from, to); got != want {
				t.Fatalf("%s: %+v, want %+v", c, got, want)
			}
		}
	})
}

func TestWithoutPolicyOnlyEmergenciesOfTwoOfficersSound(t *testing.T) {
	for name, law := range map[string]broadcast.Law{"zero": {}, "merged from none": broadcast.LawOf()} {
		if law.Known() {
			t.Errorf("%s: claims a policy", name)
		}
		for _, c := range broadcast.Classes() {
			for _, reason := range []string{"", "nước lên nhanh"} {
				if n, may := law.Threshold(c, reason); n != 2 || may != (c == broadcast.Emergency) {
					t.Errorf("%s: %s with reason %q: %d officers, %v", name, c, reason, n, may)
				}
			}
			want := ruling{window: true, officers: 2, alone: 2, may: c == broadcast.Emergency, mayAlone: c == broadcast.Emergency,
				ceiling: 100, custody: 1, chime: true, offline: 14 * 24 * time.Hour, session: 24 * time.Hour, speakers: everyLevel}
			if got := rule(law, c, at, at+minute); got != want {
				t.Errorf("%s: %s: %+v, want %+v", name, c, got, want)
			}
		}
	}
}

func TestLeastPolicyLeavesTheDefaults(t *testing.T) {
	law := broadcast.LawOf(broadcast.Policy{Thresholds: officers(1, 1, 2)})
	if !law.Known() {
		t.Error("a policy is not known")
	}
	for i, c := range broadcast.Classes() {
		want := ruling{window: true, officers: []int{1, 1, 2}[i], alone: []int{1, 1, 2}[i], may: true, mayAlone: true, ceiling: 100, custody: 1,
			offline: 14 * 24 * time.Hour, session: 24 * time.Hour, speakers: everyLevel}
		if got := rule(law, c, at, at+minute); got != want {
			t.Errorf("%s: %+v, want %+v", c, got, want)
		}
	}
}

func TestOneOfficerNeedsAReasonAndEveryPolicy(t *testing.T) {
	alone := broadcast.Policy{Thresholds: officers(2, 2, 2), OneOfficer: []broadcast.Class{broadcast.Emergency}}
	strict := broadcast.Policy{Thresholds: officers(1, 1, 1)}
	for _, c := range []struct {
		name   string
		law    broadcast.Law
		class  broadcast.Class
		reason string
		want   int
	}{
		{"with a reason", broadcast.LawOf(alone), broadcast.Emergency, "lũ", 1},
		{"without a reason", broadcast.LawOf(alone), broadcast.Emergency, "", 2},
		{"in another class", broadcast.LawOf(alone), broadcast.Normal, "lũ", 2},
		{"where one policy is silent", broadcast.LawOf(alone, strict), broadcast.Emergency, "lũ", 2},
		{"where the other one is silent", broadcast.LawOf(strict, alone), broadcast.Emergency, "lũ", 2},
		{"where all agree", broadcast.LawOf(alone, alone), broadcast.Emergency, "lũ", 1},
	} {
		if n, may := c.law.Threshold(c.class, c.reason); n != c.want || !may {
			t.Errorf("%s: %d officers, %v", c.name, n, may)
		}
	}
}

func TestALawAsksForTheMostThatAnyPolicyDoes(t *testing.T) {
	none := broadcast.LawOf()
	if none.Minimum() != 0 || none.Retention() != 0 {
		t.Errorf("without a policy: %s, %d months", none.Minimum(), none.Retention())
	}
	l := broadcast.LawOf(broadcast.Policy{Minimum: 30, Retention: 24}, broadcast.Policy{Minimum: 45}, broadcast.Policy{Retention: 12})
	if l.Minimum() != 45*time.Minute || l.Retention() != 24 {
		t.Errorf("%s, %d months", l.Minimum(), l.Retention())
	}
}
