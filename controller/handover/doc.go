// Package handover says what depends on a person, before that person leaves.
//
// It promises: whatever nodes obey because of somebody's signature is listed,
// with what either kind of dismissal would do to it, and that is not guessed: each
// sealed document is opened again with the keyring as it would be afterwards, by
// the same function that nodes open it with. What other people signed whose rights
// rest on the same key is listed too, and so are signatures that wait for others,
// PINs at boxes, which no dismissal ends, and the own phones, which it does.
//
// Nothing is changed by asking.
package handover
