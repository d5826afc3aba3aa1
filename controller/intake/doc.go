// Package intake turns what people upload into canonical content, or says why it cannot.
//
// Its promises: whatever [Intake.Take] returns without an error lies complete, flushed and named by
// the SHA-256 of its bytes in the content folder; it is Ogg Opus, 48 kHz mono; its true peak, as the
// speaker's own decoder renders it, is at most -1 dBTP; its loudness is -16 LUFS within 1 LU, or a
// [Remark] says what was reached and why. The speaker's decoder and an independent one were run over
// the whole of it and agreed. The same upload gives the same bytes and so the same name. A refusal
// leaves nothing behind and touches nothing that was accepted before; it is a [*Refusal] with a code
// for programs and a reason in English and Vietnamese for the person who uploaded.
//
// What is never done: an upload is never held in memory, never trusted by its name or declared type,
// and never decoded inside this process. A stranger's bytes meet only a child process (ffmpeg) that
// is told which single demuxer to use, may open nothing but its own input, has no network where the
// kernel allows that, writes no file, and is bounded in time, processor time, memory and in what it
// may say. It dies with its job and with this process.
//
// How: the upload is streamed to a staging folder on the content folder's file system, sniffed,
// probed, decoded once to be measured, and then encoded with the gain that its loudness asks for.
// A limiter joins only where peaks would pass the ceiling, so ordinary speech keeps its waveform.
// The result is decoded and measured; if the codec pushed it out of its limits, it is encoded again
// from the original with corrected settings, a few times at most. Whatever lay in the staging folder
// when an Intake is made came from a crash and is removed; one folder belongs to one Intake.
package intake
