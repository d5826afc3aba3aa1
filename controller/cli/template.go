package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pin"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

type templateCmd struct {
	Data         string        `help:"The data folder." required:"" type:"existingdir" placeholder:"DIR"`
	Token        string        `help:"Your personal API token." required:"" env:"LOAXA_TOKEN" placeholder:"TOKEN"`
	ApproveToken string        `help:"The token of a second person, who approves." required:"" env:"LOAXA_APPROVE_TOKEN" placeholder:"TOKEN"`
	ID           string        `help:"What it is called; the same again replaces it, PINs too." required:"" placeholder:"ID"`
	Title        string        `help:"What it is about." required:""`
	Class        string        `help:"normal, priority or emergency." default:"emergency"`
	Area         []string      `help:"Where it may be fired; several with commas." required:"" placeholder:"ID"`
	Language     string        `help:"ISO 639 code of the language spoken." default:"vi"`
	Content      string        `help:"The recording: its SHA-256, as the upload answered." required:"" xor:"body" placeholder:"SHA256"`
	Microphone   time.Duration `help:"Instead of a recording: who has a key and a PIN speaks into the box's own microphone, for so long at most (10m)." required:"" xor:"body" placeholder:"5m"`
	Hours        []string      `help:"When somebody may begin to speak, such as 05:00-21:00; always if not given." placeholder:"FROM-TO"`
	KeepDays     int64         `help:"For how many days a node keeps what was spoken (${default})." default:"30" placeholder:"N"`
	Key          []string      `help:"A key switch that fires it." placeholder:"NAME"`
	PIN          []string      `help:"Who may fire it at a keypad: the number to type, and the person." name:"pin" placeholder:"NUMBER:PERSON"`
	Hourly       int64         `help:"How often an hour one node lets itself be told so (${default})." default:"3" placeholder:"N"`
	Days         int           `help:"For how many days it holds (${default})." default:"365" placeholder:"N"`
}

// Run seals it, and prints each person's PIN once: it is kept nowhere.
func (c *templateCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	return withOffice(ctx, c.Data, func(db *store.DB, office *people.Office) error {
		t := broadcast.Template{ID: broadcast.ID(c.ID), Class: broadcast.Class(c.Class), Title: c.Title,
			Expires: broadcast.InstantOf(time.Now().AddDate(0, 0, c.Days))}
		for _, area := range c.Area {
			t.Areas = append(t.Areas, broadcast.ID(area))
		}
		body, err := c.version(ctx, db)
		if err != nil {
			return err
		}
		t.Versions = []broadcast.Version{body}
		pins, err := c.local(&t)
		if err != nil {
			return err
		}
		if _, err := office.Stand(ctx, people.Credential{Token: c.Token}, people.Credential{Token: c.ApproveToken}, t); err != nil {
			return err
		}
		return columns(s.Out, pins)
	})
}

func (c *templateCmd) version(ctx context.Context, db *store.DB) (broadcast.Version, error) {
	if c.Microphone > 0 {
		return broadcast.Version{Language: broadcast.Language(c.Language), Live: &broadcast.Live{Source: broadcast.Box, Millis: c.Microphone.Milliseconds()}}, nil
	}
	known, err := db.Content(ctx, broadcast.Digest(c.Content))
	if err != nil {
		return broadcast.Version{}, fmt.Errorf("%w; upload the recording first (POST /api/v1/contents)", err)
	}
	return broadcast.Version{Language: broadcast.Language(c.Language),
		Content: &broadcast.Content{SHA256: known.SHA256, Millis: known.Millis, Bytes: known.Bytes}}, nil
}

// local says who may fire it at a box, and draws their PINs.
func (c *templateCmd) local(t *broadcast.Template) ([][]string, error) {
	pins := [][]string{{"NUMBER", "PERSON", "PIN"}}
	if len(c.Key) == 0 && len(c.PIN) == 0 {
		return nil, nil // a phone at the doorstep may activate it all the same
	}
	t.Local = &broadcast.OnSite{Hourly: c.Hourly}
	if c.Microphone > 0 {
		t.Local.Speech = &broadcast.Speech{KeepDays: c.KeepDays}
		for _, text := range c.Hours {
			span, err := spanOf(text)
			if err != nil {
				return nil, err
			}
			t.Local.Speech.Hours = append(t.Local.Speech.Hours, span)
		}
	}
	for _, key := range c.Key {
		t.Local.Keys = append(t.Local.Keys, broadcast.Switch(key))
	}
	for _, who := range c.PIN {
		number, person, found := strings.Cut(who, ":")
		if !found {
			return nil, fmt.Errorf("pin %q: write NUMBER:PERSON, such as 11:lan", who)
		}
		digits, lock, err := pin.New(rand.Reader)
		if err != nil {
			return nil, err
		}
		t.Local.Codes = append(t.Local.Codes, broadcast.Code{Number: broadcast.Number(number), Person: broadcast.ID(person), Lock: lock})
		pins = append(pins, []string{number, person, digits})
	}
	if len(c.PIN) == 0 {
		return nil, nil
	}
	return pins, nil
}

// spanOf reads hours such as 05:00-21:00.
func spanOf(text string) (broadcast.Span, error) {
	from, to, _ := strings.Cut(text, "-")
	begin, err := broadcast.ParseLocalTime(from)
	end, also := broadcast.ParseLocalTime(to)
	if err = errors.Join(err, also); err != nil {
		return broadcast.Span{}, fmt.Errorf("hours %q: write FROM-TO, such as 05:00-21:00: %w", text, err)
	}
	return broadcast.Span{From: begin, To: end}, nil
}
