package intake

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
)

// job is the way of one upload to canonical content.
type job struct {
	engine   *engine
	folder   folder
	limits   limits
	upload   staged
	progress func(Progress)

	probed probed
	heard  heard
}

// convert runs the whole way and stores the result.
func (j *job) convert(ctx context.Context) (Content, error) {
	var err error
	if j.probed, err = j.identify(ctx); err != nil {
		return Content{}, err
	}
	if j.heard, err = j.listen(ctx); err != nil {
		return Content{}, err
	}
	made, err := j.normalise(ctx)
	if err != nil {
		return Content{}, err
	}
	defer os.Remove(made.path)
	if err := j.folder.accept(made.path, made.sha256); err != nil {
		return Content{}, err
	}
	return j.content(made), nil
}

// content writes down what was measured.
func (j *job) content(made attempt) Content {
	c := Content{
		SHA256:       made.sha256,
		Bytes:        made.size,
		Duration:     duration(made.samples),
		Loudness:     made.loudness,
		TruePeak:     made.peak,
		SilenceRatio: made.silence,
		Gain:         made.gain,
		Limited:      made.limited,
		Source: Source{
			SHA256:     j.upload.sha256,
			Bytes:      j.upload.size,
			Container:  j.probed.container,
			Codec:      j.probed.codec,
			SampleRate: j.probed.rate,
			Channels:   j.probed.channels,
			Loudness:   j.heard.loudness,
			TruePeak:   j.heard.peak,
		},
	}
	c.Remarks = j.remarks(c)
	return c
}

// remarks says what a person should know.
func (j *job) remarks(c Content) []Remark {
	whole, part := j.probed.declared, duration(j.heard.samples)
	table := []struct {
		applies bool
		remark  Remark
	}{
		{whole > 0 && part.Seconds() < cutTolerance*whole.Seconds()-0.1, Remark{CutShort,
			fmt.Sprintf("the file declares %s but holds %s: listen to its end", clock(whole), clock(part)),
			fmt.Sprintf("Tệp khai dài %s nhưng chỉ có %s: hãy nghe lại đoạn cuối.", clock(whole), clock(part))}},
		{j.heard.complaints > 0, Remark{Damaged,
			"parts of the file are damaged and were left out or bridged: listen to all of it",
			"Một số đoạn của tệp bị hỏng, đã bị bỏ qua hoặc vá lại: hãy nghe lại toàn bộ."}},
		{c.Source.Loudness < quietSource, Remark{RaisedMuch,
			fmt.Sprintf("the recording is very quiet and was raised by %s, its noise with it: record closer to the microphone", c.Gain),
			fmt.Sprintf("Bản ghi quá nhỏ, đã được nâng %s nên tiếng ồn cũng to theo: hãy ghi gần micrô hơn.", c.Gain)}},
		{off(c.Loudness) > allowedLU, Remark{OffLoudness,
			fmt.Sprintf("its short loud peaks allow %s instead of %s: it will sound quieter than others", c.Loudness, targetLUFS),
			fmt.Sprintf("Các đỉnh âm ngắn và to chỉ cho phép %s thay vì %s: bản này sẽ nghe nhỏ hơn bản khác.", c.Loudness, targetLUFS)}},
		{c.SilenceRatio > silentShare, Remark{MostlySilent,
			fmt.Sprintf("%.0f %% of the recording is silent", 100*c.SilenceRatio),
			fmt.Sprintf("%.0f %% bản ghi là khoảng lặng.", 100*c.SilenceRatio)}},
	}
	var said []Remark
	for _, row := range table {
		if row.applies {
			said = append(said, row.remark)
		}
	}
	return said
}

// normalise makes canonical files until one is within its limits. What the codec and the limiter do
// to a level cannot be computed beforehand, only measured; each round corrects the next. When none
// reaches the target, the best one under the ceiling is taken, and a remark says so.
func (j *job) normalise(ctx context.Context) (attempt, error) {
	asked := media.Decibel(targetLUFS - j.heard.loudness)
	s := j.firstSetting(asked)
	var best attempt
	for range maxRounds {
		s.limited = s.limited || j.heard.peak+s.gain > s.ceiling
		made, err := j.attempt(ctx, s)
		if err != nil {
			best.discard()
			return attempt{}, err
		}
		if best = better(best, made); best.good() {
			return best, nil
		}
		next := s.corrected(made.measured, min(maxGain, asked+deepest))
		if next == s {
			break
		}
		s = next
	}
	if best.path == "" {
		return attempt{}, fmt.Errorf("no encoding of upload %s stays below %s", j.upload.sha256, peakLimit)
	}
	return best, nil
}

// firstSetting foresees what a limiter will take: of every decibel that peaks pass its ceiling by,
// speech and music lose about a quarter in loudness, so a first gain greater by two fifths mostly
// ends the rounds at once. It is a guess; the proof decides.
func (j *job) firstSetting(asked media.Decibel) setting {
	const mostForeseen = media.Decibel(300)
	over := max(0, j.heard.peak+asked-firstCeiling)
	return setting{
		mix:     j.heard.mix,
		gain:    min(maxGain, asked+min(mostForeseen, over*2/5)),
		ceiling: firstCeiling,
		padded:  j.heard.samples < shortest,
	}
}

// corrected returns the setting for the next round, given what this one led to. A lower ceiling
// makes room for what the codec added to a peak; more gain than most would only lift the noise.
func (s setting) corrected(m measured, most media.Decibel) setting {
	missed := media.Decibel(targetLUFS - m.loudness)
	if m.peak > peakLimit {
		s.ceiling -= m.peak - peakLimit + 20
		s.limited = true
	}
	if s.limited && missed > 0 {
		missed = missed * 3 / 2 // the limiter takes part of it back
	}
	s.gain = min(most, s.gain+missed)
	return s
}

// attempt is one canonical file in the staging folder and what was measured of it.
type attempt struct {
	setting
	measured
	path, sha256 string
	size         int64
}

func (a attempt) discard() {
	if a.path != "" {
		os.Remove(a.path)
	}
}

// good reports whether an attempt needs no further one.
func (a attempt) good() bool { return a.path != "" && off(a.loudness) <= aimedLU }

// better keeps the one below the peak limit that is nearer to the target, and discards the other.
func better(best, made attempt) attempt {
	if made.peak > peakLimit || best.path != "" && off(best.loudness) <= off(made.loudness) {
		made.discard()
		return best
	}
	best.discard()
	return made
}

// off returns by how much a loudness misses the target.
func off(l media.LUFS) media.LUFS { return max(l-targetLUFS, targetLUFS-l) }

// duration returns how long a number of canonical samples lasts.
func duration(samples int64) time.Duration {
	return time.Duration(math.Round(float64(samples) * float64(time.Second) / media.SampleRate))
}

// clock writes a duration for people, such as "1:05".
func clock(d time.Duration) string {
	s := int(math.Round(d.Seconds()))
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// errDisagree is a canonical file that the two decoders do not render alike.
var errDisagree = errors.New("the speaker's decoder and ffmpeg disagree")
