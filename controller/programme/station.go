package programme

import (
	"context"
	"errors"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Station is how a place names its station, and what opens and closes its
// programmes.
type Station struct {
	Area    broadcast.ID
	Version int64
	Name    string
	// Opening and Closing are contents; empty for none.
	Opening, Closing broadcast.Digest
	// From is the area whose words these are: the place itself, or the nearest above
	// it that has any.
	From broadcast.ID
}

// Station returns the station of an area, or that of the nearest area above it;
// one without any has no name.
func (p *Programmes) Station(ctx context.Context, area broadcast.ID) (Station, error) {
	above, err := p.above(area)
	if err != nil {
		return Station{}, err
	}
	own, err := p.cfg.DB.Station(ctx, area)
	for i := len(above) - 1; i >= 0 && err == nil; i-- {
		var row store.Station
		if row, err = p.cfg.DB.Station(ctx, above[i]); err == nil && row.Version > 0 {
			return Station{Area: area, Version: own.Version, Name: row.Name, Opening: row.Opening, Closing: row.Closing, From: row.Area}, nil
		}
	}
	return Station{Area: area}, err
}

// SaveStation keeps the station of an area in place of the version that was read;
// another version is store.ErrConflict.
func (p *Programmes) SaveStation(ctx context.Context, by people.Person, s Station) error {
	if _, err := p.above(s.Area); err != nil {
		return err
	}
	if err := p.cfg.Rights.Authorise(by, people.AnnouncementWrite, s.Area); err != nil {
		return err
	}
	s.Name = text(s.Name)
	if len([]rune(s.Name)) > maxTitle {
		return refuse(Invalid, "name", word{"the name is longer than 200 characters", "tên dài quá 200 ký tự"})
	}
	for field, c := range map[string]broadcast.Digest{"opening": s.Opening, "closing": s.Closing} {
		if err := p.there(ctx, field, c); err != nil {
			return err
		}
	}
	row := store.Station{Area: s.Area, Version: s.Version, Name: s.Name, Opening: s.Opening, Closing: s.Closing, ChangedBy: by.ID}
	return p.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := tx.SaveStation(ctx, row); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: p.now(), Person: by.ID, Act: "station.save", Subject: string(s.Area), Detail: stationTrace{s.Name, s.Opening, s.Closing}})
	})
}

// stationTrace is what the audit log keeps of a station.
type stationTrace struct {
	Name    string           `json:"name"`
	Opening broadcast.Digest `json:"opening"`
	Closing broadcast.Digest `json:"closing"`
}

// there refuses content that is not known here; none is fine.
func (p *Programmes) there(ctx context.Context, field string, c broadcast.Digest) error {
	if c == "" {
		return nil
	}
	_, err := p.cfg.DB.Content(ctx, c)
	if errors.Is(err, store.ErrNotFound) {
		return refuse(Invalid, field, word{"content " + c.Short() + " is not known here: upload it first", "chưa có nội dung " + c.Short() + ": hãy tải lên trước"})
	}
	return err
}
