// Package speech makes recordings of written texts.
//
// It promises: a text that was taken in is spoken, or says why not, whatever dies
// in between; an engine that is down leaves it queued and visible. Each sentence
// is spoken alone and kept under the digest of what was asked, so that editing one
// sentence speaks that one again and no other. What an engine is given is the
// spoken form that the author was shown, letters and commas alone: it holds no
// option, no markup and no phonemes. A text with a token that nobody understands
// is not taken until its author accepts that token by name. The finished recording
// goes through intake like any upload, and the text and its spoken form are kept
// beside it for as long as it is.
//
// What is never done: no answer of an engine is held beyond its bound, believed by
// its header, or waited for longer than its time. No engine runs in this process.
//
// How: engines stand behind one interface. A program is boxed like the converter
// of intake; a server is asked over HTTP. Texts wait in the database; one at a time is
// spoken, sentence by sentence; the sentences are joined with pauses into one
// wave.
package speech
