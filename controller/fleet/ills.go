package fleet

import (
	"cmp"
	"slices"
	"sync"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// ills are the open faults by node, as the vigil last stored them.
type ills struct {
	mu   sync.Mutex
	open map[broadcast.ID][]store.Fault
}

func (i *ills) of(node broadcast.ID) []store.Fault {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.open[node] // replaced as a whole, never changed
}

func (i *ills) set(open map[faultName]store.Fault) {
	by := map[broadcast.ID][]store.Fault{}
	for _, f := range open {
		by[f.Node] = append(by[f.Node], f)
	}
	for _, list := range by {
		slices.SortFunc(list, func(a, b store.Fault) int {
			return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Part, b.Part))
		})
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.open = by
}
