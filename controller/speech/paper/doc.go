// Package paper reads the words out of the files that offices write: .docx and
// PDF with text in it.
//
// It promises: what is not part of what shall be said (running heads, feet, page
// numbers, the head of the state's letters, signatures and the list of receivers) is
// left out and listed, so that a person sees what is missing. A file that
// is no such paper, or would unpack to more than a paper has, is refused with a
// reason. Nothing in a file is followed: no link, no entity, no macro, no picture.
//
// How: a PDF meets only pdftotext, in a box like the converter of recordings. A
// .docx is read here, by the readers of Go's own library, which expand no entities; every
// length, depth and number has a bound. Texts are parted at articles
// into episodes that fit a programme.
package paper
