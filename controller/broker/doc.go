// Package broker is the controller's side of MQTT: the embedded broker that
// carries everything between controller and nodes, and the client with which
// the controller itself speaks to it or to any external MQTT 3.1.1 broker.
//
// What always holds: the embedded broker lets nobody in without a credential
// that its Authoriser accepts, and a credential reaches nothing beyond the
// topics its Rights name, never a topic that begins with "$". Nobody is
// answered before the retained messages of the previous life are loaded. Every
// queue, packet, session and store has a limit. The client never reports
// itself up before every subscription was granted, and hands on the messages
// of one node in the order they came.
//
// What is never done: nothing here proves a delivery. A published message may
// be lost, doubled or held back, and no answer of a broker says otherwise;
// only the sealed receipts above this package count. Messages that do not fit
// into the client's queue are dropped and counted, never waited for.
//
// How: Embed runs a NATS server with its MQTT listener inside the process and
// without any other listener. Rights are translated into NATS subjects, which
// that server enforces. Connect wraps one paho client per link in a loop of
// its own with full jitter, and spreads what arrives over ordered lanes.
package broker
