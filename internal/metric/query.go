package metric

import (
	"sync"
	"time"
)

// Query asks for one metric of one host: the host's own samples when Type is empty or "node", else those of its
// devices (contract clustercockpit 3.11).
type Query struct {
	Metric     string
	Host       string
	Type       string   // "" or "node", "socket", "hwthread", "accelerator", ...
	TypeIDs    []string // devices of that type; one result each, or one in all with Aggregate
	SubType    string
	SubTypeIDs []string
	Aggregate  bool
	// Aggregation is how devices make one series, instead of as the configuration says. Naming one asks for one series.
	Aggregation Aggregation
	Resolution  time.Duration // 0: as stored
	Resampling  Resampling    // how the resolution is reached
	Scale       float64       // factor; 0 and 1 mean none
}

// Request is a batch of queries over one window of time.
type Request struct {
	Cluster     string
	From, To    time.Time
	Queries     []Query
	ForAllNodes []string // metrics to ask of every known host, in addition to Queries
	// Sees says which hosts the answer may be about; nil is all. Others are as if they had no samples. It is called by
	// several goroutines at the same time.
	Sees      func(host string) bool
	NoData    bool // leave out the samples
	NoStats   bool // leave out the statistics
	NoPadding bool // do not fill up to the window with NaN
}

// Answer holds one list of results for each query, in the same order. A host or metric without samples has an empty
// list.
type Answer struct {
	Queries []Query // what was asked, ForAllNodes expanded
	Results [][]Result

	used   []*block
	blocks *sync.Pool
}

// Release gives the memory of the samples back for other answers; nothing of the answer may be used any more. Without it
// the memory goes with the answer.
func (a *Answer) Release() {
	a.Results = nil
	for _, b := range a.used {
		a.blocks.Put(b)
	}
	a.used = nil
}

// Result is the samples of one device, or what went wrong for it.
type Result struct {
	Series     // From and Step tell what is really covered
	To         time.Time
	Statistics Statistics // over the samples that are there; NaN when there are none
	Err        error
}
