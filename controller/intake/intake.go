package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode"
)

// Config is what an Intake needs.
type Config struct {
	Dir    string       // the content folder; made if absent
	FFmpeg string       // path of ffmpeg; "" looks it up in PATH. ffprobe must lie beside it
	Log    *slog.Logger // required
	limits *limits      // nil: standard
	create creator      // nil: createFile
}

// Intake takes uploads in. All its methods may be called at the same time.
type Intake struct {
	folder  folder
	engine  *engine
	log     *slog.Logger
	limits  limits
	tickets chan struct{} // held while an upload is here at all
	jobs    chan struct{} // held while it is converted
}

// New opens the content folder, removes what a crash left in its staging folder, and tries the
// converter. It fails when ffmpeg or ffprobe is missing or lacks Opus, and says what to install.
func New(config Config) (*Intake, error) {
	bounds := standard
	if config.limits != nil {
		bounds = *config.limits
	}
	create := config.create
	if create == nil {
		create = createFile
	}
	place, err := openFolder(config.Dir, create)
	if err != nil {
		return nil, err
	}
	engine, err := newEngine(config.FFmpeg, place.staging, bounds.step, config.Log)
	if err != nil {
		return nil, err
	}
	return &Intake{
		folder:  place,
		engine:  engine,
		log:     config.Log,
		limits:  bounds,
		tickets: make(chan struct{}, bounds.tickets),
		jobs:    make(chan struct{}, bounds.jobs),
	}, nil
}

// Take reads an upload to its end and returns the canonical content that was made and stored of it.
// name is what the person calls the file and decides nothing. progress may be nil; it is called
// from this goroutine only. Errors: a *Refusal when the file, the disk or the number of uploads is
// the reason; ctx's error when it ended first; anything else is a defect of this machine.
//
// Taking the same upload twice returns the same content and stores it once.
func (in *Intake) Take(ctx context.Context, name string, r io.Reader, progress func(Progress)) (Content, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	content, err := in.take(ctx, name, r, progress)
	var refusal *Refusal
	switch {
	case err == nil:
		in.log.Info("content accepted", "sha256", content.SHA256, "name", content.Source.Name,
			"duration", content.Duration, "loudness", content.Loudness, "true_peak", content.TruePeak)
	case errors.As(err, &refusal):
		in.log.Info("upload refused", "code", refusal.Code, "name", clean(name), "cause", refusal.cause)
	case ctx.Err() == nil:
		in.log.Error("upload failed", "name", clean(name), "error", err)
	}
	return content, err
}

func (in *Intake) take(ctx context.Context, name string, r io.Reader, progress func(Progress)) (Content, error) {
	select {
	case in.tickets <- struct{}{}:
		defer func() { <-in.tickets }()
	default:
		return Content{}, refuse(Busy, nil)
	}
	upload, err := in.folder.receive(ctx, r, in.limits.bytes, progress)
	if err != nil {
		return Content{}, err
	}
	defer upload.discard()

	progress(Progress{Stage: Waiting, Bytes: upload.size})
	select {
	case in.jobs <- struct{}{}:
		defer func() { <-in.jobs }()
	case <-ctx.Done():
		return Content{}, ctx.Err()
	}
	j := &job{engine: in.engine, folder: in.folder, limits: in.limits, upload: upload, progress: progress}
	content, err := j.convert(ctx)
	if err != nil {
		return Content{}, err
	}
	content.Source.Name = clean(name)
	return content, nil
}

// Open returns the canonical file of that name for reading. The caller closes it. The error is
// fs.ErrNotExist when there is none and for anything that is not a name of content.
func (in *Intake) Open(sha256 string) (*os.File, error) { return Stored(in.folder.dir).Open(sha256) }

// Stored is the folder of an Intake, for whoever only reads what was accepted: it may be used
// beside one that is running, and changes nothing.
type Stored string

// Open is as that of the Intake.
func (s Stored) Open(sha256 string) (*os.File, error) {
	file, err := folder{dir: string(s)}.path(sha256)
	if err != nil {
		return nil, err
	}
	opened, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open content: %w", err)
	}
	return opened, nil
}

// clean makes a stranger's file name harmless to show: the base name, valid, printable and short.
func clean(name string) string {
	const longest = 200
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, "\uFFFD"), "\\", "/"))
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, name)
	if name == "" || name == "." || name == ".." || name == string(filepath.Separator) {
		return "unnamed"
	}
	if runes := []rune(name); len(runes) > longest {
		name = string(runes[:longest])
	}
	return name
}
