package sink

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"

	"github.com/loaxa/loaxa/broadcast/media"
)

// The values of alsa/pcm.h that are used.
const (
	streamPlayback    = 0
	streamCapture     = 1
	modeNonblock      = 1
	formatS16LE       = 2
	accessInterleaved = 3
)

// libasound is the part of the ALSA library that sounding and listening need, bound
// without cgo. A C long is Go's int on every platform that Linux runs on.
type libasound struct {
	load sync.Once
	err  error

	pcmOpen      func(pcm *uintptr, name string, stream, mode int32) int32
	pcmClose     func(pcm uintptr) int32
	pcmPrepare   func(pcm uintptr) int32
	pcmDelay     func(pcm uintptr, frames *int) int32
	pcmWrite     func(pcm uintptr, samples unsafe.Pointer, frames uint) int
	pcmRead      func(pcm uintptr, samples unsafe.Pointer, frames uint) int
	paramsNew    func(params *uintptr) int32
	paramsFree   func(params uintptr)
	paramsAny    func(pcm, params uintptr) int32
	setAccess    func(pcm, params uintptr, access int32) int32
	setFormat    func(pcm, params uintptr, format int32) int32
	setChannels  func(pcm, params uintptr, n uint32) int32
	setRate      func(pcm, params uintptr, rate uint32, dir int32) int32
	setBuffer    func(pcm, params uintptr, us *uint32, dir *int32) int32
	setPeriod    func(pcm, params uintptr, us *uint32, dir *int32) int32
	paramsCommit func(pcm, params uintptr) int32
}

// bind loads the library and every symbol, or says what is missing.
func (l *libasound) bind() {
	lib, err := purego.Dlopen("libasound.so.2", purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		l.err = fmt.Errorf("the ALSA library is not installed (Debian: apt install libasound2): %w", err)
		return
	}
	for _, s := range []struct {
		name string
		fn   any
	}{
		{"snd_pcm_open", &l.pcmOpen},
		{"snd_pcm_close", &l.pcmClose},
		{"snd_pcm_prepare", &l.pcmPrepare},
		{"snd_pcm_delay", &l.pcmDelay},
		{"snd_pcm_writei", &l.pcmWrite},
		{"snd_pcm_readi", &l.pcmRead},
		{"snd_pcm_hw_params_malloc", &l.paramsNew},
		{"snd_pcm_hw_params_free", &l.paramsFree},
		{"snd_pcm_hw_params_any", &l.paramsAny},
		{"snd_pcm_hw_params_set_access", &l.setAccess},
		{"snd_pcm_hw_params_set_format", &l.setFormat},
		{"snd_pcm_hw_params_set_channels", &l.setChannels},
		{"snd_pcm_hw_params_set_rate", &l.setRate},
		{"snd_pcm_hw_params_set_buffer_time_near", &l.setBuffer},
		{"snd_pcm_hw_params_set_period_time_near", &l.setPeriod},
		{"snd_pcm_hw_params", &l.paramsCommit},
	} {
		address, err := purego.Dlsym(lib, s.name)
		if err != nil {
			l.err = fmt.Errorf("the ALSA library lacks %s: %w", s.name, err)
			return
		}
		purego.RegisterFunc(s.fn, address)
	}
}

func (l *libasound) open(device string, buffer, period time.Duration) (card, error) {
	return l.reach(device, streamPlayback, buffer, period)
}

// listen opens a microphone.
func (l *libasound) listen(device string, buffer, period time.Duration) (microphone, error) {
	return l.reach(device, streamCapture, buffer, period)
}

func (l *libasound) reach(device string, stream int32, buffer, period time.Duration) (*pcm, error) {
	if l.load.Do(l.bind); l.err != nil {
		return nil, l.err
	}
	p := &pcm{lib: l}
	if err := errno(int(l.pcmOpen(&p.handle, device, stream, modeNonblock))); err != nil {
		return nil, fmt.Errorf("%w (list the cards with: aplay -L)", err)
	}
	if err := p.configure(buffer, period); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// pcm is one open handle of libasound.
type pcm struct {
	lib    *libasound
	handle uintptr
}

func (p *pcm) configure(buffer, period time.Duration) error {
	l := p.lib
	var params uintptr
	if err := errno(int(l.paramsNew(&params))); err != nil {
		return err
	}
	defer l.paramsFree(params)
	bufferUS, periodUS, near := uint32(buffer.Microseconds()), uint32(period.Microseconds()), int32(0)
	for _, step := range []struct {
		what string
		code int32
	}{
		{"describe itself", l.paramsAny(p.handle, params)},
		{"interleaved samples", l.setAccess(p.handle, params, accessInterleaved)},
		{"signed 16-bit samples", l.setFormat(p.handle, params, formatS16LE)},
		{"one channel", l.setChannels(p.handle, params, 1)},
		{"48 kHz", l.setRate(p.handle, params, media.SampleRate, 0)},
		{"its buffer", l.setBuffer(p.handle, params, &bufferUS, &near)},
		{"its period", l.setPeriod(p.handle, params, &periodUS, &near)},
		{"these settings together", l.paramsCommit(p.handle, params)},
	} {
		if err := errno(int(step.code)); err != nil {
			return fmt.Errorf("the card refuses %s; name it through plughw: %w", step.what, err)
		}
	}
	return nil
}

func (p *pcm) write(samples []int16) (int, error) {
	n := p.lib.pcmWrite(p.handle, unsafe.Pointer(unsafe.SliceData(samples)), uint(len(samples)))
	return max(n, 0), errno(n)
}

func (p *pcm) read(samples []int16) (int, error) {
	n := p.lib.pcmRead(p.handle, unsafe.Pointer(unsafe.SliceData(samples)), uint(len(samples)))
	return max(n, 0), errno(n)
}

func (p *pcm) delay() (int, error) {
	var frames int
	err := errno(int(p.lib.pcmDelay(p.handle, &frames)))
	return frames, err
}

func (p *pcm) prepare() error { return errno(int(p.lib.pcmPrepare(p.handle))) }

func (p *pcm) close() error { return errno(int(p.lib.pcmClose(p.handle))) }

// errno is the error that a negative result of libasound means.
func errno(code int) error {
	if code >= 0 {
		return nil
	}
	return syscall.Errno(-code)
}
