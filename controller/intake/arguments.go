package intake

import (
	"fmt"
	"math"
	"strings"

	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/controller/box"
)

// decoders are the only ones a stranger's bytes may meet: what recordings are made of.
const decoders = "mp3float,mp2float,mp1float,mp3,mp2,mp1,aac,aac_latm,alac,opus,libopus,vorbis,libvorbis,flac," +
	"speex,libspeex,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,gsm,libgsm,gsm_ms,libgsm_ms," +
	"pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le," +
	"pcm_alaw,pcm_mulaw,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_yamaha,adpcm_g726"

// only bounds the decoders. A probe bounds those of sound alone, since it insists on opening, though
// not on running, one for each picture and caption in a file.
const (
	onlySound = "-codec_whitelist"
	ofSounds  = "-codec_whitelist:a"
)

// inputOf returns the arguments that open standard input as one container and as nothing else. The
// demuxer is named, so nothing is guessed from the bytes; the list of formats holds once more for
// whatever a demuxer might open in turn; the list of protocols leaves no way to another file or
// host. Recordings of the MP4 family often carry their index at the end and must be sought in: they
// are read through the path of the child's own input, with references to other files switched off.
func inputOf(c media.Container, only string) []string {
	args := []string{"-max_alloc", "134217728", "-f", string(c), "-format_whitelist", string(c), only, decoders}
	switch c {
	case media.M4A, media.MP4, media.ThreeGP:
		return append(args, "-enable_drefs", "0", "-use_absolute_path", "0", "-protocol_whitelist", "file", "-i", box.OwnInput)
	}
	return append(args, "-protocol_whitelist", "pipe", "-i", "pipe:0")
}

// quiet makes a program say only what went wrong, each time.
func quiet() []string { return []string{"-hide_banner", "-v", "repeat+error"} }

// probeArguments asks ffprobe for what it knows without decoding all.
func probeArguments(c media.Container) []string {
	return append(append(quiet(), "-threads", "1", "-of", "json", "-show_entries",
		"format=duration,bit_rate:stream=codec_type,codec_name,sample_rate,channels"), inputOf(c, ofSounds)...)
}

// mix says how channels become one.
type mix string

// A stereo recording whose channels cancel each other is heard by its left one.
const (
	plainMono mix = "aformat=sample_fmts=flt:channel_layouts=mono"
	bothSides mix = "aformat=sample_fmts=flt,pan=mono|c0=.5*c0+.5*c1"
	leftSide  mix = "aformat=sample_fmts=flt,pan=mono|c0=c0"
)

// mixOf returns the usual mix of a number of channels.
func mixOf(channels int) mix {
	if channels == 2 {
		return bothSides
	}
	return plainMono
}

// setting is how a source becomes canonical.
type setting struct {
	mix     mix
	gain    media.Decibel
	limited bool
	ceiling media.Decibel // of the limiter
	padded  bool          // filled with silence to the shortest length
}

// filters writes a setting as a chain. The limiter works at four times the sample rate, where peaks
// between samples are samples.
func (s setting) filters() string {
	chain := []string{string(s.mix), "aresample=48000", "volume=" + decimal(s.gain) + "dB:precision=float"}
	if s.limited {
		chain = append(chain, "aresample=192000",
			"alimiter=level=0:latency=1:attack=5:release=50:limit="+amplitude(s.ceiling), "aresample=48000")
	}
	if s.padded {
		chain = append(chain, fmt.Sprintf("apad=whole_len=%d", shortest))
	}
	return strings.Join(chain, ",")
}

// arguments of ffmpeg from a container through a setting to raw or canonical sound on standard
// output. atMost bounds what comes out, in seconds.
func (s setting) arguments(c media.Container, atMost float64, output []string) []string {
	args := append(append(quiet(), "-nostdin", "-filter_threads", "1", "-threads", "1"), inputOf(c, onlySound)...)
	args = append(args, "-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1",
		"-af", s.filters(), "-t", fmt.Sprintf("%.3f", atMost))
	return append(append(args, output...), "pipe:1")
}

// rawOutput is canonical PCM: 48 kHz mono, signed 16-bit, little endian.
func rawOutput() []string {
	return []string{"-ar", "48000", "-ac", "1", "-c:a", "pcm_s16le", "-f", "s16le"}
}

// canonicalOutput is canonical content. Low delay keeps Opus in its transform mode, which keeps the
// waveform and which the speaker's decoder renders exactly; everything that would differ between
// two conversions of the same upload (serial number, versions, tags) is fixed or left out.
func canonicalOutput() []string {
	return []string{"-ar", "48000", "-ac", "1", "-c:a", "libopus", "-application", "lowdelay", "-frame_duration", "20",
		"-b:a", fmt.Sprint(bitRate), "-vbr", "constrained", "-compression_level", "10",
		"-flags:a", "+bitexact", "-fflags", "+bitexact", "-serial_offset", "0", "-f", "ogg"}
}

// decimal writes a level for ffmpeg.
func decimal(d media.Decibel) string { return fmt.Sprintf("%.2f", float64(d)/100) }

// amplitude writes a level as a share of full scale; the limiter knows nothing below -24 dB.
func amplitude(d media.Decibel) string {
	const lowest = 0.0625
	return fmt.Sprintf("%.6f", max(lowest, math.Pow(10, float64(d)/2000)))
}
