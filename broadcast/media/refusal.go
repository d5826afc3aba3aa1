package media

import (
	"bytes"
	"unicode/utf8"
)

// What a person is told. English first, then what an officer at the console reads.
var (
	refuseEmpty = &Refusal{
		"the file is empty or holds only a tag: record or export it again",
		"Tệp rỗng hoặc chỉ có thẻ thông tin: hãy ghi âm hoặc xuất lại."}
	refuseUnknown = &Refusal{
		"this is not a recording that can be read: send MP3, WAV, M4A, OGG, FLAC, AMR, AAC or WebM",
		"Không nhận ra đây là tệp âm thanh: hãy gửi MP3, WAV, M4A, OGG, FLAC, AMR, AAC hoặc WebM."}
	refuseText = &Refusal{
		"this is text, not a recording: read it out and record that",
		"Đây là văn bản, không phải bản ghi âm: hãy đọc và ghi âm rồi gửi tệp ghi âm."}
	refusePlaylist = &Refusal{
		"this is a playlist that points to other files, not a recording: upload the audio files themselves",
		"Đây là danh sách phát trỏ tới tệp khác, không phải bản ghi âm: hãy tải lên chính các tệp âm thanh."}
	refuseWebPage = &Refusal{
		"this is a web page or XML, not a recording: perhaps the download failed or asked for a login; download the audio file again",
		"Đây là trang web hoặc XML, không phải bản ghi âm: có thể việc tải về đã lỗi hoặc đòi đăng nhập; hãy tải lại tệp âm thanh."}
	refuseArchive = &Refusal{
		"this is an archive (ZIP, RAR, 7z, Word or similar), not a recording: unpack it and upload the audio file inside",
		"Đây là tệp nén (ZIP, RAR, 7z, Word…), không phải bản ghi âm: hãy giải nén rồi tải tệp âm thanh bên trong."}
	refuseDocument = &Refusal{
		"this is a document (PDF or Office), not a recording: copy its text into an announcement to have it spoken",
		"Đây là tài liệu (PDF, Office), không phải bản ghi âm: hãy chép phần chữ vào bản tin để hệ thống đọc."}
	refuseProgram = &Refusal{
		"this is a program, not a recording: do not open it; if you did not expect it, tell your technician",
		"Đây là chương trình, không phải bản ghi âm: đừng mở; nếu không rõ nguồn gốc, hãy báo kỹ thuật viên."}
	refusePicture = &Refusal{
		"this is a picture, not a recording: choose the audio file",
		"Đây là hình ảnh, không phải bản ghi âm: hãy chọn tệp âm thanh."}
	refuseVideo = &Refusal{
		"this is an AVI, FLV or MPEG film: export its sound as MP3 or M4A and upload that",
		"Đây là phim AVI, FLV hoặc MPEG: hãy xuất phần tiếng ra MP3 hoặc M4A rồi tải lên."}
	refuseWindowsMedia = &Refusal{
		"this is Windows Media (WMA), which is not read: export it as MP3 or WAV and upload that",
		"Đây là tệp Windows Media (WMA), hệ thống không đọc: hãy xuất ra MP3 hoặc WAV rồi tải lên."}
	refuseOtherAudio = &Refusal{
		"this is AIFF, CAF or MIDI, which is not read: export it as MP3 or WAV and upload that",
		"Đây là tệp AIFF, CAF hoặc MIDI, hệ thống không đọc: hãy xuất ra MP3 hoặc WAV rồi tải lên."}
	refuseSilentOgg = &Refusal{
		"this Ogg file begins without Opus, Vorbis, FLAC or Speex sound: export the sound as MP3 or Opus and upload that",
		"Tệp Ogg này không có âm thanh Opus, Vorbis, FLAC hay Speex ở đầu: hãy xuất phần tiếng ra MP3 hoặc Opus rồi tải lên."}
)

// magics is the table of formats known by their first bytes, accepted ones first.
// Order matters only where one entry is the beginning of another.
var magics = []magic{
	{bytes: "RIFF", container: sniffRIFF},
	{bytes: "RIFX", container: sniffRIFF},
	{bytes: "RF64", container: sniffRIFF},
	{bytes: "BW64", container: sniffRIFF},
	{bytes: "fLaC", container: is(FLAC)},
	{bytes: "OggS", container: sniffOgg},
	{bytes: "#!AMR\n", container: is(AMR)},
	{bytes: "#!AMR-WB\n", container: is(AMR)},
	{bytes: "\x1a\x45\xdf\xa3", container: sniffEBML},
	{offset: 4, bytes: "ftyp", container: sniffFtyp},
	{offset: 4, bytes: "moov", container: is(MP4)}, // QuickTime before brands
	{offset: 4, bytes: "mdat", container: is(MP4)},
	{offset: 4, bytes: "wide", container: is(MP4)},

	{bytes: "PK\x03\x04", refusal: refuseArchive},
	{bytes: "PK\x05\x06", refusal: refuseArchive},
	{bytes: "Rar!\x1a\x07", refusal: refuseArchive},
	{bytes: "7z\xbc\xaf\x27\x1c", refusal: refuseArchive},
	{bytes: "\x1f\x8b", refusal: refuseArchive},
	{bytes: "%PDF-", refusal: refuseDocument},
	{bytes: "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", refusal: refuseDocument},
	{bytes: "{\\rtf", refusal: refuseDocument},
	{bytes: "MZ", refusal: refuseProgram},
	{bytes: "\x7fELF", refusal: refuseProgram},
	{bytes: "#!/", refusal: refuseProgram},
	{bytes: "\xff\xd8\xff", refusal: refusePicture},
	{bytes: "\x89PNG\r\n\x1a\n", refusal: refusePicture},
	{bytes: "GIF8", refusal: refusePicture},
	{bytes: "FLV\x01", refusal: refuseVideo},
	{bytes: "\x00\x00\x01\xba", refusal: refuseVideo},
	{bytes: "\x30\x26\xb2\x75\x8e\x66\xcf\x11", refusal: refuseWindowsMedia},
	{bytes: "FORM", refusal: refuseOtherAudio},
	{bytes: "caff", refusal: refuseOtherAudio},
	{bytes: "MThd", refusal: refuseOtherAudio},
	{refusal: refusePlaylist, opening: playlists},
	{refusal: refuseWebPage, opening: webPages},
}

// The first words of texts that a lenient player would follow elsewhere: they are
// refused before any look for frames, in any case and after any blank.
var (
	playlists = []string{"ffconcat", "#extm3u", "#ext-x-", "[playlist]", "[reference]"}
	webPages  = []string{"<!doctype", "<html", "<head", "<?xml", "<asx", "<smil", "<mpd", "<svg", "<playlist"}
)

// opensWith reports whether a text begins with one of some words, whatever their
// case, after a byte order mark and blanks.
func opensWith(head []byte, words []string) bool {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	head = bytes.TrimLeft(head[:min(len(head), 1024)], " \t\r\n\v\f")
	for _, w := range words {
		if len(head) >= len(w) && bytes.EqualFold(head[:len(w)], []byte(w)) {
			return true
		}
	}
	return false
}

// isText reports whether the head reads as text: UTF-8 (the last character may be
// cut) without control characters.
func isText(head []byte) bool {
	for len(head) > 0 {
		r, size := utf8.DecodeRune(head)
		switch {
		case r == utf8.RuneError && size == 1 && len(head) >= utf8.UTFMax:
			return false
		case r < ' ' && !bytes.ContainsRune([]byte("\t\r\n\f"), r):
			return false
		}
		head = head[size:]
	}
	return true
}
