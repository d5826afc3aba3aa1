package intake

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
)

// recordings are the ways in which one speech reaches us.
func recordings(t *testing.T, said []byte) map[string][]byte {
	tagged := []string{"-metadata", "title=Bí thư", "-metadata", "comment=" + string(bytes.Repeat([]byte("x"), 500))}
	mp3 := func(args ...string) []byte { return into(t, said, "mp3", append(args, tagged...)...) }
	return map[string][]byte{
		"wav":                 said,
		"wav unsigned 8 bit":  into(t, said, "wav", "-ar", "8000", "-c:a", "pcm_u8"),
		"wav float stereo":    into(t, said, "wav", "-c:a", "pcm_f32le", "-ac", "2", "-ar", "96000"),
		"wav telephone":       into(t, said, "wav", "-ar", "8000", "-c:a", "pcm_alaw"),
		"wav adpcm":           into(t, said, "wav", "-c:a", "adpcm_ima_wav"),
		"mp3 stereo cbr":      mp3("-ar", "44100", "-ac", "2", "-b:a", "128k"),
		"mp3 vbr":             mp3("-q:a", "5"),
		"mp3 mpeg-2 22k 32k":  lame(t, said, "-b", "32", "-m", "m"),
		"mp3 mpeg-2.5":        lame(t, said, "--resample", "11.025", "-b", "24", "-m", "m"),
		"m4a index at end":    into(t, said, "m4a", append([]string{"-c:a", "aac"}, tagged...)...),
		"m4a index in front":  into(t, said, "m4a", "-c:a", "aac", "-movflags", "faststart"),
		"m4a lossless":        into(t, said, "m4a", "-c:a", "alac"),
		"3gp aac":             into(t, said, "3gp", "-c:a", "aac", "-ar", "16000"),
		"m4a with a cover":    into(t, said, "m4a", "-f", "lavfi", "-i", "color=c=red:s=32x32:d=1", "-map", "0:a", "-map", "1:v", "-frames:v", "1", "-c:v", "png", "-c:a", "aac", "-disposition:v", "attached_pic"),
		"film with one sound": into(t, said, "mp4", "-f", "lavfi", "-i", "color=c=red:s=32x32:d=1", "-map", "0:a", "-map", "1:v", "-c:a", "aac"),
		"ogg vorbis":          into(t, said, "ogg", append([]string{"-c:a", "libvorbis"}, tagged...)...),
		"ogg opus":            into(t, said, "ogg", "-c:a", "libopus", "-b:a", "24k"),
		"flac":                into(t, said, "flac", tagged...),
		"webm":                into(t, said, "webm", "-c:a", "libopus"),
		"aac":                 into(t, said, "aac", "-c:a", "aac"),
	}
}

func TestAnyRecordingBecomesCanonicalContent(t *testing.T) {
	t.Parallel()
	in := newIntake(t)
	for name, data := range recordings(t, speech(t)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := accepted(t, in, data)
			mustKeepTheWave(t, data, mustBeCanonical(t, in, c))
			if len(c.Remarks) > 0 {
				t.Errorf("an ordinary recording is remarked upon: %+v", c.Remarks)
			}
			if c.Source.Bytes != int64(len(data)) || c.Source.Codec == "" || c.Source.Channels == 0 || c.Source.SampleRate == 0 {
				t.Errorf("source not described: %+v", c.Source)
			}
		})
	}
}

func TestMusicKeepsItsWave(t *testing.T) {
	t.Parallel()
	in := newIntake(t)
	music := lame(t, wave(44100, 2, chords(4, 2)), "-b", "128")
	c := accepted(t, in, music)
	mustKeepTheWave(t, music, mustBeCanonical(t, in, c))
	if c.Source.Container != media.MP3 || c.Source.Codec != "mp3" || c.Source.SampleRate != 44100 || c.Source.Channels != 2 {
		t.Errorf("source: %+v", c.Source)
	}
}

// amr is a narrow-band recording of a phone: valid frames of 12.2 kbit/s with made-up parameters,
// for lack of an encoder.
func amr(frames int) []byte {
	made, rng := []byte("#!AMR\n"), rand.New(rand.NewPCG(1, 1))
	for range frames {
		made = append(made, 0x3c)
		for range 31 {
			made = append(made, byte(rng.Uint32()))
		}
	}
	return made
}

func TestPhoneRecordingsAreTaken(t *testing.T) {
	t.Parallel()
	in := newIntake(t)
	raw := amr(150)
	for name, data := range map[string][]byte{"amr": raw, "3gp": into(t, raw, "3gp", "-c:a", "copy")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := accepted(t, in, data)
			mustBeCanonical(t, in, c)
			if c.Source.Codec != "amr_nb" || c.Source.SampleRate != 8000 || math.Abs(c.Duration.Seconds()-3) > 0.03 {
				t.Errorf("%v of %+v", c.Duration, c.Source)
			}
		})
	}
}

func TestOddLevelsEndInsideTheLimits(t *testing.T) {
	t.Parallel()
	in := newIntake(t)
	said := speech(t)
	hot := into(t, said, "wav", "-af", "volume=15dB", "-c:a", "pcm_f32le")
	opposed := into(t, said, "wav", "-af", "pan=stereo|c0=c0|c1=-1*c0")
	for name, source := range map[string][]byte{
		"1.2 s":                      into(t, said, "wav", "-t", "1.2"),
		"0.5 s":                      into(t, said, "wav", "-ss", "0.3", "-t", "0.5"),
		"a whisper":                  into(t, said, "wav", "-af", "volume=-35dB", "-c:a", "pcm_s24le"),
		"beyond full scale":          hot,
		"whisper, then shout":        into(t, said, "wav", "-af", "volume='if(lt(t,3),-30dB,0dB)':eval=frame"),
		"channels cancel out":        opposed,
		"square at full scale":       wave(48000, 1, square(2)),
		"speech with a single crack": crack(said),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mustBeCanonical(t, in, accepted(t, in, source))
		})
	}
}

// square is the loudest wave there is.
func square(seconds int) []int16 {
	samples := make([]int16, seconds*48000)
	for i := range samples {
		samples[i] = int16(32767 * (1 - 2*(i/60%2)))
	}
	return samples
}

// crack puts one full-scale sample into a quiet WAV file.
func crack(file []byte) []byte {
	made := bytes.Clone(file)
	for at := 44; at+1 < len(made); at += 2 {
		quiet := int16(binary.LittleEndian.Uint16(made[at:])) / 8
		binary.LittleEndian.PutUint16(made[at:], uint16(quiet))
	}
	binary.LittleEndian.PutUint16(made[44+40000:], 0x7fff)
	return made
}

func TestClipsShorterThanALoudnessBlockAreFilledWithSilence(t *testing.T) {
	t.Parallel()
	in := newIntake(t)
	c := accepted(t, in, wave(48000, 1, sine(0.2, -20)))
	if c.Duration != 500*time.Millisecond {
		t.Errorf("duration %v, wanted half a second", c.Duration)
	}
	if off(c.Loudness) > 100 || c.TruePeak > -100 {
		t.Errorf("%v, %v", c.Loudness, c.TruePeak)
	}
}

func TestWhatCannotReachTheTargetIsToldApart(t *testing.T) {
	t.Parallel()
	in := newIntake(t)
	clicks := make([]int16, 4*48000)
	for i := range clicks {
		if i%48000 < 24 {
			clicks[i] = 32000
		}
	}
	c := accepted(t, in, wave(48000, 1, clicks))
	if c.TruePeak > -100 {
		t.Errorf("true peak %v", c.TruePeak)
	}
	if off(c.Loudness) <= 100 || !remarked(c, OffLoudness) {
		t.Errorf("%v with remarks %+v", c.Loudness, c.Remarks)
	}
	if !remarked(c, MostlySilent) || c.SilenceRatio < 0.5 {
		t.Errorf("silent for %.2f with remarks %+v", c.SilenceRatio, c.Remarks)
	}
	if c.Gain > media.Decibel(targetLUFS-c.Source.Loudness)+deepest {
		t.Errorf("raised by %v", c.Gain)
	}
}

func TestAQuietRecordingIsRaisedAndSaysSo(t *testing.T) {
	t.Parallel()
	c := accepted(t, newIntake(t), wave(48000, 1, sine(2, -55)))
	if !remarked(c, RaisedMuch) || c.Limited {
		t.Errorf("limited %v, remarks %+v", c.Limited, c.Remarks)
	}
	if c.Source.Loudness > -5000 || c.Gain < 3500 {
		t.Errorf("source %v, gain %v", c.Source.Loudness, c.Gain)
	}
}

func TestWhatNeedsNoLimiterGetsNone(t *testing.T) {
	t.Parallel()
	c := accepted(t, newIntake(t), wave(48000, 1, sine(2, -30)))
	if c.Limited {
		t.Error("a tone was limited")
	}
}

func TestDamageIsBridgedAndSaid(t *testing.T) {
	t.Parallel()
	in := newIntake(t)
	mp3 := lame(t, speech(t), "-b", "64")
	junk := bytes.Repeat([]byte{0x13, 0x37, 0xab}, 700)
	half := len(mp3) / 2
	flac := into(t, speech(t), "flac")
	broken := bytes.Clone(flac)
	copy(broken[len(broken)/2:], junk)
	cases := map[string]struct {
		data   []byte
		remark RemarkCode
	}{
		"junk in front":           {data: append(bytes.Clone(junk), mp3...)},
		"junk between frames":     {data: bytes.Join([][]byte{mp3[:half], junk, mp3[half:]}, nil)},
		"last third missing":      {data: mp3[:len(mp3)*2/3], remark: CutShort},
		"flac with a hole":        {data: broken, remark: Damaged},
		"tag of 3 MB":             {data: append(id3(3<<20, 3<<20), mp3...)},
		"tag that lies":           {data: append(id3(1000, 200<<20), mp3...)},
		"wav that claims less":    {data: lying(speech(t), 60_000)},
		"wav that claims no end":  {data: lying(speech(t), 0xffffffff)},
		"wav that claims nothing": {data: lying(speech(t), 0)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := accepted(t, in, c.data)
			mustBeCanonical(t, in, got)
			if c.remark != "" && !remarked(got, c.remark) {
				t.Errorf("no remark %s: %+v", c.remark, got.Remarks)
			}
		})
	}
}

// id3 is a tag that has size bytes and claims others.
func id3(size, claimed int) []byte {
	head := []byte{'I', 'D', '3', 4, 0, 0, byte(claimed >> 21 & 0x7f), byte(claimed >> 14 & 0x7f), byte(claimed >> 7 & 0x7f), byte(claimed & 0x7f)}
	return append(head, make([]byte, size)...)
}

// lying changes the data length of a plain WAV file.
func lying(file []byte, length uint32) []byte {
	made := bytes.Clone(file)
	binary.LittleEndian.PutUint32(made[40:], length)
	return made
}

func TestTheSameUploadGivesTheSameContentOnce(t *testing.T) {
	t.Parallel()
	data := speech(t)
	first, second := newIntake(t), newIntake(t)
	a, b, c := accepted(t, first, data), accepted(t, first, data), accepted(t, second, data)
	if a.SHA256 != b.SHA256 || a.SHA256 != c.SHA256 {
		t.Errorf("three names: %s %s %s", a.SHA256, b.SHA256, c.SHA256)
	}
	if kept := files(t, first); len(kept) != 1 {
		t.Errorf("kept %q", kept)
	}
}

func TestADamagedCopyIsReplaced(t *testing.T) {
	t.Parallel()
	in, data := newIntake(t), speech(t)
	c := accepted(t, in, data)
	spoil(t, must(in.folder.path(c.SHA256)))
	again := accepted(t, in, data)
	mustBeCanonical(t, in, again)
}

func TestProgressRunsThroughTheStages(t *testing.T) {
	t.Parallel()
	var stages []Stage
	data := speech(t)
	_, err := newIntake(t).Take(t.Context(), "tin.wav", bytes.NewReader(data), func(p Progress) {
		if p.Done < 0 || p.Done > 1 || p.Bytes > int64(len(data)) {
			t.Errorf("%+v", p)
		}
		if len(stages) == 0 || stages[len(stages)-1] != p.Stage {
			stages = append(stages, p.Stage)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []Stage{Receiving, Waiting, Measuring, Encoding, Proving}
	for i, s := range want {
		if i >= len(stages) || stages[i] != s {
			t.Fatalf("stages %q, wanted to begin with %q", stages, want)
		}
	}
}
