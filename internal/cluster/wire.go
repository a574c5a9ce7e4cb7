package cluster

// The structs below spell cluster.json (contract clustercockpit 5.5). Unknown members are ignored: files of real
// installations carry some that older versions had.

type wireCluster struct {
	Name        string           `json:"name"`
	Metrics     []wireMetric     `json:"metricConfig"`
	SubClusters []wireSubCluster `json:"subClusters"`
}

type wireUnit struct {
	Base   string `json:"base"`
	Prefix string `json:"prefix,omitempty"`
}

type wireLimits struct {
	Footprint     string  `json:"footprint,omitempty"`
	Energy        string  `json:"energy,omitempty"`
	LowerIsBetter bool    `json:"lowerIsBetter,omitempty"`
	Restrict      bool    `json:"restrict,omitempty"`
	Peak          float64 `json:"peak"`
	Normal        float64 `json:"normal"`
	Caution       float64 `json:"caution"`
	Alert         float64 `json:"alert"`
}

type wireMetric struct {
	Name        string   `json:"name"`
	Unit        wireUnit `json:"unit"`
	Scope       string   `json:"scope"`
	Timestep    int64    `json:"timestep"`
	Aggregation string   `json:"aggregation,omitempty"`
	Derived     string   `json:"derived,omitempty"` // ours
	wireLimits
	SubClusters []wireOverride `json:"subClusters,omitempty"`
}

type wireOverride struct {
	Name   string `json:"name"`
	Remove bool   `json:"remove,omitempty"`
	wireLimits
}

type wireQuantity struct {
	Unit  wireUnit `json:"unit"`
	Value float64  `json:"value"`
}

type wireSubCluster struct {
	Name            string       `json:"name"`
	Nodes           string       `json:"nodes"`
	ProcessorType   string       `json:"processorType"`
	SocketsPerNode  int          `json:"socketsPerNode"`
	CoresPerSocket  int          `json:"coresPerSocket"`
	ThreadsPerCore  int          `json:"threadsPerCore"`
	FlopRateScalar  wireQuantity `json:"flopRateScalar"`
	FlopRateSIMD    wireQuantity `json:"flopRateSimd"`
	MemoryBandwidth wireQuantity `json:"memoryBandwidth"`
	Topology        wireTopology `json:"topology"`
}

type wireTopology struct {
	Node         []int             `json:"node"`
	Socket       [][]int           `json:"socket"`
	MemoryDomain [][]int           `json:"memoryDomain"`
	Die          [][]int           `json:"die,omitempty"`
	Core         [][]int           `json:"core"`
	Accelerators []wireAccelerator `json:"accelerators,omitempty"`
}

type wireAccelerator struct {
	ID    string `json:"id"`
	Type  string `json:"type"`
	Model string `json:"model"`
}
