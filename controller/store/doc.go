// Package store is the controller's memory: one database, reached through one
// type, in SQL that SQLite and PostgreSQL both understand.
//
// It promises that what a method reported as written survives kill -9 and a
// power cut (WAL with synchronous=FULL), that a transaction is whole or absent,
// and that nothing is ever edited where a person could later ask what was said:
// sealed documents, receipts and the audit log only grow. It decides nothing:
// rules stand in the packages that use it.
package store
