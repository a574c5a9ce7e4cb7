package metricstore

import "github.com/bridgehead-hpc/bridgehead/internal/metricstore/frame"

// Abandon closes the files as a dying process does: without a checkpoint.
func (db *DB) Abandon() error { return db.release() }

// Seal moves everything into a segment, as a full memory does.
func (db *DB) Seal() error { return db.checkpointSealing(sealAll) }

// LogKind and CheckpointKind are how the files begin.
func LogKind() frame.Kind { return logKind() }

// CheckpointKind is how a checkpoint begins.
func CheckpointKind() frame.Kind { return checkpointKind() }
