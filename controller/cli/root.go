package cli

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

type rootCmd struct {
	Rotate rotateCmd `cmd:"" help:"Replace root keys; what people signed stays good, and cards need no change."`
}

type rotateCmd struct {
	Data        string   `help:"The data folder." required:"" type:"existingdir" placeholder:"DIR"`
	Root        []string `help:"The present root key files, as many as must sign." required:"" type:"existingfile" placeholder:"FILE"`
	Keep        []string `help:"Those of them whose keys stay." type:"existingfile" placeholder:"FILE"`
	New         []string `help:"Where a new root key goes: a new file outside the data folder. Repeat for several keys." required:"" type:"path" placeholder:"FILE"`
	Threshold   int      `help:"How many keys must sign from now on; all of them if not given." placeholder:"N"`
	Passphrases string   `help:"Read passphrases from this file instead of asking: root=passphrase for the present keys, new=passphrase for the new ones." type:"existingfile" placeholder:"FILE"`
}

// Run makes the next version of the root document and says what to do with the keys.
func (c *rotateCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	secrets, err := readSecrets(c.Passphrases)
	if err != nil {
		return err
	}
	r := people.Rotation{Old: c.Root, Keep: c.Keep, New: c.New, Threshold: c.Threshold,
		Ask: func(path string) (string, error) { return s.secret(secrets, "root", path) }}
	if r.Passphrase, err = s.newSecret(secrets, "new", "the new root keys (at least 10 characters; empty leaves them unprotected)", 0); err != nil {
		return err
	}
	return withOffice(ctx, c.Data, func(_ *store.DB, office *people.Office) error {
		version, err := office.RotateRoot(ctx, r)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.Out, "root version %d\n", version)
		_, _ = fmt.Fprintln(s.Err, "Copy each new key to two media and store them apart. The replaced keys sign nothing any more: destroy them.\n"+
			"Nodes learn of it with their next list; one that is away learns of it when it comes back, or from a stick.\n"+
			"Chép mỗi khoá mới ra hai nơi, cất riêng; huỷ khoá cũ. Cụm loa tự nhận khoá mới ở lần kết nối sau.")
		return err
	})
}
