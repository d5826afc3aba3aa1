package desk

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

// said makes receipts of one start from rungs in the order of their time.
func said(start broadcast.Instant, attempt int64, rungs ...broadcast.Rung) []entry {
	var out []entry
	for i, rung := range rungs {
		r := broadcast.Receipt{Seq: int64(len(out)+1) + 100*attempt + int64(start), At: start + broadcast.Instant(1000*attempt+int64(i)),
			Start: start, Attempt: attempt, Rung: rung, Clock: broadcast.ClockProved}
		if rung.Height() == 0 {
			r.Reason = broadcast.WhyCrash
		}
		out = append(out, entry{chain: "c", Receipt: r})
	}
	return out
}

func TestAnAttemptIsToldAsFarAsItWasProved(t *testing.T) {
	climb := []broadcast.Rung{broadcast.Powered, broadcast.Playing, broadcast.Sounded, broadcast.Ended}
	whole := said(0, 0, broadcast.Received, broadcast.Verified, broadcast.Cached)
	for name, c := range map[string]struct {
		in       []entry
		rung     broadcast.Rung
		end      broadcast.Rung
		attempts int64
	}{
		"nothing":                           {nil, "", "", 0},
		"held, not yet due":                 {whole, broadcast.Cached, "", 0},
		"playing":                           {slices.Concat(whole, said(50, 1, climb[:2]...)), broadcast.Playing, "", 1},
		"sounded, the end unknown":          {slices.Concat(whole, said(50, 1, climb[:3]...)), broadcast.Sounded, "", 1},
		"ended":                             {slices.Concat(whole, said(50, 1, climb...)), broadcast.Ended, broadcast.Ended, 1},
		"the end alone reached us":          {said(50, 1, broadcast.Ended), broadcast.Ended, broadcast.Ended, 1},
		"interrupted":                       {slices.Concat(whole, said(50, 1, broadcast.Playing, broadcast.Interrupted)), broadcast.Playing, broadcast.Interrupted, 1},
		"interrupted and sounding again":    {slices.Concat(said(50, 1, broadcast.Playing, broadcast.Interrupted), said(50, 2, broadcast.Playing)), broadcast.Playing, "", 2},
		"interrupted, then sounded":         {slices.Concat(said(50, 1, broadcast.Playing, broadcast.Interrupted), said(50, 2, climb...)), broadcast.Ended, broadcast.Ended, 2},
		"refused as a whole":                {said(0, 0, broadcast.Received, broadcast.Refused), broadcast.Received, broadcast.Refused, 0},
		"skipped":                           {slices.Concat(whole, said(50, 0, broadcast.Skipped)), broadcast.Cached, broadcast.Skipped, 0},
		"ended first, the next one waiting": {slices.Concat(said(50, 1, climb...), said(90, 1, broadcast.Powered)), broadcast.Powered, "", 1},
		"withdrawn after one had ended":     {slices.Concat(said(50, 1, climb...), said(0, 0, broadcast.Withdrawn)), broadcast.Ended, broadcast.Ended, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := fold(c.in)
			if got.Rung != c.rung || got.End != c.end || got.Attempts != c.attempts {
				t.Errorf("rung %q, end %q, %d attempts; want %q, %q, %d", got.Rung, got.End, got.Attempts, c.rung, c.end, c.attempts)
			}
			if (got.End != "" && got.End != broadcast.Ended) != (got.Reason != "") {
				t.Errorf("end %q with reason %q", got.End, got.Reason)
			}
		})
	}
}

func TestEvidenceIsTheMostThatWasProved(t *testing.T) {
	in := said(50, 1, broadcast.Playing, broadcast.Sounded)
	in[0].Evidence = &broadcast.Evidence{Closed: 48}
	in[1].Evidence = &broadcast.Evidence{Samples: 4800, Of: 9600}
	if got := fold(in); got.Evidence.Samples != 4800 || got.Evidence.Of != 9600 {
		t.Errorf("%+v", got.Evidence)
	}
}

// fold reads receipts of an announcement that never sounds again.
func fold(in []entry) Progress { return judge{}.fold(in) }

// drawn is how an emergency is judged at some moment of its window or after it.
func drawn(t *rapid.T) judge {
	a := broadcast.Announcement{Class: broadcast.Emergency, Timing: broadcast.Timing{Start: 100, Window: 60}}
	return judge{announcement: a, now: broadcast.Instant(rapid.SampledFrom([]int64{300, 200_000}).Draw(t, "now"))}
}

// receipts draws whatever a node could say, sense or nonsense, of two bodies.
func receipts(t *rapid.T) []entry {
	n := rapid.IntRange(0, 25).Draw(t, "receipts")
	var out []entry
	for i := range n {
		r := broadcast.Receipt{Seq: int64(i + 1), At: broadcast.Instant(rapid.Int64Range(1, 500).Draw(t, "at")),
			Start:   broadcast.Instant(rapid.SampledFrom([]int64{0, 100, 200}).Draw(t, "start")),
			Attempt: rapid.Int64Range(0, 3).Draw(t, "attempt"), Rung: rapid.SampledFrom(broadcast.Rungs()).Draw(t, "rung"),
			Payload: rapid.SampledFrom([]broadcast.Digest{"", "", "", "other"}).Draw(t, "payload"),
			Clock:   rapid.SampledFrom([]broadcast.Quality{broadcast.ClockProved, broadcast.ClockPlausible}).Draw(t, "clock")}
		if r.Rung.Terminal() && r.Rung != broadcast.Ended {
			r.Reason = rapid.SampledFrom([]broadcast.Reason{broadcast.WhyLate, broadcast.WhyCrash}).Draw(t, "reason")
		}
		if rapid.Bool().Draw(t, "evidence") {
			r.Evidence = &broadcast.Evidence{Samples: rapid.Int64Range(0, 1000).Draw(t, "samples"), Of: 1000}
		}
		out = append(out, entry{chain: rapid.SampledFrom([]broadcast.ID{"a", "b"}).Draw(t, "chain"),
			doubtful: rapid.SampledFrom([]bool{false, false, true}).Draw(t, "doubtful"), Receipt: r})
	}
	return out
}

// TestTruthInTheLedger: what is shown is never more than what was proved.
func TestTruthInTheLedger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := receipts(t)
		doubtful := false
		proved := func(match func(entry) bool) bool {
			return slices.ContainsFunc(in, func(x entry) bool { return x.Payload == "" && x.doubtful == doubtful && match(x) })
		}
		check := func(rung, end broadcast.Rung, why broadcast.Reason, e *broadcast.Evidence, attempts int64, times map[broadcast.Rung]broadcast.Instant) {
			if rung != "" && (rung.Height() == 0 || !proved(func(x entry) bool { return x.Rung == rung })) {
				t.Fatalf("rung %q was not proved", rung)
			}
			if end != "" && !proved(func(x entry) bool { return x.Rung == end && x.Receipt.Reason == why }) {
				t.Fatalf("end %q because of %q was not proved", end, why)
			}
			if e != nil && !proved(func(x entry) bool { return x.Evidence == e }) {
				t.Fatalf("evidence %+v was not given", e)
			}
			if attempts != 0 && !proved(func(x entry) bool { return x.Attempt == attempts }) {
				t.Fatalf("%d attempts were not proved", attempts)
			}
			for rung, at := range times {
				if !proved(func(x entry) bool { return x.Rung == rung && x.At == at }) {
					t.Fatalf("%s at %d was not proved", rung, at)
				}
			}
		}
		all := func(got Progress) {
			check(got.Rung, got.End, got.Reason, got.Evidence, got.Attempts, got.Times)
			for _, o := range got.Occurrences {
				check(o.Rung, o.End, o.Reason, o.Evidence, o.Attempts, o.Times)
				for _, a := range o.Each {
					check(a.Rung, a.End, a.Reason, a.Evidence, a.Number, a.Times)
				}
			}
		}
		got := drawn(t).fold(in)
		all(got)
		if doubtful = slices.ContainsFunc(in, func(x entry) bool { return x.doubtful }); doubtful != (got.Claimed != nil) {
			t.Fatalf("doubtful receipts are there: %v, claimed is %+v", doubtful, got.Claimed)
		}
		if doubtful {
			all(*got.Claimed)
		}
	})
}

// TestOrderAndRepetitionOfReceiptsDoNotMatter: batches come late, twice and
// mixed.
func TestOrderAndRepetitionOfReceiptsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, by := receipts(t), drawn(t)
		want := by.fold(in)
		mixed := slices.Concat(in, in[:rapid.IntRange(0, len(in)).Draw(t, "again")])
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if diff := cmp.Diff(want, by.fold(mixed)); diff != "" {
			t.Fatalf("mixed by %d: %s", seed, diff)
		}
	})
}

// TestMoreReceiptsNeverProveLess: what was shown of an attempt stays shown.
func TestMoreReceiptsNeverProveLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, by := receipts(t), drawn(t)
		part := in[:rapid.IntRange(0, len(in)).Draw(t, "part")]
		before, after := by.fold(part), by.fold(in)
		for _, o := range before.Occurrences {
			i := slices.IndexFunc(after.Occurrences, func(x Occurrence) bool { return x.Start == o.Start })
			if i < 0 || after.Occurrences[i].Attempts < o.Attempts {
				t.Fatalf("%+v became less", o)
			}
			for _, a := range o.Each {
				each := after.Occurrences[i].Each
				k := slices.IndexFunc(each, func(x Attempt) bool { return x.Number == a.Number })
				if k < 0 || each[k].Rung.Height() < a.Rung.Height() || a.End != "" && each[k].End == "" {
					t.Fatalf("%+v became less", a)
				}
			}
		}
	})
}
