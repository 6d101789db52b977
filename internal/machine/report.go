package machine

// Schema is the version of Report as JSON.
const Schema = 1

// Report is everything that was measured. Rates are in units of 1e9 a second:
// GFLOP/s, or GB/s for memory.
type Report struct {
	Schema   int       `json:"schema"`
	CPU      string    `json:"cpu"`
	System   string    `json:"system"` // operating system/architecture
	Go       string    `json:"go"`
	Features []string  `json:"features"` // instruction-set extensions that some path uses
	Threads  int       `json:"threads"`
	Rounds   int       `json:"rounds"`
	ISA      string    `json:"isa"`              // the path measured
	Device   string    `json:"device,omitempty"` // where documents were computed, if not on the processor
	Paths    []Path    `json:"paths"`
	Peaks    []Peak    `json:"peaks"`
	GEMM     []GEMM    `json:"gemm"`
	Prefill  []Prefill `json:"prefill"`
}

// Path is one implementation of the kernels.
type Path struct {
	Name      string `json:"name"`
	Available bool   `json:"available"`
	Used      bool   `json:"used"`
	Reason    string `json:"reason,omitempty"` // why it is not available
}

// Rate is what was reached over the rounds.
type Rate struct {
	Median float64 `json:"median"`
	Lowest float64 `json:"lowest"`
	Best   float64 `json:"best"`
}

// Peak is what a loop reached that does nothing but one kind of work, on all
// threads at once.
type Peak struct {
	Name  string `json:"name"`
	Unit  string `json:"unit"`            // "GFLOP/s" or "GB/s"
	DType string `json:"dtype,omitempty"` // of the operands, for GFLOP/s
	Rate
}

// GEMM is the product of Rows x Inputs activations, already in the kernels'
// form, and an Outputs x Inputs weight matrix, packed.
type GEMM struct {
	DType   string `json:"dtype"`
	Rows    int    `json:"rows"`
	Inputs  int    `json:"inputs"`
	Outputs int    `json:"outputs"`
	// Rate is in GFLOP/s, 2·Rows·Inputs·Outputs a product; a round's is that of
	// its median product.
	Rate
	// OfPeak is Median over the best round of this machine's fastest loop for
	// the dtype (for bfloat16 without an instruction of its own, float32's); 0
	// where there is no such loop.
	OfPeak float64 `json:"of_peak"`
}

// Prefill is one document of Tokens tokens from token ids to log-probabilities.
type Prefill struct {
	Model      string `json:"model"` // a directory, or "built-in"
	DType      string `json:"dtype"`
	Parameters int64  `json:"parameters"` // of the checkpoint, embeddings included
	Tokens     int    `json:"tokens"`
	// Scored is the number of positions whose next token is scored: all of
	// them, as for a perplexity, or the last alone, as for an answer.
	Scored          int     `json:"scored"`
	Seconds         float64 `json:"seconds"`     // median
	CPUSeconds      float64 `json:"cpu_seconds"` // of all threads, median; 0 where the system does not say
	TokensPerSecond float64 `json:"tokens_per_second"`
	// Rate counts the weights that a document meets: 2·tokens·(matrices of
	// the layers) + 2·scored·(output head), in GFLOP/s. Attention and the
	// looking-up of embeddings count nothing.
	Rate
	OfPeak float64 `json:"of_peak"` // of Rate's median, as in GEMM
	// ByParameters is 2·parameters·tokens a second of the peak, the usual
	// shorthand; given where every position is scored.
	ByParameters float64 `json:"of_peak_by_parameters,omitempty"`
}
