package nodetest

import (
	"encoding/json"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/store"
)

// Receipts returns the receipts that stand in the journal of a node, oldest
// first.
func Receipts(j *store.Journal) ([]broadcast.Receipt, error) {
	var out []broadcast.Receipt
	err := j.Read(0, 1<<20, func(_ uint64, raw []byte) error {
		var page struct {
			Lines []struct{ Receipt broadcast.Receipt }
		}
		err := json.Unmarshal(raw, &page)
		for _, line := range page.Lines {
			if line.Receipt.Seq > 0 { // else it keeps a document
				out = append(out, line.Receipt)
			}
		}
		return err
	})
	return out, err
}
