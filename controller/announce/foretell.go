package announce

import (
	"fmt"
	"strings"

	"github.com/loaxa/loaxa/controller/api"
)

// maxNamed is how many areas a line names.
const maxNamed = 3

// foretell says before publishing what will sound and what will not, and why.
func (r *run) foretell(f *api.Forecast) {
	if f == nil {
		return
	}
	for _, line := range foretold(*f) {
		r.say("forecast: %s", line)
	}
}

// foretold are the lines of a forecast: a line for each outcome, and one for
// everything that nobody looked at.
func foretold(f api.Forecast) []string {
	var out []string
	for _, o := range f.Outcomes {
		out = append(out, outcome(o))
	}
	switch {
	case f.Unseen > 0:
		out = append(out, fmt.Sprintf("%d of %d nodes were not looked at: %s", f.Unseen, f.Unseen+f.Nodes, f.Trouble))
	case f.Trouble != "":
		out = append(out, "it could not be made: "+f.Trouble)
	case f.Nodes == 0:
		out = append(out, "no confirmed node stands in these areas, so nothing sounds unless one is confirmed in time")
	case f.Occurrences == 0:
		out = append(out, "nothing is due before "+moment(f.To))
	}
	if f.Later {
		out = append(out, "it recurs after "+moment(f.To)+", where nobody looked")
	}
	return out
}

// outcome is one line: what, why, when, what to change, and where if that is
// worth a look.
func outcome(o api.Outcome) string {
	line := o.Text.EN
	if o.Reason == nil {
		return line
	}
	var names []string
	for _, a := range o.Areas[:min(len(o.Areas), maxNamed)] {
		names = append(names, a.Name)
	}
	if more := len(o.Areas) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	line += " (" + strings.Join(names, ", ") + ")"
	if o.Advice != nil {
		line += ": " + o.Advice.EN
	}
	return line
}
