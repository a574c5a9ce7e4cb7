package job

import (
	"fmt"

	"github.com/bridgehead-hpc/bridgehead/internal/fault"
)

// DuplicateError refuses the start of a job that is known already: the scheduler's number was used on that cluster less
// than a day away. Its kind is fault.Conflict.
type DuplicateError struct {
	ID    ID    // of the job that is there
	JobID int64 // the scheduler's number of both
}

// Error names the job that is there, in the words that ClusterCockpit's clients know (contract clustercockpit 3.4).
func (e *DuplicateError) Error() string {
	return fmt.Sprintf("a job with that jobId, cluster and startTime already exists: dbid: %d, jobid: %d", e.ID, e.JobID)
}

// Unwrap returns the *fault.Error that carries kind and message.
func (e *DuplicateError) Unwrap() error {
	return &fault.Error{Kind: fault.Conflict, Message: e.Error()}
}

// NotRunningError refuses to stop a job that has ended before. Its kind is fault.Conflict.
type NotRunningError struct {
	JobID int64 // the scheduler's number
	State State // how the job ended
}

// Error says which job it is and how it ended.
func (e *NotRunningError) Error() string {
	return fmt.Sprintf("job %d is not running any more: its state is %s", e.JobID, e.State)
}

// Unwrap returns the *fault.Error that carries kind and message.
func (e *NotRunningError) Unwrap() error {
	return &fault.Error{Kind: fault.Conflict, Message: e.Error()}
}
