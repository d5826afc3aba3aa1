package player

import (
	"math"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
)

// Evidence is what is known of a sounding after it. Nothing in it is assumed:
// what the card did not confirm is not there.
type Evidence struct {
	// Powered is when the relay closed; zero when it did not.
	Powered time.Time
	// First and Last are the instants at which the first and the last sample
	// left; zero when none did.
	First, Last time.Time
	// Samples were played by the card, out of Expected. Both count from the
	// sample that was heard first and leave the tail out.
	Samples, Expected int64
	// Skipped were left out at the beginning to stay with the neighbours.
	Skipped int64
	// Lost were dropped on the way because the card was away or ran dry.
	Lost int64
	// Peak and RMS are the levels of what was played, below full scale;
	// media.Mute when it was silence.
	Peak, RMS media.Decibel
}

// played is the number of samples of the sounding, tail left out, that the
// card has played.
func (x *run) played() int64 {
	return min(int64(x.position.Frames), x.sent-x.lost())
}

func (x *run) lost() int64 { return min(int64(x.position.Lost), x.sent) }

func (x *run) evidence() Evidence {
	e := Evidence{
		Powered:  x.powered,
		Samples:  x.played(),
		Expected: x.total,
		Skipped:  x.skipped,
		Lost:     x.lost(),
		Peak:     media.Mute,
		RMS:      media.Mute,
	}
	if e.Samples > 0 {
		e.First, e.Last = x.first, x.first.Add(duration(e.Samples+e.Lost-1))
		e.Peak, e.RMS = x.level.peak(), x.level.rms()
	}
	return e
}

// level measures what has left the card. A block is counted once the card has
// played it, so a sounding that broke off is not measured beyond its end.
type level struct {
	waiting []measure // bounded by what a card queues
	last    int16     // the last sample queued
	greatest,
	energy,
	samples uint64
	// Of these, what lately has told already.
	toldEnergy,
	toldSamples uint64
}

type measure struct{ end, greatest, energy, samples uint64 }

// queue measures a block whose last sample is number end.
func (l *level) queue(end uint64, block []int16) {
	m := measure{end: end, samples: uint64(len(block))}
	for _, v := range block {
		size := uint64(max(int64(v), -int64(v)))
		m.greatest = max(m.greatest, size)
		m.energy += size * size
	}
	if len(block) > 0 {
		l.last = block[len(block)-1]
	}
	l.waiting = append(l.waiting, m)
}

// retire counts the blocks that end at or before the sample number played.
func (l *level) retire(played uint64) {
	n := 0
	for _, m := range l.waiting {
		if m.end > played {
			break
		}
		l.greatest = max(l.greatest, m.greatest)
		l.energy += m.energy
		l.samples += m.samples
		n++
	}
	l.waiting = append(l.waiting[:0], l.waiting[n:]...)
}

func (l *level) peak() media.Decibel { return decibels(float64(l.greatest)) }

func (l *level) rms() media.Decibel { return mean(l.energy, l.samples) }

// lately is the level since it was asked before.
func (l *level) lately() media.Decibel {
	energy, samples := l.energy-l.toldEnergy, l.samples-l.toldSamples
	l.toldEnergy, l.toldSamples = l.energy, l.samples
	return mean(energy, samples)
}

// mean is the level of so many samples with so much energy.
func mean(energy, samples uint64) media.Decibel {
	if samples == 0 {
		return media.Mute
	}
	return decibels(math.Sqrt(float64(energy) / float64(samples)))
}

// decibels is the level of an amplitude, 32768 being full scale.
func decibels(amplitude float64) media.Decibel {
	if amplitude <= 0 {
		return media.Mute
	}
	return max(media.Mute, media.Decibel(math.Round(2000*math.Log10(amplitude/32768))))
}
