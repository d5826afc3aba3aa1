package broadcast

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
)

// Assignment is the place of one node: where it stands in the organisation
// tree, what it speaks, and how loud. It cannot raise a ceiling or change a relay.
type Assignment struct {
	Node     ID       `json:"node"`
	Revision Revision `json:"revision"`
	// Chain lists the areas that the node belongs to, from the top to its own.
	Chain []Place `json:"chain"`
	// Languages is the area's language plan, in the order of sounding.
	Languages []Language `json:"languages"`
	// Trim is added to every volume, in hundredths of a decibel, at most 0.
	Trim int64 `json:"trim_cdb,omitempty"`
	// Ceiling is the loudest volume at this site in percent; 0 means 100.
	Ceiling int64 `json:"ceiling,omitempty"`
	// Controllers lists where the node reports, in order of preference.
	Controllers []Controller `json:"controllers"`
	// Key is the node's own key, as confirmed on site.
	Key Key `json:"key"`
}

// Place is one area on the way from the top of the tree to a node.
type Place struct {
	Area  ID    `json:"area"`
	Level Level `json:"level"`
}

// Controller is where a controller can be reached.
type Controller struct {
	HTTP string `json:"http"`
	MQTT string `json:"mqtt"`
}

// Validate says whether the assignment is complete and inside every limit.
func (a Assignment) Validate() error {
	if len(a.Chain) == 0 || len(a.Chain) > 8 {
		return fmt.Errorf("chain: %d areas, allowed are 1 to 8", len(a.Chain))
	}
	seen := map[ID]bool{}
	for i, p := range a.Chain {
		if err := firstOf(check{"chain", p.Area.Validate()}, check{"chain", p.Level.Validate()}); err != nil {
			return err
		}
		if seen[p.Area] || i > 0 && p.Level.Rank() < a.Chain[i-1].Level.Rank() {
			return errors.New("chain: areas go from the highest level to the lowest, each once")
		}
		seen[p.Area] = true
	}
	if len(a.Controllers) == 0 || len(a.Controllers) > 4 {
		return fmt.Errorf("controllers: %d, allowed are 1 to 4", len(a.Controllers))
	}
	for _, c := range a.Controllers {
		if err := c.Validate(); err != nil {
			return fmt.Errorf("controllers: %w", err)
		}
	}
	return firstOf(check{"node", a.Node.Validate()}, check{"revision", a.Revision.Validate()},
		check{"languages", distinct(a.Languages, 1, MaxVersions)}, check{"trim_cdb", within(a.Trim, -6000, 0)},
		check{"ceiling", within(a.Ceiling, 0, 100)}, check{"key", a.Key.Validate()})
}

// Validate refuses addresses that are not http(s) and mqtt(s).
func (c Controller) Validate() error {
	for _, a := range []struct{ text, plain, tls string }{{c.HTTP, "http", "https"}, {c.MQTT, "mqtt", "mqtts"}} {
		u, err := url.Parse(a.text)
		if err != nil || (u.Scheme != a.plain && u.Scheme != a.tls) || u.Hostname() == "" || len(a.text) > 200 {
			return fmt.Errorf("address %q: use %s://host:port or %s://host:port", a.text, a.plain, a.tls)
		}
	}
	return nil
}

// Covers says whether area is upper or lies below it, as far as the chain knows.
func (a Assignment) Covers(upper, area ID) bool {
	up, at := -1, -1
	for i, p := range a.Chain {
		if p.Area == upper {
			up = i
		}
		if p.Area == area {
			at = i
		}
	}
	return up >= 0 && at >= up
}

// Keeps says whether a place differs from an older one only below some areas:
// whoever acts there changes nothing of what lies above, or the district's law
// and alarms would no longer reach the node.
func (a Assignment) Keeps(old Assignment, areas []ID) bool {
	own := slices.IndexFunc(old.Chain, func(p Place) bool { return slices.Contains(areas, p.Area) })
	return own < len(a.Chain) && slices.Equal(old.Chain[:own+1], a.Chain[:own+1])
}

// Knows says whether the area is on the chain.
func (a Assignment) Knows(area ID) bool { return a.Covers(area, area) }

// Within says whether the node stands in at least one of the areas.
func (a Assignment) Within(areas []ID) bool {
	for _, area := range areas {
		if a.Knows(area) {
			return true
		}
	}
	return false
}

// LevelOf returns the level of an area on the chain, or "" if it is not on it.
func (a Assignment) LevelOf(area ID) Level {
	for _, p := range a.Chain {
		if p.Area == area {
			return p.Level
		}
	}
	return ""
}
