package answer

// Divergence is how far one model's distribution of a scored token is from another's, the
// first one's.
type Divergence struct {
	Seen    int     // tokens before it in its window
	KL      float64 // of the first one's from the other's, in nats: Σ p·(ln p - ln q) over the vocabulary
	First   float32 // natural log-probability of the token that stands there, by the first model
	Other   float32 // and by the other
	SameTop bool    // both find the same token most probable
}
