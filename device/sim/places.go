package sim

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
)

// Place is one node to be simulated.
type Place struct {
	Node broadcast.ID `json:"node"`
	Area broadcast.ID `json:"area"`
}

// maxNodes is how many nodes one process may simulate.
const maxNodes = 10000

// DefaultPlaces spreads n nodes over the 23 former communes of Bắc Quang, one
// in each before any gets a second.
func DefaultPlaces(n int) ([]Place, error) {
	tree, err := broadcast.BacQuangTree()
	if err != nil {
		return nil, err
	}
	areas := broadcast.FormerCommunes(tree)
	if n < 1 || n > maxNodes {
		return nil, fmt.Errorf("%d nodes: choose 1 to %d", n, maxNodes)
	}
	var out []Place
	for i := range n {
		area := areas[i%len(areas)]
		out = append(out, Place{Node: named(area, i/len(areas)+1), Area: area})
	}
	return out, nil
}

func named(area broadcast.ID, n int) broadcast.ID {
	return broadcast.ID(string(area) + "-" + strconv.Itoa(n))
}

// ReadPlaces reads a list of areas, one a line, each optionally followed by how
// many nodes stand there. Empty lines and those that begin with # are left out.
func ReadPlaces(r io.Reader) ([]Place, error) {
	var out []Place
	count := map[broadcast.ID]int{}
	lines := bufio.NewScanner(io.LimitReader(r, 1<<20))
	for number := 1; lines.Scan(); number++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		area, n, err := parseLine(fields)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		for range n {
			count[area]++
			out = append(out, Place{Node: named(area, count[area]), Area: area})
		}
		if len(out) > maxNodes {
			return nil, fmt.Errorf("line %d: more than %d nodes", number, maxNodes)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, errors.New("no area is named: write one area id a line, such as tan-lap, or tan-lap 3 for three nodes")
	}
	for _, p := range out {
		if err := p.Node.Validate(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func parseLine(fields []string) (broadcast.ID, int, error) {
	area := broadcast.ID(fields[0])
	if err := area.Validate(); err != nil {
		return "", 0, err
	}
	if len(fields) == 1 {
		return area, 1, nil
	}
	n, err := strconv.Atoi(fields[1])
	if err != nil || len(fields) > 2 || n < 1 || n > maxNodes {
		return "", 0, fmt.Errorf("%q: write an area id and, if you like, a number of nodes from 1 to %d", strings.Join(fields, " "), maxNodes)
	}
	return area, n, nil
}
