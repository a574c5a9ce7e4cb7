package archive

// Bytes to data and back without a disk, for the fuzz target.
var (
	ReadBytes  = readData
	WriteBytes = encodeData
)
