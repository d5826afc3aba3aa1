package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/device/config"
	"github.com/loaxa/loaxa/device/link/counter"
	"github.com/loaxa/loaxa/device/link/stick"
)

// Exit codes of take, beside 0 for all taken and 1 for a wrong call.
const (
	exitNobody   = 2 // no daemon is there; nothing was handed over
	exitRefused  = 3 // not all of it was taken
	exitReceipts = 4 // all was taken, and the receipts are not beside it
)

// take hands a pack or a sealed document to the running daemon.
type take struct {
	Config string `type:"existingfile" default:"/etc/loaxa/card.toml" help:"The provisioning file of this card (${default})."`
	Path   string `arg:"" type:"existingpath" help:"A pack, a folder with packs such as a stick's, or one sealed document."`
}

// exit is an error that decides how the program ends.
type exit struct {
	error
	code int
}

// Unwrap is why.
func (e exit) Unwrap() error { return e.error }

// Run says in Vietnamese and English what became of everything.
func (t take) Run() error {
	c, err := config.Load(t.Config)
	if err != nil {
		return err
	}
	return t.hand(os.Stdout, c.Node, filepath.Join(c.Data, counter.Socket))
}

func (t take) hand(out io.Writer, node broadcast.ID, socket string) error {
	files, folder, err := t.files(node)
	if err != nil {
		return err
	}
	var all []error
	for _, path := range files {
		answer, receipts, err := handOne(socket, path)
		switch {
		case errors.Is(err, counter.ErrNobody):
			return exit{fmt.Errorf("chương trình của cụm loa chưa chạy hoặc chưa ghi danh nên chưa nhận gì: chạy systemctl start loaxa-device, xem systemctl status loaxa-device, rồi nạp lại (the loudspeaker's daemon does not run, or is not enrolled yet, so nothing was taken: start it (systemctl start loaxa-device), see what it says (systemctl status loaxa-device), and take this again; a stick that stays in /media/loaxa is taken when the daemon starts): %w", err), exitNobody}
		case errors.Is(err, os.ErrPermission):
			return exit{fmt.Errorf("chỉ root được nạp: gõ sudo loaxa-device take %[1]s (only root may hand something to the daemon: say sudo loaxa-device take %[1]s): %[2]w", t.Path, err), exitNobody}
		case err != nil:
			return exit{fmt.Errorf("%s: %w; hãy nạp lại (take it again)", filepath.Base(path), err), exitRefused}
		}
		all = append(all, told(out, filepath.Base(path), answer), putBack(out, folder, answer, receipts))
	}
	return worst(all)
}

// files are what is to be handed over, and the folder for the receipts.
func (t take) files(node broadcast.ID) (files []string, folder string, err error) {
	info, err := os.Stat(t.Path)
	if err != nil || !info.IsDir() {
		return []string{t.Path}, filepath.Dir(t.Path), err
	}
	list, err := os.ReadDir(t.Path)
	if err != nil {
		return nil, "", err
	}
	for _, e := range stick.Mine(node, list, os.DirEntry.Name) {
		files = append(files, filepath.Join(t.Path, e.Name()))
	}
	if len(files) == 0 {
		return nil, "", fmt.Errorf("%[1]s không có gói nào: gói tên là %[2]s, do loaxa-controller export tạo ra (%[1]s has no pack: packs are called %[2]s, as loaxa-controller export makes them)", t.Path, string(node)+pack.Suffix)
	}
	return files, t.Path, nil
}

func handOne(socket, path string) (counter.Answer, []byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return counter.Answer{}, nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	return counter.Hand(socket, f)
}

// told prints an answer. Its error says that not all was taken.
func told(out io.Writer, name string, a counter.Answer) error {
	say(out, fmt.Sprintf("%s: đã nhận %d văn bản và %d bản ghi.", name, a.Documents, a.Recordings),
		fmt.Sprintf("%d documents and %d recordings taken.", a.Documents, a.Recordings))
	for _, line := range []struct {
		n      int
		vi, en string
	}{
		{a.Unneeded, "%d bản ghi đã có sẵn, hoặc không có văn bản hợp lệ nào cần đến.", "%d recordings are on board already, or nothing that the node believes needs them."},
		{a.Waiting, "%d văn bản chưa xét được vì thiếu văn bản quyền hạn của địa bàn: hãy nạp trọn gói của cụm loa này.", "%d documents cannot be judged yet: they wait for the authority of their area. Take a whole pack of this node."},
		{a.Refused, "%d bị từ chối:", "%d refused:"},
	} {
		if line.n > 0 {
			say(out, fmt.Sprintf(line.vi, line.n), fmt.Sprintf(line.en, line.n))
		}
	}
	for _, r := range a.Refusals {
		_, _ = fmt.Fprintf(out, "  %s: %s\n", r.What, r.Why)
		say(out, "    "+r.Do.VI, "    "+r.Do.EN)
	}
	if a.Torn != "" {
		say(out, "Không đọc được đến cuối tệp; phần trước đó đã nhận, hãy chép lại để nhận phần còn lại.",
			fmt.Sprintf("It could not be read to its end: %s. What came before that was taken; copy it again for the rest.", a.Torn))
	}
	if a.Refused > 0 || a.Waiting > 0 || a.Torn != "" {
		return exit{fmt.Errorf("%s: chưa nhận hết, xem bên trên (not all of it was taken; see above)", name), exitRefused}
	}
	return nil
}

// say prints a line in Vietnamese and the same in English under it.
func say(out io.Writer, vi, en string) { _, _ = fmt.Fprintf(out, "%s\n%s\n", vi, en) }

// putBack writes the receipts beside the pack, whole or not at all.
func putBack(out io.Writer, folder string, a counter.Answer, receipts []byte) error {
	switch {
	case a.Mute != "":
		return exit{fmt.Errorf("cụm loa không đưa biên nhận, hãy nạp lại (the node gave no receipts: %s; take it again)", a.Mute), exitReceipts}
	case a.Receipts == "":
		say(out, "Không có biên nhận nào chờ mang về văn phòng.", "No receipts wait to be carried to the office.")
		return nil
	}
	path := filepath.Join(folder, filepath.Base(a.Receipts))
	if err := whole(path, receipts); err != nil {
		return exit{fmt.Errorf("không ghi được biên nhận cạnh gói: hãy chép gói vào thư mục ghi được rồi nạp lại (the receipts are not beside the pack: %w; copy the pack into a folder that can be written and take it there)", err), exitReceipts}
	}
	say(out, fmt.Sprintf("Biên nhận cho văn phòng: %s. Sau khi đã phát, nạp lại lần nữa để biên nhận kể cả lần phát đó.", path),
		fmt.Sprintf("Receipts for the office: %s. Take it again after it was heard, and they tell of that too.", path))
	return nil
}

// whole puts a file beside its place, and then in it.
func whole(path string, raw []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".receipts-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// worst is the error with the smallest code, nil if there is none: what was
// refused matters more than a receipt that can be written later.
func worst(all []error) error {
	var out error
	for _, err := range all {
		var have, next exit
		if err != nil && (!errors.As(out, &have) || errors.As(err, &next) && next.code < have.code) {
			out = err
		}
	}
	return out
}
