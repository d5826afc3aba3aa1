package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/backup"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

type backupCmd struct {
	Make   backupMakeCmd   `cmd:"" default:"withargs" help:"Write a backup of a data folder, also while the controller runs."`
	Verify backupVerifyCmd `cmd:"" help:"Read a backup to its end, check the database in it, and say what it holds."`
}

type backupMakeCmd struct {
	File              string `arg:"" help:"The file to write. One that is there is not written over." type:"path" placeholder:"FILE"`
	Data              string `help:"The data folder." required:"" type:"existingdir" placeholder:"DIR"`
	WithoutRecordings bool   `help:"Leave the recordings out, where they are kept elsewhere."`
	Passphrases       string `help:"Read the passphrase from this file (a line backup=passphrase) instead of asking." type:"existingfile" placeholder:"FILE"`
}

// Run prints where the backup is.
func (c *backupMakeCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	if _, err := os.Lstat(c.File); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s: there is something already; name a new file", c.File), err)
	}
	secrets, err := readSecrets(c.Passphrases)
	if err != nil {
		return err
	}
	passphrase, err := s.newSecret(secrets, "backup", "the backup", people.MinPassphrase)
	if err != nil {
		return err
	}
	err = withOffice(ctx, c.Data, func(db *store.DB, office *people.Office) error {
		from := backup.Source{Dir: c.Data, DB: db, Fingerprint: office.Fingerprint(), Version: s.Version, Bare: c.WithoutRecordings, Now: time.Now}
		return whole(c.File, func(f *os.File) error {
			_, err := backup.Make(ctx, from, passphrase, people.DefaultCost(), f)
			return err
		})
	})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(s.Err, "Without its passphrase nobody can read it, you included. Now check it: backup verify.")
	_, err = fmt.Fprintln(s.Out, c.File)
	return err
}

// sealedFile is a backup that is read.
type sealedFile struct {
	File        string `arg:"" help:"The backup." type:"existingfile" placeholder:"FILE"`
	Passphrases string `help:"Read passphrases from this file (a line backup=passphrase, root=passphrase) instead of asking." type:"existingfile" placeholder:"FILE"`
}

func (c sealedFile) open(s Streams) (*os.File, string, map[string]string, error) {
	secrets, err := readSecrets(c.Passphrases)
	if err != nil {
		return nil, "", nil, err
	}
	passphrase, err := s.secret(secrets, "backup", "the backup")
	if err != nil {
		return nil, "", nil, err
	}
	f, err := os.Open(c.File)
	return f, passphrase, secrets, err
}

type backupVerifyCmd struct{ sealedFile }

// Run prints what the backup holds.
func (c *backupVerifyCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	f, passphrase, _, err := c.open(s)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // opened for reading
	r, err := backup.Verify(ctx, f, passphrase)
	if err != nil {
		return err
	}
	return s.reportBackup(r)
}

func (s Streams) reportBackup(r backup.Report) error {
	_, err := fmt.Fprintf(s.Out, "house %s\nmade %s by %s\naudit log of %d rows, whole\n%d recordings\n", r.Fingerprint.Short(),
		minute(r.Made.String()), r.Version, r.Rows, r.Recorded)
	if err == nil && len(r.Absent) > 0 {
		_, err = fmt.Fprintf(s.Err, "%d recordings that the database names are not inside: copy them into the folder content from where they are kept.\n", len(r.Absent))
	}
	return err
}

type restoreCmd struct {
	Into   restoreIntoCmd   `cmd:"" default:"withargs" help:"Make a data folder out of a backup. Its controller gives nothing out until the difference is accepted."`
	Show   restoreShowCmd   `cmd:"" help:"What the nodes hold other than the backup that was restored."`
	Accept restoreAcceptCmd `cmd:"" help:"Accept the difference that was shown; the controller then speaks again."`
}

type restoreIntoCmd struct {
	sealedFile
	Data string   `help:"The data folder to make; it must be empty or absent." required:"" type:"path" placeholder:"DIR"`
	Root []string `help:"A root key: it certifies a new service key, and that of the backup ends. Do it if the old machine may be in other hands, or its clock was ahead. Repeat for several." type:"existingfile" placeholder:"FILE"`
}

// Run restores a house and says what is still to be done.
func (c *restoreIntoCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	f, passphrase, secrets, err := c.open(s)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // opened for reading
	cfg, err := newConfig()
	if err != nil {
		return err
	}
	to := backup.Target{Dir: c.Data, People: cfg, RootFiles: c.Root,
		Ask: func(path string) (string, error) { return s.secret(secrets, "root", "the root key "+path) }}
	r, err := backup.Restore(ctx, f, passphrase, to)
	if err != nil {
		return err
	}
	if err := s.reportBackup(r.Report); err != nil {
		return err
	}
	if r.Epoch > 0 {
		_, _ = fmt.Fprintf(s.Err, "The service key is a new one, of epoch %d.\n", r.Epoch)
	}
	_, err = fmt.Fprint(s.Err, afterRestore)
	return err
}

// afterRestore is what people have to do that no program can know.
const afterRestore = `Do this now / Việc cần làm ngay:
 1. Make sure that the old controller is off and stays off.
    Bảo đảm máy chủ cũ đã tắt và không bật lại.
 2. Start this one with serve. Loudspeakers go on with what they hold; of the backup nothing goes out yet.
    Chạy serve. Loa vẫn phát theo lịch đang giữ; chưa lệnh nào của bản sao lưu được gửi đi.
 3. Tokens and sessions are void: sign in with the password, make new tokens with admin token.
    Mã truy cập và phiên đăng nhập cũ đã huỷ: đăng nhập lại bằng mật khẩu.
 4. Dismiss again who was dismissed after the backup was made.
    Cho thôi nhiệm vụ lại những người đã thôi sau thời điểm sao lưu.
 5. restore show, then restore accept with the digest that it shows.
    restore show để xem khác biệt, rồi restore accept để xác nhận.
`

type restoreShowCmd struct{ caller }

// Run prints the difference, its digest on the last line.
func (c *restoreShowCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var d api.Restoration
	if err := c.get(ctx, s, "/api/v1/restoration", &d); err != nil {
		return err
	}
	if !d.Waiting {
		_, err := fmt.Fprintln(s.Out, "No restored backup waits. / Không có bản khôi phục nào chờ xác nhận.")
		return err
	}
	lines := [][]string{{"NODE", "AREA", "HOLDS", "NEWER LISTS OF"}}
	for _, n := range d.Nodes {
		lines = append(lines, []string{n.Node, n.Area, holds(n), fmt.Sprint(n.Newer)})
	}
	if err := columns(s.Out, lines); err != nil {
		return err
	}
	for _, e := range d.Ended {
		_, _ = fmt.Fprintf(s.Out, "%s %q: %s since the backup, as %s says; it will not be listed again\n", e.Announcement, e.Title, e.Rung, e.Node)
	}
	_, err := fmt.Fprintf(s.Out, "backup of %s, restored %s\n", minute(d.Made), minute(d.At))
	if err == nil && d.Until != "" {
		_, err = fmt.Fprintf(s.Out, "silent nodes are waited for until %s\n", minute(d.Until))
	}
	if err == nil {
		_, err = fmt.Fprintln(s.Out, d.Digest)
	}
	return err
}

func holds(n api.Holder) string {
	switch {
	case !n.Heard:
		return "not heard / chưa báo"
	case n.Same:
		return "the same / như bản sao lưu"
	}
	return "other / khác"
}

type restoreAcceptCmd struct {
	Digest string `arg:"" help:"The digest that restore show printed."`
	caller
}

// Run accepts the difference.
func (c *restoreAcceptCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	if err := c.post(ctx, s, "/api/v1/restoration/accept", map[string]string{"digest": c.Digest}, nil); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.Out, "The controller speaks again. / Hệ thống hoạt động trở lại.")
	return err
}
