package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/dispatch"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/intake"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/recording"
	"github.com/loaxa/loaxa/controller/remote"
	"github.com/loaxa/loaxa/controller/store"
)

// withDispatch lends what carries documents and receipts, without a broker.
func withDispatch(ctx context.Context, dir string, log *slog.Logger, f func(*store.DB, *dispatch.Dispatch) error) error {
	return withOffice(ctx, dir, func(db *store.DB, office *people.Office) error {
		cfg, err := configIn(ctx, db)
		if err != nil {
			return err
		}
		hub := &events.Hub{}
		all := fleet.New(fleet.Config{DB: db, Tree: cfg.Tree, Events: hub, Office: office, Now: time.Now, Log: log})
		return f(db, dispatch.New(dispatch.Config{DB: db, Fleet: all, Events: hub, Office: office, Now: time.Now, Log: log}))
	})
}

// office is where a pack is made and receipts are counted: the data folder on
// this machine, or a controller that runs somewhere.
type office struct {
	Data       string `help:"The data folder, on the controller's own machine." type:"existingdir" placeholder:"DIR"`
	Controller string `help:"Otherwise the controller's address." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Token      string `help:"Your personal API token, for a controller that is asked over the network." env:"LOAXA_TOKEN" placeholder:"TOKEN"`
}

// carryTime is how long a pack may take over the network.
const carryTime = 2 * time.Hour

// remote is the controller to ask, nil for the folder on this machine.
func (o office) remote(s Streams) (*remote.Client, error) {
	if o.Data != "" {
		return nil, nil
	}
	if o.Token == "" {
		return nil, errors.New("say --data DIR on the controller's own machine, or --controller URL and --token TOKEN elsewhere")
	}
	to, err := caller{Controller: o.Controller, Token: o.Token}.remote(s)
	if err == nil {
		to.HTTP = &http.Client{Timeout: carryTime}
	}
	return to, err
}

type exportCmd struct {
	office
	Node string `help:"For which node." required:"" placeholder:"ID"`
	Days int    `help:"Recordings for how many days ahead (${default})." default:"30" placeholder:"N"`
	Out  string `help:"The pack, or a folder such as a stick's, where it is named after the node." required:"" type:"path" placeholder:"FILE"`
}

// Run prints where the pack is.
func (c *exportCmd) Run(ctx context.Context, s Streams, log *slog.Logger) error {
	to, err := c.remote(s)
	if err != nil {
		return err
	}
	path := c.Out
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, c.Node+pack.Suffix)
	}
	var made api.Packed
	err = whole(path, func(f *os.File) (err error) {
		if to == nil {
			made, err = c.pack(ctx, log, f)
		} else {
			made, err = c.download(ctx, to, f)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, sum := range made.Absent {
		_, _ = fmt.Fprintf(s.Err, "Left out, because the controller lacks it: %s\n", sum)
	}
	if more := made.Missing - len(made.Absent); more > 0 {
		_, _ = fmt.Fprintf(s.Err, "and %d more.\n", more)
	}
	if made.Alone < c.Days {
		_, _ = fmt.Fprintf(s.Err, "By its policy the node acts alone for %d days after the lists in this pack were sealed, not %d; then only new emergencies sound.\n", made.Alone, c.Days)
	}
	_, _ = fmt.Fprintf(s.Err, "%d documents, %d recordings and running orders.\n", made.Documents, made.Objects)
	_, err = fmt.Fprintln(s.Out, path)
	return err
}

// pack makes the pack from the data folder.
func (c *exportCmd) pack(ctx context.Context, log *slog.Logger, f *os.File) (made api.Packed, err error) {
	err = withDispatch(ctx, c.Data, log, func(_ *store.DB, d *dispatch.Dispatch) error {
		got, err := d.Pack(ctx, broadcast.ID(c.Node), c.Days, intake.Stored(filepath.Join(c.Data, "content")), f)
		made = api.PackedOf(got)
		return err
	})
	return made, err
}

// download has a controller make the pack.
func (c *exportCmd) download(ctx context.Context, to *remote.Client, f *os.File) (made api.Packed, err error) {
	trailer, err := to.Download(ctx, c.Token, fmt.Sprintf("/api/v1/nodes/%s/pack?days=%d", url.PathEscape(c.Node), c.Days), f)
	if err != nil {
		return made, spoken(err)
	}
	if json.Unmarshal([]byte(trailer.Get(api.PackedTrailer)), &made) != nil {
		return made, errors.New("the pack did not come whole: export it again")
	}
	return made, nil
}

// whole writes a file that is there complete or not at all.
func whole(path string, write func(*os.File) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".pack-*")
	if err != nil {
		return fmt.Errorf("%w; choose a folder that can be written", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

type importCmd struct {
	office
	File []string `arg:"" help:"What nodes left on a stick: receipts (NODE.CHAIN.loaxa.receipts) and recordings of what was spoken at their boxes (NODE.SHA256.loaxa.wav)." type:"existingfile" placeholder:"FILE"`
}

// shelf is where files that were brought go: receipts, and recordings that receipts
// name.
type shelf interface {
	receipts(ctx context.Context, node broadcast.ID, path string) (api.Carried, error)
	recording(ctx context.Context, node broadcast.ID, sum broadcast.Digest, path string) error
}

// Run prints a line for each file, and fails if one was not believed whole.
func (c *importCmd) Run(ctx context.Context, s Streams, log *slog.Logger) error {
	to, err := c.remote(s)
	if err != nil {
		return err
	}
	files := slices.Clone(c.File)
	slices.SortStableFunc(files, func(a, b string) int { return cmp.Compare(later(a), later(b)) })
	all := func(to shelf) error {
		var all []error
		for _, path := range files {
			all = append(all, carryFile(ctx, s, to, path))
		}
		return errors.Join(all...)
	}
	if to == nil {
		return withDispatch(ctx, c.Data, log, func(db *store.DB, d *dispatch.Dispatch) error {
			a, err := recording.Open(recording.Config{DB: db, Dir: filepath.Join(c.Data, recording.Folder), Events: &events.Hub{}, Now: time.Now, Log: log})
			if err != nil {
				return err
			}
			return all(folder{d, a})
		})
	}
	return all(uploads{to, c.Token})
}

// later is 1 for what needs receipts to be there before it.
func later(path string) int {
	if strings.HasSuffix(path, pack.RecordingSuffix) {
		return 1
	}
	return 0
}

// folder is the data folder on this machine.
type folder struct {
	dispatch *dispatch.Dispatch
	archive  *recording.Archive
}

func (f folder) receipts(ctx context.Context, node broadcast.ID, path string) (got api.Carried, err error) {
	err = reading(path, func(from io.Reader) error {
		stored, err := f.dispatch.Carry(ctx, node, from)
		got = api.Carried(stored)
		return err
	})
	return got, err
}

func (f folder) recording(ctx context.Context, node broadcast.ID, sum broadcast.Digest, path string) error {
	return reading(path, func(from io.Reader) error { return f.archive.Put(ctx, node, sum, from) })
}

func reading(path string, f func(io.Reader) error) error {
	from, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }() // opened for reading
	return f(from)
}

// uploads is a controller that runs somewhere. What was sent twice counts once.
type uploads struct {
	to    *remote.Client
	token string
}

func (u uploads) receipts(ctx context.Context, node broadcast.ID, path string) (got api.Carried, err error) {
	return got, u.post(ctx, string(node)+"/receipts", path, &got)
}

func (u uploads) recording(ctx context.Context, node broadcast.ID, sum broadcast.Digest, path string) error {
	return u.post(ctx, string(node)+"/recordings/"+string(sum), path, nil)
}

func (u uploads) post(ctx context.Context, to, path string, out any) error {
	return spoken(u.to.Do(ctx, remote.Request{Method: "POST", Path: "/api/v1/nodes/" + to, Token: u.token,
		Body: func() (io.ReadCloser, string, error) {
			f, err := os.Open(path)
			return f, "application/octet-stream", err
		}}, out))
}

func carryFile(ctx context.Context, s Streams, to shelf, path string) error {
	name := filepath.Base(path)
	if node, sum, ok := pack.RecordingOf(name); ok {
		if err := to.recording(ctx, node, sum, path); err != nil {
			return fmt.Errorf("%s: %w; a recording is taken after the receipts of its node, as the same stick has them", name, err)
		}
		_, _ = fmt.Fprintf(s.Out, "%s: what was spoken at %s is here\n", name, node)
		return nil
	}
	node, ok := pack.ReceiptsOf(name)
	if !ok {
		return fmt.Errorf("%s: neither receipts (NODE.CHAIN%s) nor a recording (NODE.SHA256%s)", name, pack.ReceiptsSuffix, pack.RecordingSuffix)
	}
	got, err := to.receipts(ctx, node, path)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	_, _ = fmt.Fprintf(s.Out, "%s: %d new receipts of %s\n", name, got.New, node)
	if got.Believed < got.Batches {
		return fmt.Errorf("%s: %d of %d batches were not sealed by the confirmed node %s", name, got.Batches-got.Believed, got.Batches, node)
	}
	return nil
}
