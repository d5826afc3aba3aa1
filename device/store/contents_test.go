package store_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

const kb = 1 << 10

var shelf = store.ContentLimits{File: 500 * kb, Quota: 1000 * kb}

func openContents(t *testing.T, d *storetest.Disk) *store.Contents {
	t.Helper()
	c, err := store.OpenContents(d.FS(), "c", shelf)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func audio(id, size int) ([]byte, store.Sum) {
	data := bytes.Repeat(fmt.Appendf(nil, "%07d\n", id), size/8)
	for i := 0; i < len(data); i += 512 {
		data[i] = byte(i >> 9) // no two sectors alike
	}
	return data, sha256.Sum256(data)
}

func download(c *store.Contents, data []byte, sum store.Sum) error {
	p, err := c.Partial(sum, int64(len(data)))
	if err != nil {
		return err
	}
	for rest := data[p.Offset():]; len(rest) > 0; {
		n, err := p.Write(rest[:min(len(rest), 30*kb)])
		if err != nil {
			return errors.Join(err, p.Close())
		}
		rest = rest[n:]
	}
	if err := p.Commit(); err != nil {
		return errors.Join(err, p.Close())
	}
	return p.Close()
}

func mustDownload(t *testing.T, c *store.Contents, id, size int) store.Sum {
	t.Helper()
	data, sum := audio(id, size)
	if err := download(c, data, sum); err != nil {
		t.Fatal(err)
	}
	return sum
}

// fetching downloads two contents, the second in two sittings.
func fetching(d *storetest.Disk) error {
	c, err := store.OpenContents(d.FS(), "c", shelf)
	if err != nil {
		return err
	}
	one, sum1 := audio(1, 100*kb)
	if err := download(c, one, sum1); err != nil {
		return err
	}
	d.Note("kept 1")
	two, sum2 := audio(2, 200*kb)
	p, err := c.Partial(sum2, int64(len(two)))
	if err != nil {
		return err
	}
	if _, err := p.Write(two[:150*kb]); err != nil {
		return err
	}
	d.Note("reached 64") // the first step was synced before anything beyond the second was written
	if err := p.Close(); err != nil {
		return err
	}
	d.Note("reached 128")
	if err := download(c, two, sum2); err != nil {
		return err
	}
	d.Note("kept 2")
	return nil
}

// neverHalf accepts only whole contents, every promised one, and downloads that
// go on where promised and come to a good end.
func neverHalf(d *storetest.Disk, notes []string) error {
	c, err := store.OpenContents(d.FS(), "c", shelf)
	if err != nil {
		return err
	}
	for id, size := range map[int]int{1: 100 * kb, 2: 200 * kb} {
		data, sum := audio(id, size)
		if !c.Has(sum) && slices.Contains(notes, fmt.Sprint("kept ", id)) {
			return fmt.Errorf("content %d was promised", id)
		}
		if !c.Has(sum) {
			if err := resume(c, data, sum, id, notes); err != nil {
				return err
			}
		}
		if err := c.Verify(sum); err != nil {
			return fmt.Errorf("content %d is visible: %w", id, err)
		}
	}
	return nil
}

// A recording that is written in place under its own name is visible while it is
// half: the lane must say so.
func TestTheContentsLaneCatchesAWriterInPlace(t *testing.T) {
	for _, synced := range []bool{false, true} {
		careless := func(d *storetest.Disk) error {
			data, sum := audio(1, 100*kb)
			if err := inPlace(d.FS(), fmt.Sprintf("c/%x", sum), data, synced); err != nil {
				return err
			}
			d.Note("kept 1")
			return nil
		}
		if _, err := storetest.EveryCut(careless, neverHalf, 20); err == nil {
			t.Errorf("a recording written in place (synced: %t) was not caught", synced)
		}
	}
}

func resume(c *store.Contents, data []byte, sum store.Sum, id int, notes []string) error {
	p, err := c.Partial(sum, int64(len(data)))
	if err != nil {
		return err
	}
	offset := p.Offset()
	if err := p.Close(); err != nil {
		return err
	}
	for _, kept := range []int64{64, 128} {
		if id == 2 && offset < kept*kb && slices.Contains(notes, fmt.Sprint("reached ", kept)) {
			return fmt.Errorf("the download starts again at %d, %d kB were safe", offset, kept)
		}
	}
	return download(c, data, sum)
}

func TestContentsAreWholeOrAbsentAfterACutAtEveryWrite(t *testing.T) {
	if _, err := storetest.EveryCut(fetching, neverHalf, 6); err != nil {
		t.Fatal(err)
	}
}

func TestADownloadGoesOnWhereItStopped(t *testing.T) {
	c := openContents(t, storetest.New())
	data, sum := audio(1, 200*kb)
	p, err := c.Partial(sum, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write(data[:100*kb+7]); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Partial(sum, int64(len(data))); !errors.Is(err, store.ErrBusy) {
		t.Errorf("a second writer: %v", err)
	}
	if err := p.Commit(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("commit of half a download: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if c.Has(sum) || !slices.Equal(c.Missing([]store.Sum{sum}), []store.Sum{sum}) {
		t.Error("half a content is visible")
	}
	if p, err = c.Partial(sum, int64(len(data))); err != nil || p.Offset() != 100*kb+7 {
		t.Fatalf("goes on at %d, %v", p.Offset(), err)
	}
	if _, err := p.Write(data[p.Offset():]); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write([]byte("x")); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("one byte too many: %v", err)
	}
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	r, err := c.Open(sum)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, data) || r.Close() != nil {
		t.Errorf("read %d bytes back, %v", len(got), err)
	}
	if _, err := c.Partial(sum, int64(len(data))); !errors.Is(err, os.ErrExist) {
		t.Errorf("a download of what is held: %v", err)
	}
}

func TestWrongBytesAreThrownAwayAtCommit(t *testing.T) {
	d := storetest.New()
	c := openContents(t, d)
	data, _ := audio(1, 100*kb)
	_, other := audio(2, 100*kb)
	if err := download(c, data, other); !errors.Is(err, store.ErrBadHash) {
		t.Fatalf("commit of other bytes: %v", err)
	}
	if c.Has(other) || c.Used() != 0 || len(d.Files()) != 0 {
		t.Errorf("held %t, %d bytes used, files %v", c.Has(other), c.Used(), d.Files())
	}
	if right, _ := audio(2, 100*kb); download(c, right, other) != nil {
		t.Error("it cannot be fetched again")
	}
}

func TestARottenContentIsDeletedSoThatItIsFetchedAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*storetest.Disk) error
	}{
		{"a bit flipped", func(d *storetest.Disk) error { return d.Rot(d.Files()[0], 70*kb) }},
		{"its end cut off", func(d *storetest.Disk) error {
			f, err := d.FS().OpenFile(d.Files()[0], os.O_RDWR)
			if err != nil {
				return err
			}
			return errors.Join(f.Truncate(50*kb), f.Close())
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := storetest.New()
			contents := openContents(t, d)
			sum := mustDownload(t, contents, 1, 100*kb)
			if err := contents.Verify(sum); err != nil {
				t.Fatal(err)
			}
			if err := c.spoil(d); err != nil {
				t.Fatal(err)
			}
			if err := contents.Verify(sum); !errors.Is(err, store.ErrBadHash) {
				t.Fatalf("verify: %v", err)
			}
			if contents.Has(sum) || len(d.Files()) != 0 || contents.Used() != 0 {
				t.Error("the bad content is still there")
			}
			if _, err := contents.Open(sum); !errors.Is(err, store.ErrMissing) {
				t.Errorf("open: %v", err)
			}
			d.Fail(nil)
			mustDownload(t, contents, 1, 100*kb)
		})
	}
}

// unread has the card give no answer beyond an offset.
func unread(d *storetest.Disk, beyond int64) {
	d.Fail(func(op storetest.Op) error {
		if op.Kind == storetest.Read && op.Offset >= beyond {
			return syscall.EIO
		}
		return nil
	})
}

func TestWhatTheCardDoesNotGiveIsNoVerdictOnAContent(t *testing.T) {
	d := storetest.New()
	c := openContents(t, d)
	sum := mustDownload(t, c, 1, 200*kb)
	data, second := audio(2, 200*kb)
	p, err := c.Partial(second, 200*kb)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write(data); err != nil {
		t.Fatal(err)
	}
	unread(d, 50*kb)
	if err := c.Verify(sum); !errors.Is(err, syscall.EIO) || errors.Is(err, store.ErrBadHash) || !c.Has(sum) {
		t.Errorf("verify: %v, held %t", err, c.Has(sum))
	}
	if err := errors.Join(p.Commit(), p.Close()); !errors.Is(err, syscall.EIO) || errors.Is(err, store.ErrBadHash) {
		t.Errorf("commit: %v", err)
	}
	d.Fail(nil)
	if err := c.Verify(sum); err != nil {
		t.Errorf("verify when the card answers again: %v", err)
	}
	again, err := c.Partial(second, 200*kb)
	if err != nil || again.Offset() != 200*kb {
		t.Fatalf("the download goes on at %d (%v), want its end", again.Offset(), err)
	}
	if err := again.Commit(); err != nil {
		t.Errorf("commit when the card answers again: %v", err)
	}
}

func TestAReadingAtItsCallersPaceEndsWithoutAVerdict(t *testing.T) {
	d := storetest.New()
	c := openContents(t, d)
	sum := mustDownload(t, c, 1, 200*kb)
	var steps []int64
	if err := c.VerifyAt(sum, func(n int64) error { steps = append(steps, n); return nil }); err != nil || len(steps) < 4 || slices.Max(steps) > 64*kb {
		t.Errorf("read in steps of %d: %v", steps, err)
	}
	enough := errors.New("enough")
	if err := c.VerifyAt(sum, func(int64) error { return enough }); !errors.Is(err, enough) || !c.Has(sum) {
		t.Errorf("a reading that was ended: %v, held %t", err, c.Has(sum))
	}
	if err := d.Rot(d.Files()[0], 70*kb); err != nil {
		t.Fatal(err)
	}
	if err := c.VerifyAt(sum, func(int64) error { return nil }); !errors.Is(err, store.ErrBadHash) || c.Has(sum) {
		t.Errorf("a rotten one: %v, held %t", err, c.Has(sum))
	}
}

func TestAFullMediumIsShrunkByWhatMattersLeast(t *testing.T) {
	c := openContents(t, storetest.New())
	var sums []store.Sum
	for id := range 5 {
		sums = append(sums, mustDownload(t, c, id, 100*kb))
	}
	c.Prefer([]store.Sum{sums[2], sums[3], sums[4]})
	held := func(want ...store.Sum) {
		t.Helper()
		if got := c.Held(); !slices.Equal(got, want) {
			t.Errorf("%d held: %x, want %x", len(got), got, want)
		}
	}
	shrink := func(bytes int64) {
		t.Helper()
		if err := c.Shrink(sums[3], bytes); err != nil {
			t.Error(err)
		}
	}
	shrink(50 * kb)
	held(sums[1:]...)
	shrink(150 * kb)
	held(sums[2], sums[3])
	if err := c.Shrink(sums[3], 1); !errors.Is(err, store.ErrFull) {
		t.Errorf("nothing is below it: %v", err)
	}
	held(sums[2], sums[3])
	if err := errors.Join(c.Drop(sums[2]), c.Drop(sums[0])); err != nil || c.Has(sums[2]) {
		t.Errorf("drop: %v", err)
	}
	p, err := c.Partial(sums[0], 100*kb)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Drop(sums[0]); !errors.Is(err, store.ErrBusy) {
		t.Errorf("drop of an open download: %v", err)
	}
	if err := errors.Join(p.Close(), c.Drop(sums[0])); err != nil || c.Used() != 100*kb {
		t.Errorf("%d bytes used, %v", c.Used(), err)
	}
}

func TestAnOpenFailureDoesNotDeleteAContent(t *testing.T) {
	d := storetest.New()
	fs := d.FS()
	open, broken := fs.OpenFile, false
	fs.OpenFile = func(path string, flag int) (store.File, error) {
		if broken {
			return nil, syscall.EMFILE
		}
		return open(path, flag)
	}
	c, err := store.OpenContents(fs, "c", shelf)
	if err != nil {
		t.Fatal(err)
	}
	sum := mustDownload(t, c, 1, 100*kb)
	broken = true
	if err := c.Verify(sum); !errors.Is(err, syscall.EMFILE) || errors.Is(err, store.ErrBadHash) || !c.Has(sum) {
		t.Errorf("verify: %v, held %t", err, c.Has(sum))
	}
}

func TestTheLeastRecentlyUsedContentMakesRoom(t *testing.T) {
	d := storetest.New()
	c := openContents(t, d)
	var sums []store.Sum
	for id := range 4 {
		sums = append(sums, mustDownload(t, c, id, 250*kb))
	}
	c.Prefer([]store.Sum{sums[1]})
	r, err := c.Open(sums[0]) // used last
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	mustDownload(t, c, 9, 250*kb)
	if c.Has(sums[2]) || !c.Has(sums[0]) || !c.Has(sums[1]) || !c.Has(sums[3]) {
		t.Errorf("held: %t %t %t %t, want all but the third", c.Has(sums[0]), c.Has(sums[1]), c.Has(sums[2]), c.Has(sums[3]))
	}
	if c.Used() > shelf.Quota || len(openContents(t, d).Missing(sums)) != 1 {
		t.Errorf("%d bytes used", c.Used())
	}
}

func TestPreferredContentsStayAndNothingGoesInVain(t *testing.T) {
	c := openContents(t, storetest.New())
	sums := []store.Sum{mustDownload(t, c, 0, 400*kb), mustDownload(t, c, 1, 100*kb), mustDownload(t, c, 2, 400*kb)}
	c.Prefer(sums)
	data, sum := audio(7, 300*kb)
	if err := download(c, data, sum); !errors.Is(err, store.ErrFull) {
		t.Fatalf("download beside preferred contents: %v", err)
	}
	c.Prefer([]store.Sum{sums[0], sums[2], sum, sums[1]})
	if err := download(c, data, sum); !errors.Is(err, store.ErrFull) {
		t.Fatalf("download that finds no room whatever goes: %v", err)
	}
	if c.Used() != 900*kb || len(c.Missing(sums)) != 0 {
		t.Errorf("%d bytes used, missing %d: something went in vain", c.Used(), len(c.Missing(sums)))
	}
	c.Prefer(nil)
	if err := download(c, data, sum); err != nil {
		t.Errorf("when nothing is preferred: %v", err)
	}
	if _, err := c.Partial(sum, shelf.File+1); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("a content above the limit: %v", err)
	}
}

func TestRoomIsMadeFromTheEndOfTheOrder(t *testing.T) {
	c := openContents(t, storetest.New())
	var sums []store.Sum
	for id := range 4 {
		sums = append(sums, mustDownload(t, c, id, 250*kb))
	}
	first, firstSum := audio(7, 250*kb)
	second, secondSum := audio(8, 250*kb)
	stranger, strangerSum := audio(9, 250*kb)
	c.Prefer([]store.Sum{firstSum, sums[3], secondSum, sums[1], sums[0], sums[2]})
	if err := download(c, first, firstSum); err != nil || c.Has(sums[2]) || len(c.Missing(sums)) != 1 {
		t.Errorf("the last did not make room for the first: %v, missing %d", err, len(c.Missing(sums)))
	}
	if err := download(c, second, secondSum); err != nil || c.Has(sums[0]) || len(c.Missing(sums)) != 2 {
		t.Errorf("the last but one did not make room for the second: %v, missing %d", err, len(c.Missing(sums)))
	}
	if err := download(c, stranger, strangerSum); !errors.Is(err, store.ErrFull) {
		t.Errorf("what nobody prefers found room among what is preferred: %v", err)
	}
}

func TestAFullCardKeepsWhatWasDownloaded(t *testing.T) {
	d := storetest.New()
	c := openContents(t, d)
	kept := mustDownload(t, c, 1, 100*kb)
	d.Limit(250 * kb)
	data, sum := audio(2, 300*kb)
	if err := download(c, data, sum); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("download on a full card: %v", err)
	}
	d.Limit(0)
	p, err := c.Partial(sum, int64(len(data)))
	if err != nil || p.Offset() < 64*kb {
		t.Fatalf("goes on at %d, %v", p.Offset(), err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := download(c, data, sum); err != nil {
		t.Error(err)
	}
	if err := c.Verify(kept); err != nil {
		t.Error(err)
	}
}

func TestAFailedSyncOfADownloadIsFetchedAgain(t *testing.T) {
	for nth := 1; nth <= 4; nth++ {
		faulty := func(d *storetest.Disk) error {
			count := 0
			d.Fail(func(op storetest.Op) error {
				if op.Kind == storetest.Sync {
					if count++; count == nth {
						return syscall.EIO
					}
				}
				return nil
			})
			err := fetching(d)
			d.Fail(nil)
			if err != nil && !errors.Is(err, syscall.EIO) {
				return err
			}
			return fetchingAgain(d)
		}
		if _, err := storetest.EveryCut(faulty, neverHalf, 0); err != nil {
			t.Fatalf("sync %d fails: %v", nth, err)
		}
	}
}

func fetchingAgain(d *storetest.Disk) error {
	c, err := store.OpenContents(d.FS(), "c", shelf)
	if err != nil {
		return err
	}
	for id, size := range map[int]int{1: 100 * kb, 2: 200 * kb} {
		data, sum := audio(id, size)
		if err := download(c, data, sum); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		d.Note("kept %d", id)
	}
	return nil
}

func TestAContentWithBothItsNamesIsWhole(t *testing.T) {
	for _, size := range []int{10 * kb, 300 * kb} { // the unfinished one is shorter, or longer
		d := storetest.New()
		sum := mustDownload(t, openContents(t, d), 1, 100*kb)
		f, err := d.FS().OpenFile(d.Files()[0]+".part", os.O_RDWR|os.O_CREATE)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(make([]byte, size), 0); err != nil {
			t.Fatal(err)
		}
		c := openContents(t, d)
		if err := c.Verify(sum); err != nil || c.Used() != 100*kb || len(d.Files()) != 1 {
			t.Errorf("%v, %d bytes used, files %v", err, c.Used(), d.Files())
		}
	}
}

func TestContentsLeaveStrangersAlone(t *testing.T) {
	d := storetest.New()
	if _, err := d.FS().OpenFile("c/readme.txt", os.O_RDWR|os.O_CREATE); err != nil {
		t.Fatal(err)
	}
	c := openContents(t, d)
	if c.Used() != 0 {
		t.Errorf("%d bytes used", c.Used())
	}
	if _, err := store.OpenContents(d.FS(), "c", store.ContentLimits{}); err == nil {
		t.Error("senseless limits were accepted")
	}
}
