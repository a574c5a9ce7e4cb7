// Package server builds the head node out of its parts and runs it.
//
// It is the only place that knows every adapter: New reads a Config and makes stores, services and doors; Run serves
// until its context ends. Main is the program cc-backend: the flags of contract clustercockpit 2.1 around the same New
// and Run.
package server
