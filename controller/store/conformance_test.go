package store_test

import (
	"context"
	"testing"

	"github.com/loaxa/loaxa/controller/store"
	"github.com/loaxa/loaxa/controller/store/storetest"
)

func TestSQLiteIsADatabaseForTheController(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.DB {
		db, err := store.Open(context.Background(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	})
}
