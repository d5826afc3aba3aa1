package announce

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
)

// maxRows is how many nodes the live table shows at a time; those that have not
// ended come first.
const maxRows = 40

// screen shows deliveries as they come.
type screen struct {
	opt Options
	// drawn is how many lines the live table takes.
	drawn int
	// told is what was last said of each node.
	told map[string]string
}

func newScreen(opt Options) *screen { return &screen{opt: opt, told: map[string]string{}} }

// show redraws the table, or says what changed since.
func (s *screen) show(d api.Deliveries) {
	if s.opt.JSON {
		return
	}
	if s.opt.Live {
		s.redraw(table(d, maxRows))
		return
	}
	for _, n := range d.Nodes {
		if now := word(n); s.told[n.Node] != now && (n.Rung+n.End != "" || n.Claimed != nil) {
			s.told[n.Node] = now
			s.print(fmt.Sprintf("%s %-24s %s\n", clock(d.At), n.Node, now))
		}
	}
}

// finish leaves the whole table behind.
func (s *screen) finish(d api.Deliveries) {
	switch {
	case s.opt.JSON:
	case s.opt.Live:
		s.redraw(table(d, len(d.Nodes)))
	default:
		s.print(strings.Join(table(d, len(d.Nodes)), "\n") + "\n")
	}
}

// redraw writes lines over those of the last time.
func (s *screen) redraw(lines []string) {
	var b strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", s.drawn)
	}
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	s.drawn = len(lines)
	s.print(b.String())
}

func (s *screen) print(text string) {
	_, _ = fmt.Fprint(s.opt.Out, text) // nobody is left to tell
}

// table is the lines of the table: a bar, and a row for each node.
func table(d api.Deliveries, rows int) []string {
	lines := []string{bar(d.Summary), fmt.Sprintf("%-24s %-22s %-12s %-14s %s", "node", "area", "rung", "at", "proof")}
	left := 0
	for _, n := range ordered(d.Nodes) {
		if len(lines)-2 >= rows {
			left++
			continue
		}
		lines = append(lines, row(n))
	}
	if left > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more", left))
	}
	return lines
}

// ordered puts the nodes that have not ended before the others.
func ordered(nodes []api.Delivery) []api.Delivery {
	var open, ended []api.Delivery
	for _, n := range nodes {
		if n.End == "" {
			open = append(open, n)
		} else {
			ended = append(ended, n)
		}
	}
	return append(open, ended...)
}

func bar(s api.Summary) string {
	const width = 30
	full := 0
	if s.Expected > 0 {
		full = width * (s.Ended + s.Silent) / s.Expected
	}
	doubtful := ""
	if s.Doubtful > 0 {
		doubtful = fmt.Sprintf("%d doubtful, ", s.Doubtful)
	}
	return fmt.Sprintf("[%s%s] %d of %d ended, %d not to the end, %s%d open", strings.Repeat("#", full), strings.Repeat(".", width-full),
		s.Ended, s.Expected, s.Silent, doubtful, s.Open)
}

func row(n api.Delivery) string {
	rung := n.Rung
	if n.End != "" {
		rung = n.End
	}
	if rung == "" {
		rung = "-"
	}
	return strings.TrimRight(fmt.Sprintf("%-24s %-22s %-12s %-14s %s", n.Node, n.AreaName, rung, clock(timeOf(n, rung)), proof(n)), " ")
}

// word is what a line says of a node.
func word(n api.Delivery) string {
	if n.End != "" || n.Reason != nil || n.Claimed != nil {
		return strings.TrimSpace(cmp.Or(n.End, n.Rung) + " " + proof(n))
	}
	return n.Rung
}

// proof is the evidence, the reason, or the age of the last sign.
func proof(n api.Delivery) string {
	parts := lengths(n.Evidence)
	if n.Reason != nil {
		parts = append(parts, n.Reason.EN+" / "+n.Reason.VI)
	}
	if n.Until != "" {
		parts = append(parts, "may sound again until "+clock(n.Until))
	}
	if c := n.Claimed; c != nil {
		said := append([]string{"doubtful / không chắc chắn: " + cmp.Or(c.End, c.Rung)}, lengths(c.Evidence)...)
		parts = append(parts, strings.Join(said, " "))
	} else if n.Rung == "" && n.End == "" {
		if n.Age == nil {
			parts = append(parts, "no sign of it yet")
		} else {
			parts = append(parts, fmt.Sprintf("no answer, last sign %s ago", time.Duration(*n.Age)*time.Second))
		}
	}
	return strings.Join(parts, "; ")
}

// lengths says how much of the sound left, if that is known.
func lengths(e *api.Evidence) []string {
	if e == nil || e.Samples == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%.1f s of %.1f s", float64(e.Samples)/48000, float64(e.Of)/48000)}
}

func timeOf(n api.Delivery, rung string) string {
	for _, t := range n.Times {
		if t.Rung == rung {
			return t.At
		}
	}
	return ""
}

// clock is the local time of day of a moment.
func clock(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return t.In(broadcast.Local()).Format("15:04:05.000")
}

// moment is a moment with its day and its distance from UTC: the office, its
// server and a loaned laptop need not agree about either.
func moment(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return t.In(broadcast.Local()).Format("15:04:05 02/01/2006 -07:00")
}
