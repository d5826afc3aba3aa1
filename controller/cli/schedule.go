package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
)

type scheduleCmd struct {
	Ahead      aheadCmd      `cmd:"" help:"What an area will sound in the coming days, and what it will not, and why."`
	Offers     offersCmd     `cmd:"" help:"What higher levels offer to a commune, and its answer."`
	Place      placeCmd      `cmd:"" help:"Place offers, or order what meets: those named earlier come first."`
	Decline    declineCmd    `cmd:"" help:"Do not take an offer."`
	Programmes programmesCmd `cmd:"" help:"The programmes of the coming days."`
	Copy       copyCmd       `cmd:"" help:"Copy the programmes of a day, or of a week, to others."`
}

// inArea is a command about one area.
type inArea struct {
	caller
	Area string `help:"The commune or village." required:"" placeholder:"ID"`
}

func (c inArea) path(what string) string { return "/api/v1/areas/" + url.PathEscape(c.Area) + what }

type aheadCmd struct {
	inArea
	Days int `help:"How many days." default:"7"`
}

// Run prints a line for each occurrence.
func (c *aheadCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var a api.Ahead
	if err := c.get(ctx, s, c.path(fmt.Sprintf("/ahead?days=%d", c.Days)), &a); err != nil {
		return err
	}
	for _, p := range a.Prospects {
		if _, err := fmt.Fprintln(s.Out, printable(p.Text.EN)); err != nil {
			return err
		}
	}
	if a.Unseen > 0 || a.Trouble != "" || a.More > 0 {
		return fmt.Errorf("%d nodes were not looked at, %d lines are left out; %s", a.Unseen, a.More, a.Trouble)
	}
	return nil
}

type offersCmd struct{ inArea }

// Run prints a line for each offer.
func (c *offersCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var list struct{ Offers []api.OfferView }
	if err := c.get(ctx, s, c.path("/offers"), &list); err != nil {
		return err
	}
	return offersTo(s, list.Offers)
}

func offersTo(s Streams, offers []api.OfferView) error {
	lines := [][]string{{"ID", "LEVEL", "START", "UNTIL", "ANSWER", "TITLE"}}
	for _, o := range offers {
		said := "hidden"
		for _, r := range o.Answers {
			said = strings.TrimSpace(strings.Join([]string{r.Answer, minute(r.Start), printable(r.Reason), r.In}, " "))
		}
		lines = append(lines, []string{o.ID, o.Level, minute(o.Start), minute(o.Until), said, printable(o.Title)})
	}
	return columns(s.Out, lines)
}

// choice is one item of a placement, as it is sent.
type choice struct {
	Announcement string `json:"announcement"`
	Start        string `json:"start,omitempty"`
	Decline      bool   `json:"decline,omitempty"`
	Reason       string `json:"reason,omitempty"`
}

// sign signs a placement, and prints how the offers stand.
func (c inArea) sign(ctx context.Context, s Streams, items []choice, accept bool) error {
	var list struct{ Offers []api.OfferView }
	if err := c.post(ctx, s, c.path("/placement"), map[string]any{"items": items, "accept_difference": accept}, &list); err != nil {
		return err
	}
	return offersTo(s, list.Offers)
}

type placeCmd struct {
	inArea
	ID               []string `arg:"" help:"Announcements, in the order in which they come first."`
	Start            string   `help:"When, of one offer: dd/MM/yyyy HH:MM or RFC 3339; its own start if not given." placeholder:"TIME"`
	AcceptDifference bool     `help:"Go on although other soundings will be silent, late or cut by it."`
}

// Run signs it.
func (c *placeCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var items []choice
	for _, id := range c.ID {
		items = append(items, choice{Announcement: id})
	}
	if c.Start != "" {
		if len(items) != 1 {
			return fmt.Errorf("--start belongs to one offer: place the others without it")
		}
		at, err := readMoment(c.Start)
		if err != nil {
			return err
		}
		items[0].Start = at
	}
	return c.sign(ctx, s, items, c.AcceptDifference)
}

// readMoment reads a moment as people in Vietnam write it.
func readMoment(text string) (string, error) {
	for _, layout := range []string{"2/1/2006 15:04", "2006-1-2 15:04", time.RFC3339} {
		if at, err := time.ParseInLocation(layout, text, broadcast.Local()); err == nil {
			return at.Format(time.RFC3339), nil
		}
	}
	return "", fmt.Errorf("%q: write dd/MM/yyyy HH:MM such as \"23/11/2026 17:30\", or RFC 3339", text)
}

type declineCmd struct {
	inArea
	ID     string `arg:"" help:"The offer."`
	Reason string `help:"Why; whoever offers it reads that." required:""`
}

// Run signs it.
func (c *declineCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	return c.sign(ctx, s, []choice{{Announcement: c.ID, Decline: true, Reason: c.Reason}}, false)
}

type programmesCmd struct {
	inArea
	From string `help:"The first day, dd/MM/yyyy; today if not given." placeholder:"DAY"`
	Days int    `help:"How many days." default:"7"`
}

// Run prints a line for each programme.
func (c *programmesCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	from := time.Now().In(broadcast.Local())
	if c.From != "" {
		var err error
		if from, err = readDay(c.From); err != nil {
			return err
		}
	}
	from = time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, broadcast.Local())
	q := url.Values{"area": {c.Area}, "from": {from.Format(time.RFC3339)}, "to": {from.AddDate(0, 0, c.Days).Format(time.RFC3339)}}
	var list struct{ Programmes []api.ProgrammeDay }
	if err := c.get(ctx, s, "/api/v1/programmes?"+q.Encode(), &list); err != nil {
		return err
	}
	return programmesTo(s, list.Programmes)
}

func readDay(text string) (time.Time, error) {
	at, err := time.ParseInLocation("2/1/2006", text, broadcast.Local())
	if err != nil {
		return at, fmt.Errorf("%q is no day: write dd/MM/yyyy such as 23/11/2026", text)
	}
	return at, nil
}

func programmesTo(s Streams, list []api.ProgrammeDay) error {
	lines := [][]string{{"ID", "START", "LASTS", "ROOM", "STATE", "TITLE"}}
	for _, p := range list {
		room, state := "", p.State
		if p.Minutes > 0 {
			room = fmt.Sprintf("%d min", p.Minutes)
		}
		if !p.Fits {
			room += ", does not fit"
		}
		if state == "" {
			state = "not drafted"
		}
		lines = append(lines, []string{p.ID, minute(p.Start), (time.Duration(p.Total) * time.Millisecond).Round(time.Second).String(), room, state, printable(p.Title)})
	}
	return columns(s.Out, lines)
}

type copyCmd struct {
	inArea
	From string `help:"The first day to copy, dd/MM/yyyy." required:"" placeholder:"DAY"`
	To   string `help:"The first day to copy to, dd/MM/yyyy." required:"" placeholder:"DAY"`
	Days int    `help:"1 for a day, 7 for a week." default:"1"`
}

// Run prints what was made.
func (c *copyCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	from, err := readDay(c.From)
	if err != nil {
		return err
	}
	to, err := readDay(c.To)
	if err != nil {
		return err
	}
	var made struct {
		Made        []api.ProgrammeDay
		There, Past int
	}
	body := map[string]any{"from": from.Format(time.RFC3339), "to": to.Format(time.RFC3339), "days": c.Days}
	if err := c.post(ctx, s, c.path("/programmes/copy"), body, &made); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(s.Err, "%d copied, %d stand there already, %d lie in the past\n", len(made.Made), made.There, made.Past)
	return programmesTo(s, made.Made)
}
