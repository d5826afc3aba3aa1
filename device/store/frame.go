package store

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"iter"
)

// A frame is one record on the card, little endian:
//
//	mark uint32 | length uint32 | sequence uint64 | crc32c uint32 | record
//
// The checksum covers the segment's salt, the first 16 bytes and the record.
// The salt differs for every segment and stands in its file name, so neither an
// old block of another file nor a frame hidden inside a record can pass for a
// frame of this segment when the reader looks for the next good one.
const (
	frameMark   = 0x4c786a31
	frameHeader = 20
)

func frameSum(salt uint32, head, record []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // cached by the library
	sum := crc32.Update(salt, table, binary.LittleEndian.AppendUint32(nil, salt))
	return crc32.Update(crc32.Update(sum, table, head), table, record)
}

func appendFrame(dst []byte, salt uint32, seq uint64, record []byte) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, frameMark)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(record)))
	dst = binary.LittleEndian.AppendUint64(dst, seq)
	dst = binary.LittleEndian.AppendUint32(dst, frameSum(salt, dst[start:start+16], record))
	return append(dst, record...)
}

// parseFrame reads the frame at the start of data. size is 0 when there is no
// whole and undamaged frame there.
func parseFrame(data []byte, salt uint32) (seq uint64, record []byte, size int) {
	if len(data) < frameHeader || binary.LittleEndian.Uint32(data) != frameMark {
		return 0, nil, 0
	}
	length := binary.LittleEndian.Uint32(data[4:])
	if uint64(length) > uint64(len(data)-frameHeader) {
		return 0, nil, 0
	}
	record = data[frameHeader : frameHeader+int(length) : frameHeader+int(length)]
	if binary.LittleEndian.Uint32(data[16:]) != frameSum(salt, data[:16], record) {
		return 0, nil, 0
	}
	return binary.LittleEndian.Uint64(data[8:]), record, frameHeader + int(length)
}

// frame is one undamaged record and where it ends in its segment.
type frame struct {
	seq    uint64
	record []byte
	end    int
}

// frames yields the undamaged frames of a segment in order. Damage is stepped
// over: the walk goes on at the next good frame.
func frames(data []byte, salt uint32) iter.Seq[frame] {
	mark := binary.LittleEndian.AppendUint32(nil, frameMark)
	return func(yield func(frame) bool) {
		for off := 0; off < len(data); {
			if seq, record, size := parseFrame(data[off:], salt); size > 0 {
				off += size
				if !yield(frame{seq, record, off}) {
					return
				}
				continue
			}
			next := bytes.Index(data[off+1:], mark)
			if next < 0 {
				return
			}
			off += 1 + next
		}
	}
}
